"""What kind of document some bytes are, by their first bytes alone. Imports no OpenCV, so the Backend may use it."""

import codecs
import re
from pathlib import Path
from typing import Final

SNIFF_BYTES: Final = 1040
"""How many leading bytes `sniff` wants to see. PDF readers accept up to 1,024 bytes before the header (ISO 32000-1, annex H.3.4.1)."""

ACCEPTED: Final[dict[str, str]] = {
    "application/pdf": "PDF",
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/tiff": "TIFF",
    "image/heic": "HEIC",
    "image/heif": "HEIF",
    "image/avif": "AVIF",
    "image/webp": "WebP",
    "image/jp2": "JPEG 2000",
    "image/j2c": "J2K",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/x-portable-anymap": "PNM",
}
"""Media types that Recto reads, with the name people use. J2K is the bare codestream of JPEG 2000; PNM stands for PBM, PGM, PPM and grey PFM."""

OF_MANY_PAGES: Final = frozenset({"application/pdf", "image/tiff"})
"""What may have more than one page. Of all the others a document is one."""

FILE_NAME_ENDINGS: Final = (
    *(".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".heic", ".heif", ".avif", ".webp", ".jp2", ".j2k"),
    *(".bmp", ".dib", ".gif", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm"),
)
"""How such files are usually called: file dialogs know many of the media types above by no other means."""

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/j2c"),
)

_AVIF_BRANDS: Final = (b"avif", b"avis")
_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_HEIF_BRANDS: Final = (b"mif1", b"msf1")
"""Brands of ISO/IEC 23008-12 (annex B) and of the AV1 image format: the last name a container that any of the codings may fill."""

_DIB_HEADER_BYTES: Final = (12, 40, 52, 56, 64, 108, 124)
"""BITMAPCOREHEADER, BITMAPINFOHEADER and their successors: each header begins with its own length."""

# A magic number alone is two letters that a text may begin with. So the numbers behind it have to be there, then plain formats go on
# as numbers to the end of what is seen, and raw ones end their header's line, as all writers do.
_GAP: Final = rb"(?:\s|#[^\r\n]*[\r\n])+"
_PNM: Final = re.compile(
    rb"P1" + _GAP + rb"\d{1,6}" + _GAP + rb"\d{1,6}" + _GAP + rb"(?:[01\s]|#[^\r\n]*)*\Z"
    rb"|P[23](?:" + _GAP + rb"\d{1,6}){3}" + _GAP + rb"(?:[\d\s]|#[^\r\n]*)*\Z"
    rb"|P4(?:" + _GAP + rb"\d{1,6}){2}[ \t\r]*\n"
    rb"|P[56](?:" + _GAP + rb"\d{1,6}){3}[ \t\r]*\n"
    rb"|Pf(?:" + _GAP + rb"\d{1,6}){2}" + _GAP + rb"-?\d[\d.eE+-]*\s"
)  # fmt: skip

_FOREIGN: Final = (
    (rb"PK\x03\x04|PK\x05\x06", "an office document, an e-book or a ZIP archive", "Save or print it as PDF, or unpack it"),
    (rb"\xd0\xcf\x11\xe0", "an office document of an old kind", "Open it in an office program and save it as PDF"),
    (rb"\{\\rtf", "an office document (RTF)", "Open it in an office program and save it as PDF"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript", "Convert it to PDF"),
    (rb"AT&TFORM", "DjVu", "Convert it to PDF"),
    (rb"8BPS", "a Photoshop file", "Export it as PDF or TIFF"),
    (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "JPEG XL", "Convert it to PNG or JPEG"),
    (rb"P[7F]\s", "PAM or colour PFM", "Convert it to PPM or PNG"),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>)?(?:\s|<!--.*?-->|<!DOCTYPE svg[^>]*>)*<svg\b", "a drawing (SVG)", "Export it as PDF or PNG"),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", "a web page (HTML)", "Print it to PDF"),
    (rb"(?:\xef\xbb\xbf)?\s*<\?xml\b", "XML", "Export what it describes as PDF"),
)  # fmt: skip
"""How files begin that people send and Recto does not read: a pattern, what they are, what to do."""


def sniff(head: bytes) -> str | None:
    """Media type of a document that starts with `head`; None where it is none of ACCEPTED."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _by_brands(head)
    if _is_bitmap(head):
        return "image/bmp"
    if _PNM.match(head[:SNIFF_BYTES]):
        return "image/x-portable-anymap"
    if b"%PDF-" in head[:SNIFF_BYTES]:
        return "application/pdf"
    return None


def sniff_file(path: Path) -> str | None:
    """Media type of a file; None where it is none of ACCEPTED. Raises OSError."""
    with path.open("rb") as file:
        return sniff(file.read(SNIFF_BYTES))


def kind(media_type: str) -> str:
    """The name that people use; the media type itself where it is none of ACCEPTED."""
    return ACCEPTED.get(media_type, media_type)


def why_unsupported(head: bytes) -> str:
    """What to tell the sender of a file that starts with `head` and that `sniff` knows nothing of: what it is and what to do."""
    reads = f"Recto reads {', '.join(ACCEPTED.values())}"
    for pattern, kind, step in _FOREIGN:
        if re.match(pattern, head, re.IGNORECASE | re.DOTALL):
            return f"The file is {kind}, which Recto does not read. {step}, and send that. {reads}."
    if _is_text(head):
        return f"The file is text already: there is nothing to recognise in it. {reads}."
    return f"The file is none of the documents that Recto reads. Convert it to one of these: {', '.join(ACCEPTED.values())}."


def _by_brands(head: bytes) -> str | None:
    """The type of an ISO media file by the brands in its `ftyp` box. A container's brand leaves the coding to the others."""
    major, box_bytes = head[8:12], int.from_bytes(head[:4], "big")
    compatible = {head[at : at + 4] for at in range(16, min(box_bytes, len(head)), 4)}
    if major in _AVIF_BRANDS or (major in _HEIF_BRANDS and compatible & {*_AVIF_BRANDS}):
        return "image/avif"
    if major in _HEIC_BRANDS:
        return "image/heic"
    return "image/heif" if major in _HEIF_BRANDS else None


def _is_bitmap(head: bytes) -> bool:
    """Whether a Windows or OS/2 bitmap begins, with or without its file header. One plane is all that ever was."""
    header = head[14:] if head.startswith(b"BM") else head
    header_bytes = int.from_bytes(header[:4], "little")
    planes_at = 8 if header_bytes == 12 else 12
    planes, depth = (int.from_bytes(header[at : at + 2], "little") for at in (planes_at, planes_at + 2))
    return header_bytes in _DIB_HEADER_BYTES and planes == 1 and depth in (1, 2, 4, 8, 16, 24, 32)


def _is_text(head: bytes) -> bool:
    """Whether `head` is UTF-8; where the file may go on, its last letter may be cut in two."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < SNIFF_BYTES)
    except UnicodeDecodeError:
        return False
    return b"\x00" not in head
