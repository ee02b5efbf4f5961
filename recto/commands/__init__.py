"""The commands of ocr_worker.py, one module a subject. Part of the entry point: they read the settings and pass parts in."""
