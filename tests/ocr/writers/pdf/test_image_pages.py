"""The searchable PDF of image files: what a picture becomes, and where its text lies."""

import io
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from numpy.typing import NDArray
from pikepdf import Name
from PIL import Image, ImageCms, TiffImagePlugin

from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits, load_page
from recto.ocr.images.png_chunks import split_pixels
from recto.ocr.page import Page
from recto.ocr.writers.pdf import image_data
from tests.drawing import LINES, draw_page, save_tiff
from tests.ocr.images.pngs import chunk
from tests.ocr.images.tiffs import grey_page, tiff
from tests.ocr.writers.pdf.samples import (
    line_of,
    page_of,
    pdfium_text,
    pdfium_word_centres,
    poppler_text,
    recognised,
    rendered,
    upright,
    written,
)

MEASURE = """
import resource, sys
from pathlib import Path
from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Document
from recto.ocr.writers.pdf.writer import write_pdf
document = Document(int(sys.argv[2]), (), "2026-03-01T12:00:00Z", "Recto")
with open(sys.argv[1] + ".pdf", "wb") as sink:
    write_pdf(document, [], DocumentFile(Path(sys.argv[1])), sink)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
LIMITS = Limits(5000, 200_000_000)
ORIENTATION = 274
PHOTOMETRIC = 262
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow has it


def picture() -> Image.Image:
    """60 x 40 pixels in colour, no two corners alike."""
    image = Image.new("RGB", (60, 40), (250, 240, 230))
    image.paste((200, 0, 0), (0, 0, 20, 10))
    image.paste((0, 160, 0), (40, 0, 60, 10))
    image.paste((0, 0, 220), (0, 30, 20, 40))
    return image


def read(path: Path, number: int = 1, dpi: float = 72) -> Page:
    """A page with one word, as large as it decodes."""
    height, width = load_page(DocumentFile(path), number, LIMITS).pixels.shape
    return page_of([line_of([("word", upright(2, 2, width - 2, height - 2))])], width, height, number=number, dpi=dpi)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A picture as a PDF holds it."""

    filter: str
    data: bytes
    bits: int
    colours: str


def image_of(pdf: bytes, number: int = 1) -> Embedded:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        image = opened.pages[number - 1].Resources.XObject.Picture
        name = image.Filter[0] if isinstance(image.Filter, pikepdf.Array) else image.Filter
        colours = image.get(Name.ColorSpace)
        family = colours[0] if isinstance(colours, pikepdf.Array) else colours
        return Embedded(str(name), image.read_raw_bytes(), int(image.get(Name.BitsPerComponent, 0)), str(family))


def shown(pdf: bytes, number: int = 1) -> NDArray[np.int16]:
    """The page at one pixel a point, in RGB."""
    return rendered(pdf)[number - 1][:, :, 2::-1].astype(np.int16)


def decoded(path: Path) -> NDArray[np.int16]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.int16)


