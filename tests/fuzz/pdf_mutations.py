"""Damage in the structure of a PDF (ISO 32000-1): each well formed to a parser, and a lie to whoever believes it."""

import io
import re
import zlib
from collections.abc import Callable
from random import Random
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name

Change = Callable[[pikepdf.Pdf, Random], None]

_HUGE: Final = (0, -1, 1, 7, 255, 65_536, 100_000, 2**31 - 1, -(2**31), 10**12)
_BOX: Final = (0, 1, -1, 0.0001, 200, 14_400, 32_768, 1_000_000, 10**9, -(10**9))
_BOMB_BYTES: Final = 30_000_000


def lie_about_length(content: bytes, random: Random) -> bytes:
    """Streams that say to be longer or shorter than they are."""
    lie = random.choice((0, 1, 3, 10**6, 2**31, -5))
    places = list(re.finditer(rb"/Length \d+", content))
    chosen = random.choice(places) if places else None
    if chosen is None:
        return content
    return content[: chosen.start()] + b"/Length %d" % lie + content[chosen.end() :]


def lose_xref(content: bytes, random: Random) -> bytes:
    """Without its cross-reference table or the way to it, or with offsets that are wrong."""
    start = content.rfind(b"xref\n")
    match random.randrange(4):
        case 0:
            return re.sub(rb"startxref\s+\d+", b"", content)
        case 1:
            return re.sub(rb"startxref\s+\d+", b"startxref\n%d" % random.choice((0, 9, 10**10, len(content))), content)
        case 2 if start >= 0:
            return content[:start] + content[start:].replace(b"0000", b"0009")
        case _:
            return re.sub(rb"(?s)xref.*trailer", b"trailer", content)


def damage_objects_text(content: bytes, random: Random) -> bytes:
    """Tokens between streams are swapped for others: references to other objects, numbers, names."""
    tokens = list(re.finditer(rb"\d+ 0 R|/\w+|-?\d+\.?\d*", content))
    for token in sorted(random.sample(tokens, min(len(tokens), 3)), key=lambda one: -one.start()):
        other = random.choice([b"1 0 R", b"3 0 R", b"null", b"-1", b"9" * 12, b"/Pages", b"[", b"<<", b"("])
        content = content[: token.start()] + other + content[token.end() :]
    return content


def changed(change: Change) -> Callable[[bytes, Random], bytes]:
    """A mutation of files made of a change to the open document. What cannot be opened stays as it is."""

    def mutate(content: bytes, random: Random) -> bytes:
        try:
            with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
                change(pdf, random)
                sink = io.BytesIO()
                pdf.save(sink, deterministic_id=True, compress_streams=False, fix_metadata_version=False)
                return sink.getvalue()
        except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, TypeError, KeyError, AttributeError, RuntimeError):
            return content

    return mutate


def make_page_tree_cyclic(pdf: pikepdf.Pdf, random: Random) -> None:
    """A page tree that holds itself, or is thousands of levels deep, or counts wrong."""
    root = pdf.Root.Pages
    match random.randrange(3):
        case 0:
            root.Kids.append(root)
        case 1:
            for _ in range(random.choice((10, 500, 5000))):
                root = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=Array([root]), Count=1))
            pdf.Root.Pages = root
        case _:
            root.Count = random.choice(_HUGE)


def make_boxes_huge(pdf: pikepdf.Pdf, random: Random) -> None:
    """Page sizes that are none."""
    page = random.choice(list(pdf.pages)).obj
    page[random.choice(("/MediaBox", "/CropBox", "/MediaBox"))] = Array([random.choice(_BOX) for _ in range(4)])
    if random.random() < 0.3:
        page.UserUnit = random.choice((0, -1, 0.001, 1000, 10**9))
    if random.random() < 0.3:
        page.Rotate = random.choice((45, -90, 90, 10**9))


