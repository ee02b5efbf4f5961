"""Recognised pages as files: pure functions of the same pages, one per format (registry.py).

Empty of imports on purpose: naming one writer does not load the others.
"""
