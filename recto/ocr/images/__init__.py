"""Image files as pages (image_files.py)."""
