"""Languages: their names (names.py), and finding out which ones a page is in (detection.py)."""