def first_page(pdf: bytes) -> tuple[list[float], float]:
    """Its MediaBox and UserUnit."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        page = opened.pages[0]
        return [float(side) for side in page.mediabox], float(page.obj.get(Name.UserUnit, 1))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_is_embedded_as_it_is(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "photo.jpg"
    picture().convert(mode).save(path, quality=95)
    pdf = written([read(path)], path)
    assert image_of(pdf).filter == "/DCTDecode"
    assert image_of(pdf).data == path.read_bytes()
    # Inverted inks would be off by 150; PDFium and Pillow mix them a little differently.
    assert np.abs(shown(pdf) - decoded(path)).mean() < 20
    assert pdfium_text(pdf).strip() == "word"


def test_jpeg_that_readers_of_pdf_need_not_know_is_encoded_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.jpg"
    picture().save(path)
    monkeypatch.setattr(image_data, "is_rare_jpeg", lambda _path: True)  # nothing here writes a lossless one
    assert image_of(written([read(path)], path)).data != path.read_bytes()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_png_keeps_its_data_and_depth(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "scan.png"
    picture().convert(mode).save(path)
    pdf = written([read(path)], path)
    assert image_of(pdf).bits == (1 if mode == "1" else 8)
    data = path.read_bytes()
    assert image_of(pdf).data in data  # the IDAT chunk
    assert (shown(pdf) == decoded(path)).all()


def test_png_of_many_chunks_keeps_its_data(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    Image.fromarray(np.random.default_rng(4).integers(0, 256, (300, 400), np.uint8)).save(path)
    rest, pixels = split_pixels(path.read_bytes())
    assert len(path.read_bytes()) - len(pixels) > len(rest)  # there was more than one chunk of them
    assert image_of(written([read(path)], path)).data == pixels


def test_interlaced_png_is_encoded_anew(tmp_path: Path) -> None:
    """A PDF knows no interlacing. Each of the seven passes has the pixels from (x, y) on in steps of so many columns and rows."""
    grey = np.asarray(picture().convert("L"))
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = [row.tobytes() for x, y, right, down in passes for row in grey[y::down, x::right]]
    header = struct.pack(">IIBBBBB", 60, 40, 8, 0, 0, 0, 1)
    path = tmp_path / "scan.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
        + chunk(b"IEND", b"")
    )
    pdf = written([read(path)], path)
    assert image_of(pdf).data not in path.read_bytes()
    assert (shown(pdf) == decoded(path)).all()


def test_png_with_a_palette_and_a_profile_is_encoded_anew(tmp_path: Path) -> None:
    """A PDF has no profile for the colours of a palette."""
    path = tmp_path / "scan.png"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture().convert("P").save(path, icc_profile=profile)
    pdf = written([read(path)], path)
    assert (image_of(pdf).filter, image_of(pdf).colours) == ("/FlateDecode", "/ICCBased")
    assert (shown(pdf) == decoded(path)).all()


def test_group_4_tiff_is_embedded_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    picture().convert("1").save(path, compression="group4")
    pdf = written([read(path)], path)
    assert image_of(pdf).filter == "/CCITTFaxDecode"
    assert image_of(pdf).data in path.read_bytes()
    assert (shown(pdf) == np.asarray(picture().convert("1").convert("RGB"))).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
@pytest.mark.parametrize("with_profile", [False, True])
def test_jpeg_2000_is_embedded_as_it_is_whatever_its_depth_and_profile(
    tmp_path: Path, mode: str, with_profile: bool
) -> None:
    path = tmp_path / "scan.jp2"
    deep = Image.fromarray(np.asarray(picture().convert("L"), np.uint16) * np.uint16(257))
    (deep if mode == "I;16" else picture().convert(mode)).save(path)
    if with_profile:
        path.write_bytes(profiled(path.read_bytes()))
    pdf = written([read(path)], path)
    assert image_of(pdf).filter == "/JPXDecode"
    assert image_of(pdf).data == path.read_bytes()
    as_read = load_page(DocumentFile(path), 1, LIMITS).pixels.astype(np.int16)
    assert np.abs(shown(pdf) @ LUMA - as_read).max() < 2


def profiled(jp2: bytes) -> bytes:
    """With a colour profile in place of the name of a colour space (ISO/IEC 15444-1, I.5.3.3)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    box = struct.pack(">I4sBBB", 11 + len(profile), b"colr", 2, 0, 0) + profile
    header, colours = jp2.index(b"jp2h") - 4, jp2.index(b"colr") - 4
    (header_bytes,), (colours_bytes,) = struct.unpack_from(">I", jp2, header), struct.unpack_from(">I", jp2, colours)
    size = struct.pack(">I", header_bytes - colours_bytes + len(box))
    return jp2[:header] + size + jp2[header + 4 : colours] + box + jp2[colours + colours_bytes :]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_bare_codestream_of_jpeg_2000_is_embedded_as_a_file_of_its_format(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "scan.j2k"
    picture().convert(mode).save(path)
    pdf = written([read(path)], path)
    assert image_of(pdf).filter == "/JPXDecode"
    assert image_of(pdf).data.endswith(path.read_bytes())
    with Image.open(io.BytesIO(image_of(pdf).data)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG2000", mode, (60, 40))
    assert (shown(pdf) == decoded(path)).all()


def test_bare_codestream_of_other_colours_is_encoded_anew(tmp_path: Path) -> None:
    path = tmp_path / "scan.j2k"
    picture().convert("LA").save(path)
    assert image_of(written([read(path)], path)).filter == "/DCTDecode"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("picture.bmp", {}),
        ("picture.gif", {}),
        ("picture.ppm", {}),
        ("lzw.tif", {"compression": "tiff_lzw"}),
        ("lossless.webp", {"lossless": True}),
    ],
)
def test_other_lossless_pictures_lose_nothing(tmp_path: Path, name: str, parameters: dict[str, object]) -> None:
    path = tmp_path / name
    picture().save(path, **parameters)  # type: ignore[arg-type]
    pdf = written([read(path)], path)
    assert image_of(pdf).filter == "/FlateDecode"
    assert (shown(pdf) == decoded(path)).all()