def nest_streams(pdf: pikepdf.Pdf, random: Random) -> None:
    """Content packed many times over, of a size that nobody expects, or forms that draw each other."""
    page = random.choice(list(pdf.pages)).obj
    match random.randrange(3):
        case 0:
            times = random.choice((2, 20, 100))
            packed = b"q Q " * 100
            for _ in range(times):
                packed = zlib.compress(packed)
            page.Contents = pdf.make_stream(packed)
            page.Contents.Filter = Array([Name.FlateDecode] * times)
        case 1:
            unit = random.choice((b" ", b"q ", b"0 0 m 9 9 l S ", b"BT ", b"[ ", b"/Im1 Do "))
            page.Contents = pdf.make_stream(
                zlib.compress(unit * (_BOMB_BYTES // len(unit) // random.choice((1, 10, 100))))
            )
            page.Contents.Filter = Name.FlateDecode
        case _:
            _draw_forms_in_forms(pdf, page, random)


def spoil_colour_spaces(pdf: pikepdf.Pdf, random: Random) -> None:
    """Colour spaces that lack, miscount or contain themselves."""
    picture = _some_stream(pdf, random, "/Image")
    junk = pdf.make_stream(bytes(random.randrange(256) for _ in range(200)))
    junk.N = random.choice((0, 1, 3, 4, 5, 10**6))
    loop = pdf.make_indirect(Array([Name.Indexed, Name.DeviceRGB, 255, b"x"]))
    loop[1] = loop
    spaces: list[Any] = [
        Array([Name.ICCBased, junk]),
        Array([Name.Indexed, Name.DeviceRGB, random.choice(_HUGE), b"\x00\x01"]),
        Array([Name.Indexed, Array([Name.ICCBased, junk]), 3, junk]),
        Array([Name.Separation, Name.Spot, Name.DeviceCMYK, Dictionary(FunctionType=random.choice((0, 2, 3, 4)))]),
        Array([Name.DeviceN, Array([Name.Spot] * random.choice((0, 1, 100))), Name.DeviceRGB, junk]),
        Array([Name.Lab]),
        Array([Name.Pattern, Name.Pattern]),
        Array([]),
        loop,
        Name.NoSuchSpace,
    ]
    picture.ColorSpace = random.choice(spaces)


def lie_about_pictures(pdf: pikepdf.Pdf, random: Random) -> None:
    """Pictures of other sizes, depths and codings than their data have."""
    picture = _some_stream(pdf, random, "/Image")
    lies: dict[str, Any] = {
        "/Width": random.choice(_HUGE),
        "/Height": random.choice(_HUGE),
        "/BitsPerComponent": random.choice((0, 1, 2, 3, 8, 16, 32)),
        "/Filter": Name(
            random.choice(("/JBIG2Decode", "/JPXDecode", "/CCITTFaxDecode", "/LZWDecode", "/RunLengthDecode"))
        ),
        "/DecodeParms": Dictionary(
            Predictor=random.choice((1, 2, 15, 99)),
            Columns=random.choice(_HUGE),
            Colors=random.choice((0, 4, 10**6)),
            K=-1,
        ),
        "/Decode": Array([random.choice(_BOX) for _ in range(random.choice((1, 2, 8)))]),
        "/SMask": picture,
        "/Mask": Array([random.choice(_HUGE) for _ in range(3)]),
        "/ImageMask": True,
    }
    for key in random.sample(sorted(lies), random.randrange(1, 4)):
        picture[key] = lies[key]


def spoil_content(pdf: pikepdf.Pdf, random: Random) -> None:
    """Drawing commands out of order, with operands that are none."""
    page = random.choice(list(pdf.pages)).obj
    words = [
        b"q",
        b"Q",
        b"cm",
        b"Do",
        b"/Im1",
        b"/F1",
        b"BT",
        b"ET",
        b"Tj",
        b"(a)",
        b"[",
        b"]",
        b"W",
        b"n",
        b"re",
        b"f",
        b"sh",
    ]
    words += [
        b"BI",
        b"ID",
        b"EI",
        b"<<",
        b">>",
        b"Tf",
        b"Tm",
        b"gs",
        b"scn",
        b"1e99",
        b"-999999999999",
        b"0",
        b"1",
        b"100",
        b"Tz",
    ]
    page.Contents = pdf.make_stream(b" ".join(random.choice(words) for _ in range(random.choice((10, 300, 5000)))))


def spoil_fonts(pdf: pikepdf.Pdf, random: Random) -> None:
    """Fonts whose encodings, widths and programs are lies."""
    junk = pdf.make_stream(bytes(random.randrange(256) for _ in range(500)))
    cmap = pdf.make_stream(
        b"begincmap 1 beginbfrange <00> <ffffffff> <0041> endbfrange 9 beginbfchar <41> <d800> endbfchar endcmap"
    )
    descriptor = Dictionary(Type=Name.FontDescriptor, FontName=Name.Helvetica, Flags=random.choice(_HUGE))
    descriptor[random.choice(("/FontFile", "/FontFile2", "/FontFile3"))] = junk
    faces = [
        Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.Helvetica, FontDescriptor=descriptor),
        Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, ToUnicode=random.choice((cmap, junk))),
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            Encoding=random.choice((junk, cmap, Name("/Identity-H"))),
            DescendantFonts=Array(),
        ),
        Dictionary(
            Type=Name.Font, Subtype=Name.Type3, CharProcs=Dictionary(A=junk), FontMatrix=Array([0, 0, 0, 0, 0, 0])
        ),
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type1,
            BaseFont=Name.Helvetica,
            FirstChar=random.choice(_HUGE),
            Widths=Array([10**9]),
        ),
    ]
    face = random.choice(faces)
    page = random.choice(list(pdf.pages)).obj
    page.Resources = Dictionary(Font=Dictionary(F1=pdf.make_indirect(face)))
    page.Contents = pdf.make_stream(b"BT /F1 11 Tf 8 20 Td (Bread and salt) Tj <004100420043> Tj ET")


