"""JPEG 2000 as a PDF holds it: with all that it says of itself, its depth, its colours and their profile.

img2pdf takes only 8 bits and no profiles; what it does not take would be encoded anew, and with loss.
"""

import io
import struct
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name, StreamDecodeLevel

_CODESTREAM: Final = b"\xff\x4f\xff\x51"
_SIGNATURE: Final = b"\x0d\x0a\x87\x0a"
_FILE_TYPE: Final = b"jp2 \x00\x00\x00\x00jp2 "
_COLOURS: Final = {1: 17, 3: 16}
"""Grey and sRGB by the number of components (ISO/IEC 15444-1, table I.10)."""


def as_pdf(jpeg_2000: bytes, size_px: tuple[int, int]) -> bytes:
    """A PDF of one page whose resources have the picture; the image's dictionary leaves depth and colours to its data (ISO 32000-1, 7.4.9)."""
    file = io.BytesIO()
    with pikepdf.new() as pdf:
        picture = pdf.make_stream(_in_boxes(jpeg_2000), Type=Name.XObject, Subtype=Name.Image, Filter=Name.JPXDecode)
        picture.Width, picture.Height = size_px
        pdf.add_blank_page().obj.Resources = Dictionary(XObject=Dictionary(Picture=picture))
        pdf.save(file, stream_decode_level=StreamDecodeLevel.none)
    return file.getvalue()


def _in_boxes(data: bytes) -> bytes:
    """A bare codestream in the boxes of the file format (ISO/IEC 15444-1, annex I), without which readers complain; a file as it is.

    ValueError where its components are no colours that can be named.
    """
    if not data.startswith(_CODESTREAM):
        return data
    right, bottom, left, top = struct.unpack_from(">4I", data, 8)  # the SIZ marker: annex A.5.1
    (components,) = struct.unpack_from(">H", data, 40)
    depths = set(data[42 : 42 + 3 * components : 3])
    if components not in _COLOURS or len(depths) != 1:
        raise ValueError("The components are neither grey nor red, green and blue of one depth.")
    header = struct.pack(">IIHBBBB", bottom - top, right - left, components, depths.pop(), 7, 0, 0)
    colours = struct.pack(">BBBI", 1, 0, 0, _COLOURS[components])
    head = _box(b"jp2h", _box(b"ihdr", header) + _box(b"colr", colours))
    return _box(b"jP  ", _SIGNATURE) + _box(b"ftyp", _FILE_TYPE) + head + _box(b"jp2c", data)


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content
