"""What kind of document some bytes are, by their first bytes alone. Imports no OpenCV, so the Backend may use it."""

from typing import Final

SNIFF_BYTES: Final = 1040
"""How many leading bytes `sniff` wants to see. PDF readers accept up to 1,024 bytes before the header (ISO 32000-1, annex H.3.4.1)."""

ACCEPTED: Final[dict[str, str]] = {
    "application/pdf": "PDF",
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/tiff": "TIFF",
    "image/webp": "WebP",
    "image/bmp": "BMP",
    "image/gif": "GIF",
}
"""Media types that Recto reads, with the name people use."""


def sniff(head: bytes) -> str | None:
    """Media type of a document that starts with `head`; None where it is none of ACCEPTED."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "image/tiff"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00":
        return "image/bmp"
    if b"%PDF-" in head[:SNIFF_BYTES]:
        return "application/pdf"
    return None
