"""What the full-text search (recto/search.py) is made of: the words asked for, and the index that is asked."""
