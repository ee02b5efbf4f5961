"""PDF files that are small as files and large as anything else, drawn in code."""

import zlib
from collections.abc import Sequence

from tests.bombs.pictures import inflating


def pdf(objects: Sequence[bytes]) -> bytes:
    """A file of these objects, numbered from 1; the first is the catalogue."""
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(body) + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object's content."""
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def one_page(content: bytes, resources: bytes = b"", box: bytes = b"0 0 612 792", *others: bytes) -> bytes:
    """A page (object 3) that draws `content`, a stream object (4); `others` follow from 5 on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<<%s>>>>" % (box, resources)
    return pdf([_CATALOGUE, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, content, *others])


_CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>"


def million_pages() -> bytes:
    """Six levels of ten kids each, all the same objects."""
    levels = [
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"%d 0 R " % (level + 3) * 10, 10 ** (6 - level)) for level in range(6)
    ]
    return pdf([_CATALOGUE, *levels, _PAGE])


def deep_page_tree(levels: int) -> bytes:
    """Each level has one kid."""
    tree = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (level + 3) for level in range(levels)]
    return pdf([_CATALOGUE, *tree, _PAGE])


def page_tree_in_a_circle() -> bytes:
    """The kid of the root is the root."""
    return pdf([_CATALOGUE, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000>>"])


def nested_streams(megabytes: int) -> bytes:
    """A page's content, deflated three times: what a kilobyte becomes is that large."""
    packed = zlib.compress(zlib.compress(inflating(megabytes), 9), 9)
    return one_page(stream(packed, b"/Filter[/FlateDecode/FlateDecode/FlateDecode]"))


def forms_that_draw_forms(levels: int) -> bytes:
    """Ten times the next one, at each level."""
    forms = [
        stream(
            b"/F Do " * 10, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F %d 0 R>>>>" % (6 + level)
        )
        for level in range(levels)
    ]
    last = stream(b"0 0 1 1 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]")
    return one_page(stream(b"/F Do"), b"/XObject<</F 5 0 R>>", b"0 0 612 792", *forms, last)


def large_picture(side_px: int) -> bytes:
    """A grey picture of that size fills the page."""
    picture = stream(
        inflating(side_px * side_px // 1_048_576 + 1),
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"
        % (side_px, side_px),
    )
    return one_page(stream(b"612 0 0 792 0 0 cm /I Do"), b"/XObject<</I 5 0 R>>", b"0 0 612 792", picture)


def large_page() -> bytes:
    """Of 14,400 units of 75 pt each: 380 m."""
    return one_page(stream(b"0 0 9 9 re f"), b"", b"0 0 14400 14400]/UserUnit 75/X[0")


def deep_objects(levels: int) -> bytes:
    """Arrays in arrays, among the page's resources."""
    return one_page(stream(b"0 0 9 9 re f"), b"/X " + b"[" * levels + b"]" * levels)


def many_operators(count: int) -> bytes:
    """A page that draws so many rectangles."""
    return one_page(stream(zlib.compress(b"0 0 612 792 re f\n" * count, 9), b"/Filter/FlateDecode"))
