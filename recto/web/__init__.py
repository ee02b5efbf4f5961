"""The Backend: HTTP API, pages, sign-in. Of `recto.ocr` it imports only the options and the media types."""