def swap_objects(pdf: pikepdf.Pdf, random: Random) -> None:
    """Values of some objects stand in others: circles and wrong types wherever a reader looks."""
    objects = _objects(pdf)
    holders = [one for one in objects if one._type_code in (pikepdf.ObjectType.dictionary, pikepdf.ObjectType.stream)]
    for _ in range(random.randrange(1, 4)):
        holder = random.choice(holders)
        keys = sorted(key for key in holder.keys() if key != "/Length")  # noqa: SIM118 - no dict
        if keys:
            holder[random.choice(keys)] = random.choice([*objects, *_HUGE, Name.Nothing, Array(), Dictionary()])


def _draw_forms_in_forms(pdf: pikepdf.Pdf, page: pikepdf.Object, random: Random) -> None:
    """Each form draws the next twice; the last one the first, or nothing."""
    forms = []
    for _ in range(random.choice((1, 8, 16))):
        forms.append(pdf.make_stream(b"/Fx Do /Fx Do"))
        forms[-1].Type, forms[-1].Subtype, forms[-1].BBox = Name.XObject, Name.Form, Array([0, 0, 100, 100])
    is_circle = random.random() < 0.5
    for one, following in zip(forms, [*forms[1:], forms[0]], strict=True):
        if is_circle or one is not forms[-1]:
            one.Resources = Dictionary(XObject=Dictionary(Fx=following))
    page.Resources = Dictionary(XObject=Dictionary(Fx=forms[0]))
    page.Contents = pdf.make_stream(b"/Fx Do")


def _some_stream(pdf: pikepdf.Pdf, random: Random, subtype: str) -> pikepdf.Object:
    """KeyError where the document has none of that subtype."""
    streams = (one for one in _objects(pdf) if one._type_code == pikepdf.ObjectType.stream)
    found = [one for one in streams if str(one.get("/Subtype")) == subtype]
    if not found:
        raise KeyError(subtype)
    return random.choice(found)


def _objects(pdf: pikepdf.Pdf) -> list[pikepdf.Object]:
    """Without the numbers and truth values among them, which pikepdf gives as Python's."""
    every: list[Any] = list(pdf.objects)
    return [one for one in every if isinstance(one, pikepdf.Object)]
