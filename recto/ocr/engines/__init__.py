"""Tesseract, reached in two ways behind one contract (base.py)."""

import os

# Tesseract's OpenMP threads fight each other: 5.1 s a page with them, 2.8 s without, on two cores. libgomp reads the variable once,
# when it is loaded, so it is set before any engine is imported; a child `tesseract` inherits it. Whoever set it knows better.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")
