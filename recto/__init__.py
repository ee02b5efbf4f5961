"""Recto: a self-hosted OCR service."""

__version__ = "0.1.0"