@pytest.mark.parametrize("name", ["photo.webp", "photo.heic", "photo.avif", "jpeg.tif"])
def test_lossy_pictures_become_jpeg_and_stay_small(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(1).normal(128, 20, (200, 300, 3)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(noise).resize((600, 400), Image.Resampling.BICUBIC)
    if name.endswith("heic"):
        from pillow_heif import from_pillow

        from_pillow(image).save(path, quality=80)
    else:
        image.save(path, **({"compression": "jpeg"} if name.endswith("tif") else {"quality": 80}))
    pdf = written([read(path)], path)
    assert image_of(pdf).filter == "/DCTDecode"
    assert len(pdf) < 0.7 * noise.size
    assert np.abs(shown(pdf) - np.asarray(image, np.int16)).mean() < 12


def test_bilevel_pages_of_a_tiff_stay_bilevel_and_kinds_may_mix(tmp_path: Path) -> None:
    path = tmp_path / "mixed.tif"
    frames = [picture().convert("1"), picture().convert("L"), picture(), picture().convert("CMYK")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    pdf = written((read(path, number) for number in (1, 2, 3, 4)), path, 4)
    assert image_of(pdf).filter == "/CCITTFaxDecode"
    assert [image_of(pdf, number).bits for number in (1, 2, 3, 4)] == [1, 8, 8, 8]
    assert image_of(pdf, 4).colours == "/DeviceCMYK"
    for number, frame in enumerate(frames[:3], 1):
        assert (shown(pdf, number) == np.asarray(frame.convert("RGB"))).all()


@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (255, 0)])
def test_transparent_picture_lies_on_the_ground_on_which_it_was_read(tmp_path: Path, ink: int, ground: int) -> None:
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[10:20, 10:50] = (ink, ink, ink, 255)
    path = tmp_path / "clear.png"
    Image.fromarray(pixels).save(path)
    seen = shown(written([read(path)], path))
    assert (seen[0, 0] == ground).all()
    assert (seen[15, 30] == ink).all()


def test_deep_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    path = tmp_path / "deep.tif"
    Image.fromarray(np.linspace(0, 65_535, 2400).astype(np.uint16).reshape(40, 60)).save(path)
    seen = shown(written([read(path)], path))[:, :, 0]
    assert (seen.min(), seen.max()) == (0, 255)
    assert abs(int(seen[20, 0]) - 128) < 3


@pytest.mark.parametrize("clear", [(0, 0, 0, 0), (128, 128, 128, 0), (255, 255, 255, 0)])
def test_picture_in_which_all_is_clear_is_a_white_page(tmp_path: Path, clear: tuple[int, int, int, int]) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (60, 40), clear).save(path)
    assert (shown(written([read(path)], path)) == 255).all()


@pytest.mark.parametrize(("largest", "min_is_white"), [(65_535, False), (4095, False), (65_535, True)])
def test_tiff_of_sixteen_bits_keeps_them_and_looks_as_it_was_read(
    tmp_path: Path, largest: int, min_is_white: bool
) -> None:
    path = tmp_path / "deep.tif"
    values = np.linspace(0, largest, 2400).astype(np.uint16).reshape(40, 60)
    tags = {PHOTOMETRIC: 0} if min_is_white else {}
    Image.fromarray(values).save(path, tiffinfo=tags)
    with Image.open(path) as image:
        assert image.tag_v2[PHOTOMETRIC] == (0 if min_is_white else 1)  # type: ignore[attr-defined]
    pdf = written([read(path)], path)
    assert image_of(pdf).bits == 16
    as_read = load_page(DocumentFile(path), 1, LIMITS).pixels.astype(np.int16)
    assert np.abs(shown(pdf)[:, :, 0] - as_read).max() <= 1
    assert abs(int(as_read[20, 0]) - 128) < 3


def test_tiff_of_shades_with_a_sign_looks_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "signed.tif"
    shades = np.linspace(-128, 127, 2400).astype(np.int8).reshape(40, 60)
    path.write_bytes(tiff([grey_page(shades)]))
    seen = shown(written([read(path)], path))[:, :, 0]
    assert (seen == load_page(DocumentFile(path), 1, LIMITS).pixels).all()
    assert (seen[0, 0], seen[-1, -1]) == (0, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".png", ".webp"])
