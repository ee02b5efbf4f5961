"""PDF files as pages (pdf_files.py), and the text that their pages have already (text_layer.py)."""