def test_page_stands_upright_and_its_text_on_its_words(tmp_path: Path, orientation: int, suffix: str) -> None:
    drawn = draw_page(LINES[:3])
    path = tmp_path / f"photo{suffix}"
    stored = Image.fromarray(drawn.pixels)
    # What turns it the other way than a viewer is to turn it.
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored.save(path, exif=exif)
    pixels = load_page(DocumentFile(path), 1, LIMITS).pixels
    assert pixels.shape == drawn.pixels.shape
    page = recognised(drawn, LINES[:3])
    pdf = written([page], path)
    height, width = pixels.shape
    seen = rendered(pdf, 300 / 72)[0][:height, :width, 0].astype(np.int16)
    assert np.abs(seen - pixels).mean() < 12
    words = [word.text for word in page.words]
    for (x, y), word in zip(pdfium_word_centres(pdf, words, (page.width_px, page.height_px)), page.words, strict=True):
        assert abs(x - (word.quad[0][0] + word.quad[1][0]) / 2) < 6
        assert word.quad[0][1] - 16 < y < word.quad[3][1] + 16
    assert poppler_text(pdf, tmp_path).split() == words


def test_orientation_that_is_none_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[ORIENTATION] = 17
    picture().save(path, exif=exif)
    assert shown(written([read(path)], path)).shape[:2] == (40, 60)


@pytest.mark.parametrize("dpi", [72.0, 300.0, 600.0])
def test_page_has_the_size_that_recognition_assumed(tmp_path: Path, dpi: float) -> None:
    path = tmp_path / "scan.png"
    picture().resize((600, 400)).save(path)
    box, _ = first_page(written([read(path, dpi=dpi)], path))
    assert box == pytest.approx([0, 0, 600 * 72 / dpi, 400 * 72 / dpi], abs=0.01)


def test_page_larger_than_a_pdf_allows_gets_larger_units(tmp_path: Path) -> None:
    path = tmp_path / "strip.png"
    Image.new("1", (30_000, 300), 1).save(path)
    box, unit = first_page(written([read(path, dpi=72)], path))
    assert box[2] == pytest.approx(14_400)
    assert unit == pytest.approx(30_000 / 14_400)


def test_strip_narrower_than_a_pdf_allows_is_a_page_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "strip.png"
    Image.new("L", (2, 20_000), 255).save(path)
    (_, _, width_pt, height_pt), unit = first_page(written([read(path)], path))
    assert height_pt == pytest.approx(14_400)
    assert width_pt == pytest.approx(1.44)
    assert unit * width_pt == pytest.approx(3)


def test_pages_that_were_not_read_are_there(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "scan.tif", [draw_page(LINES[:1]).pixels] * 3)
    pdf = written([recognised(draw_page(LINES[:1]), LINES[:1], number=2)], path, 3)
    assert [bool(pdfium_text(pdf, number).strip()) for number in (1, 2, 3)] == [False, True, False]
    first, second, third = rendered(pdf)
    assert (first == second).all()
    assert (first == third).all()


def test_page_that_cannot_be_decoded_is_empty_and_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    frames = [picture().resize((600, 400)) for _ in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], compression="tiff_deflate")
    data = bytearray(path.read_bytes())
    with TiffImagePlugin.TiffImageFile(path) as image:
        image.seek(1)
        offset = image.tag_v2[TiffImagePlugin.STRIPOFFSETS][0]
    data[offset : offset + 20] = b"\xff" * 20
    path.write_bytes(data)
    pdf = written([read(path, 1), read(path, 3)], path, 3)
    assert [pdfium_text(pdf, number).strip() for number in (1, 2, 3)] == ["word", "", "word"]
    assert rendered(pdf)[1].min() == 255


def test_memory_does_not_grow_with_the_pages(tmp_path: Path) -> None:
    noise = (np.random.default_rng(1).random((1500, 1100)) < 0.5).astype(np.uint8) * 255
    frame = Image.fromarray(noise).convert("1")  # 200 kB that do not compress
    peaks = []
    for count in (3, 33):
        path = tmp_path / f"{count}.tif"
        frame.save(path, save_all=True, append_images=[frame] * (count - 1), compression="group4")
        peaks.append(int(subprocess.check_output([sys.executable, "-c", MEASURE, path, str(count)])))
    assert peaks[1] - peaks[0] < 4_000  # kB


def test_equal_pictures_give_equal_bytes_and_say_where_they_come_from(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    picture().save(path)
    one, other = (written([read(path)], path) for _ in range(2))
    assert one == other
    with pikepdf.open(io.BytesIO(one)) as pdf:
        assert str(pdf.docinfo.Producer) == "Recto 1.2.3"
        assert str(pdf.docinfo.CreationDate).startswith("D:20260301120000")
        with pdf.open_metadata() as metadata:
            assert metadata["xmp:CreatorTool"] == "Recto 1.2.3"


def test_colour_profile_stays(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "photo.webp"
    picture().save(path, icc_profile=profile)
    assert image_of(written([read(path)], path)).colours == "/ICCBased"
