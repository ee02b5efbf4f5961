import io
import struct
from pathlib import Path
from typing import Literal

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recto.errors import (
    DocumentDamaged,
    DocumentTooLarge,
    DocumentUnsupported,
    PageDamaged,
    PageNotInDocument,
    PageUnsupported,
)
from recto.ocr.images.image_files import (
    decode_page,
    load_quietly,
    open_frame,
    orientation_of,
    pages_px,
    turned_upright,
)
from tests.drawing import blank_page, draw_page, save_tiff
from tests.ocr.images.tiffs import RATIONAL, SHORT, TiffPage, directory_offsets, grey_page, tags_of, tiff

pillow_heif.register_heif_opener()

PAGE = draw_page().pixels[:300, :500]
MAX_PX = 10_000_000
ROTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture is stored so that the orientation turns it back."""


def off(path: Path, page: np.typing.NDArray[np.uint8] = PAGE, number: int = 1) -> float:
    """Mean difference between the page in a file and the drawn one, in shades."""
    pixels = decode_page(path, number, MAX_PX).pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape == page.shape
    return float(np.abs(pixels.astype(int) - page).mean())


def stored(orientation: int) -> Image.Image:
    upright = Image.fromarray(PAGE)
    return upright.transpose(ROTATIONS[orientation]) if orientation in ROTATIONS else upright


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def written(folder: Path, name: str, content: bytes | bytearray) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("suffix", ["png", "bmp", "dib", "gif", "pgm", "tif", "jp2", "j2k"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_decode_of_a_lossless_format_is_the_page(tmp_path: Path, suffix: str, mode: str) -> None:
    Image.fromarray(PAGE).convert(mode).save(tmp_path / f"page.{suffix}")
    assert off(tmp_path / f"page.{suffix}") < 0.5


@pytest.mark.parametrize("suffix", ["jpg", "webp", "heic", "avif"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_decode_of_a_lossy_format_is_nearly_the_page(tmp_path: Path, suffix: str, mode: str) -> None:
    Image.fromarray(PAGE).convert(mode).save(tmp_path / f"page.{suffix}", quality=90)
    assert off(tmp_path / f"page.{suffix}") < 3


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "jp2", "heic", "avif"])
def test_decode_of_black_ink_on_a_clear_ground_is_the_page(tmp_path: Path, suffix: str) -> None:
    ink = Image.fromarray(np.dstack([np.zeros_like(PAGE)] * 3 + [255 - PAGE]))
    ink.save(tmp_path / f"page.{suffix}", quality=95)
    assert off(tmp_path / f"page.{suffix}") < 3


@pytest.mark.parametrize("suffix", ["jp2", "j2k", "png", "pgm", "tif"])
def test_decode_of_sixteen_bits_is_the_page(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(PAGE.astype(np.uint16) * 257).save(tmp_path / f"page.{suffix}")
    assert off(tmp_path / f"page.{suffix}") < 1


@pytest.mark.parametrize("max_value", [1, 100, 255, 4095, 65_535])
@pytest.mark.parametrize("plain", [False, True])
def test_decode_of_a_graymap_of_any_depth_is_the_page(tmp_path: Path, plain: bool, max_value: int) -> None:
    values = np.rint(PAGE / 255 * max_value).astype(">u2" if max_value > 255 else "u1")
    body = " ".join(map(str, values.ravel())).encode() if plain else values.tobytes()
    header = b"P%d\n# drawn\n500 300\n%d\n" % (2 if plain else 5, max_value)
    expected = np.rint(values / max_value * 255).astype(np.uint8)
    assert off(written(tmp_path, "page.pgm", header + body), expected) < 1


@pytest.mark.parametrize("plain", [False, True])
def test_decode_of_a_bitmap_of_netpbm_has_ones_black(tmp_path: Path, plain: bool) -> None:
    ones = (PAGE < 128).astype(np.uint8)
    body = b"".join(b"%d" % one for one in ones.ravel()) if plain else np.packbits(ones, axis=1).tobytes()
    path = written(tmp_path, "page.pbm", b"P%d\n500 300\n" % (1 if plain else 4) + body)
    assert off(path, np.where(ones, 0, 255).astype(np.uint8)) == 0


def test_decode_of_a_floating_point_map_is_the_page(tmp_path: Path) -> None:
    body = (PAGE[::-1] / 255).astype("<f4").tobytes()
    assert off(written(tmp_path, "page.pfm", b"Pf\n500 300\n-1.0\n" + body)) < 1


@pytest.mark.parametrize("downwards", [False, True])
def test_decode_of_a_windows_bitmap_of_either_direction_is_the_page(tmp_path: Path, downwards: bool) -> None:
    rows = PAGE if downwards else PAGE[::-1]
    header = struct.pack("<LllHHLLllLL", 40, 500, -300 if downwards else 300, 1, 24, 0, 0, 11_811, 11_811, 0, 0)
    body = np.repeat(rows[..., None], 3, axis=2).tobytes()
    path = written(tmp_path, "page.bmp", b"BM" + struct.pack("<LHHL", 54 + len(body), 7, 7, 54) + header + body)
    assert off(path) == 0
    assert decode_page(path, 1, MAX_PX).dpi is None  # 42 mm are no page


def test_decode_of_an_os2_bitmap_is_the_page(tmp_path: Path) -> None:
    body = np.repeat(PAGE[::-1, :, None], 3, axis=2).tobytes()
    header = struct.pack("<LHHHH", 12, 500, 300, 1, 24)
    path = written(tmp_path, "page.bmp", b"BM" + struct.pack("<LHHL", 26 + len(body), 0, 0, 26) + header + body)
    assert off(path) == 0


@pytest.mark.parametrize("says_adobe", [True, False])
def test_decode_of_a_cmyk_jpeg_is_the_page_whoever_wrote_it(tmp_path: Path, says_adobe: bool) -> None:
    """Pillow writes as Adobe does, ink inverted, and says so in a marker; other programs do neither."""
    page = PAGE if says_adobe else 255 - PAGE
    none = np.zeros_like(page) if says_adobe else np.full_like(page, 255)
    file = io.BytesIO()
    image = Image.merge("CMYK", [Image.fromarray(band) for band in (none, none, none, 255 - page)])
    image.save(file, format="JPEG", quality=95)
    content = file.getvalue()
    if not says_adobe:
        at = content.index(b"\xff\xee")
        content = content[:at] + content[at + 2 + struct.unpack_from(">H", content, at + 2)[0] :]
    assert off(written(tmp_path, "page.jpg", content)) < 2


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "avif"])
def test_decode_of_an_animation_is_its_first_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"
    others = [Image.fromarray(blank_page(500, 300) - shade) for shade in (50, 100)]
    Image.fromarray(PAGE).save(path, save_all=True, append_images=others, quality=95)
    assert len(pages_px(path, 10, MAX_PX, MAX_PX)) == 1
    assert off(path) < 3


def test_decode_of_a_multi_picture_jpeg_is_its_first_picture(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(PAGE).save(path, "MPO", save_all=True, append_images=[Image.fromarray(blank_page(100, 50))])
    assert len(pages_px(path, 10, MAX_PX, MAX_PX)) == 1
    assert off(path) < 3


def test_decode_of_a_heic_with_several_pictures_is_the_one_it_names(tmp_path: Path) -> None:
    path = tmp_path / "burst.heic"
    blank = Image.fromarray(blank_page(500, 300)).convert("RGB")
    blank.save(path, save_all=True, append_images=[Image.fromarray(PAGE).convert("RGB")], primary_index=1, quality=90)
    assert len(pages_px(path, 10, MAX_PX, MAX_PX)) == 1
    assert off(path) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "avif", "heic"])
def test_decode_with_an_exif_orientation_is_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"page.{suffix}"
    stored(orientation).convert("RGB").save(path, exif=exif_of(orientation), quality=90)
    assert off(path) < 3
    if suffix == "tif":
        assert len(pages_px(path, 1, MAX_PX, MAX_PX)) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_decode_of_a_heic_that_turns_itself_is_turned_once(tmp_path: Path, orientation: int) -> None:
    image = stored(orientation).convert("RGB")
    image.save(tmp_path / "page.heic", exif=exif_of(orientation).tobytes(), quality=90)  # writes irot and imir as well
    content = (tmp_path / "page.heic").read_bytes()
    assert orientation == 1 or b"irot" in content or b"imir" in content
    assert off(tmp_path / "page.heic") < 3
    with open_frame(tmp_path / "page.heic", 1) as opened:
        assert opened.size == (500, 300)
        assert orientation_of(opened) == 1


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_decode_with_an_invalid_orientation_takes_the_page_as_it_is(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    path = tmp_path / f"page.{suffix}"
    Image.fromarray(PAGE).save(path, exif=exif_of(orientation), quality=95)
    assert off(path) < 3
    with open_frame(path, 1) as image:
        assert orientation_of(image) == 1


@pytest.mark.parametrize("value", [b"left", b"6\0\0\0", b"\0\0\0\0"])
def test_decode_with_an_orientation_in_letters_takes_the_page_as_it_is(tmp_path: Path, value: bytes) -> None:
    exif = b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHL", 0x0112, 2, 4) + value + bytes(4)
    Image.fromarray(PAGE).save(tmp_path / "page.png", exif=exif)
    assert off(tmp_path / "page.png") == 0


@pytest.mark.parametrize("exif", [b"", b"MM\x00*\xff\xff\xff\xff", b"II*\x00\x08\x00\x00\x00\xff\xff", b"nonsense"])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_decode_with_broken_exif_takes_the_page_as_it_is(tmp_path: Path, suffix: str, exif: bytes) -> None:
    Image.fromarray(PAGE).save(tmp_path / f"page.{suffix}", exif=b"Exif\x00\x00" + exif, quality=95)
    assert off(tmp_path / f"page.{suffix}") < 3


@given(st.integers(1, 8), st.integers(1, 9), st.integers(1, 9))
def test_turning_upright_keeps_every_pixel(orientation: int, width: int, height: int) -> None:
    pixels = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    turned = turned_upright(pixels, orientation)
    assert turned.flags.c_contiguous
    assert sorted(turned.ravel()) == sorted(pixels.ravel())
    assert turned.shape == (pixels.shape if orientation < 5 else pixels.shape[::-1])


@pytest.mark.parametrize("dpi", [(1, 1), (72, 72), (96, 96), (2400, 2400), (300, 150), (1200, 1200)])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_decode_with_an_absurd_resolution_trusts_none(tmp_path: Path, suffix: str, dpi: tuple[int, int]) -> None:
    Image.new("L", (1700, 2200), 255).save(tmp_path / f"page.{suffix}", dpi=dpi)
    page = decode_page(tmp_path / f"page.{suffix}", 1, MAX_PX)
    assert (page.dpi, page.pixel_aspect) == (None, 1.0)


@pytest.mark.parametrize("dpi", [100, 150, 200, 300, 600])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
def test_decode_with_a_scanners_resolution_keeps_it(tmp_path: Path, suffix: str, dpi: int) -> None:
    Image.new("L", (1700, 2200), 255).save(tmp_path / f"page.{suffix}", dpi=(dpi, dpi))
    assert decode_page(tmp_path / f"page.{suffix}", 1, MAX_PX).dpi == pytest.approx(dpi, abs=0.02)


@pytest.mark.parametrize(("unit", "across", "dpi"), [(2, (300, 1), 300), (3, (11811, 100), 300), (1, (300, 1), None)])
def test_decode_of_a_tiff_minds_the_unit_of_its_resolution(
    tmp_path: Path, unit: int, across: tuple[int, int], dpi: float | None
) -> None:
    page = grey_page(blank_page(1700, 2200))
    stated = {282: (RATIONAL, across), 283: (RATIONAL, across), 296: (SHORT, (unit,))}
    path = written(tmp_path, "page.tif", tiff([TiffPage(page.tags | stated, page.chunks)]))
    assert decode_page(path, 1, MAX_PX).dpi == (dpi and pytest.approx(dpi, abs=0.01))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_decode_of_a_fax_knows_its_tall_pixels_on_the_upright_page(tmp_path: Path, orientation: int) -> None:
    fax = Image.fromarray(blank_page(1728, 1145)).convert("1")
    turned = fax.transpose(ROTATIONS[orientation]) if orientation in ROTATIONS else fax
    dpi = (204, 98) if orientation < 5 else (98, 204)
    turned.save(tmp_path / "fax.tif", compression="group3", dpi=dpi, tiffinfo={274: orientation})
    turned.save(tmp_path / "fax.png", dpi=dpi, exif=exif_of(orientation))
    for name in ("fax.tif", "fax.png"):
        page = decode_page(tmp_path / name, 1, MAX_PX)
        assert page.pixels.shape == (1145, 1728)
        assert page.dpi == pytest.approx(204, abs=0.1)
        assert page.pixel_aspect == pytest.approx(2.08, abs=0.01)


def test_count_of_a_large_document_states_the_pixels_of_all_pages(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "three.tif", [blank_page(100, 100)] * 3)
    assert len(pages_px(path, 3, 10_000, 30_000)) == 3
    with pytest.raises(DocumentTooLarge, match="30000 pixels together; at most 29999") as caught:
        pages_px(path, 3, 10_000, 29_999)
    assert caught.value.members == {"max_document_px": 29_999}


def test_count_goes_no_further_than_the_limit(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "many.tif", [blank_page(10, 10)] * 9)
    assert len(pages_px(path, 4, 1000, 1000)) == 5


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "raw", "zstd", "jpeg", "group4"])
def test_damage_of_one_page_leaves_the_others(tmp_path: Path, compression: str) -> None:
    image = Image.fromarray(draw_page(noise=20).pixels[:300, :500])
    image = image.convert("1") if compression == "group4" else image
    path = tmp_path / "three.tif"
    image.save(path, save_all=True, append_images=[image, image], compression=compression)
    content = bytearray(path.read_bytes())
    _, second, _ = directory_offsets(content)
    _point_strips_beyond_the_end(content, second)
    path.write_bytes(content)
    assert len(pages_px(path, 10, MAX_PX, MAX_PX)) == 3
    assert np.array_equal(decode_page(path, 1, MAX_PX).pixels, decode_page(path, 3, MAX_PX).pixels)
    with pytest.raises(PageDamaged, match="Page 2"):
        decode_page(path, 2, MAX_PX)


def _point_strips_beyond_the_end(content: bytearray, directory: int) -> None:
    (count,) = struct.unpack_from("<H", content, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry) == (
            273,
        ):  # where the strips are, or where the list of their places is
            struct.pack_into("<L", content, entry + 8, len(content) + 1000)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("bits", "photometric", "compression"), [((24, 7), 9, 4711), ((8,), 1, 34_887), ((10,), 1, 1), ((8,), 1, 50_001)]
)
def test_page_of_a_kind_that_is_not_read_says_so_and_leaves_the_others(
    tmp_path: Path, bits: tuple[int, ...], photometric: int, compression: int, order: Literal["<", ">"], big: bool
) -> None:
    odd = TiffPage(tags_of(10, 10, bits, photometric, compression), [bytes(500)])
    path = written(tmp_path, "three.tif", tiff([grey_page(PAGE), odd, grey_page(PAGE)], order, big))
    assert len(pages_px(path, 10, MAX_PX, MAX_PX)) == 3
    assert off(path, number=3) == 0
    with pytest.raises(PageUnsupported, match=r"Page 2 .* LZW"):
        decode_page(path, 2, MAX_PX)


def test_page_whose_tags_make_no_sense_is_damaged_and_not_of_a_rare_kind(tmp_path: Path) -> None:
    odd = TiffPage(tags_of(10, 10, (0,), 1), [bytes(500)])
    with pytest.raises(PageDamaged, match="Page 1"):
        decode_page(written(tmp_path, "odd.tif", tiff([odd])), 1, MAX_PX)


@pytest.mark.parametrize("frame", [b"\xff\xf7", b"\xff\xc0", b"\xff\xc1", b"\xff\xcb"], ids=bytes.hex)
def test_jpeg_of_a_rare_kind_says_so_and_a_damaged_one_does_not(tmp_path: Path, frame: bytes) -> None:
    Image.fromarray(PAGE).save(tmp_path / "usual.jpg")
    usual = (tmp_path / "usual.jpg").read_bytes()
    at = usual.index(b"\xff\xc0")
    rare = usual[:at] + frame + usual[at + 2 : at + 4] + b"\x0c" + usual[at + 5 :]
    path = written(tmp_path, "rare.jpg", rare)
    with pytest.raises(DocumentUnsupported, match="rare kind"):
        pages_px(path, 10, MAX_PX, MAX_PX)
    with pytest.raises(DocumentDamaged, match="header"):
        pages_px(written(tmp_path, "broken.jpg", usual[:at]), 10, MAX_PX, MAX_PX)


@pytest.mark.parametrize("following", [0, 10**6])
def test_chain_of_pages_that_is_torn_is_named_as_a_page(tmp_path: Path, following: int) -> None:
    content = bytearray(tiff([grey_page(PAGE)] * 4))
    first, second, *_ = directory_offsets(content)
    (count,) = struct.unpack_from("<H", content, second)
    struct.pack_into("<L", content, second + 2 + 12 * count, following or first)
    path = written(tmp_path, "torn.tif", content)
    assert len(pages_px(path, 10, MAX_PX, MAX_PX)) == 3
    assert off(path, number=2) == 0
    with pytest.raises(PageDamaged, match=r"Page 3 and any behind it cannot be found.* scan these pages again"):
        decode_page(path, 3, MAX_PX)


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*\0\0\0", b"II+\0\x08\0\0\0"])
def test_header_of_a_tiff_that_breaks_off_is_a_damaged_document(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(DocumentDamaged, match="no page that can be read"):
        pages_px(written(tmp_path, "head.tif", head), 10, MAX_PX, MAX_PX)


def test_damage_of_a_page_is_mended_as_its_format_asks_for(tmp_path: Path) -> None:
    Image.fromarray(PAGE).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    with pytest.raises(PageDamaged, match="as PNG"):
        decode_page(tmp_path / "a.png", 1, MAX_PX)
    content = bytearray(tiff([grey_page(PAGE)] * 2))
    _point_strips_beyond_the_end(content, next(directory_offsets(content)))
    with pytest.raises(PageDamaged, match="scan that page again"):
        decode_page(written(tmp_path, "a.tif", content), 1, MAX_PX)


def test_page_that_is_damaged_leaves_no_word_on_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(draw_page(noise=20).pixels).convert("1").save(tmp_path / "fax.tif", compression="group4")
    content = bytearray((tmp_path / "fax.tif").read_bytes())
    content[200:600] = np.random.default_rng(1).integers(0, 256, 400).astype(np.uint8).tobytes()
    path = written(tmp_path, "fax.tif", content)
    with open_frame(path, 1) as image:
        image.load()
    assert "Fax4Decode" in capfd.readouterr().err  # what there is to keep away
    decode_page(path, 1, MAX_PX)
    assert capfd.readouterr() == ("", "")


def test_header_that_is_damaged_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(DocumentDamaged, match="header"),
        open_frame(written(tmp_path, "a.png", b"\x89PNG\r\n\x1a\n"), 1),
    ):
        pass


def test_frame_that_is_opened_is_not_yet_decoded(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "two.tif", [blank_page(40, 30), PAGE])
    with open_frame(path, 2) as image:
        assert (image.format, image.mode, image.size) == ("TIFF", "L", (500, 300))
        assert image.info["dpi"] == (300, 300)
        load_quietly(image)
        assert np.array_equal(np.asarray(image), PAGE)


@pytest.mark.parametrize("number", [0, 3])
def test_frame_that_is_not_there_is_refused(tmp_path: Path, number: int) -> None:
    path = save_tiff(tmp_path / "two.tif", [PAGE, PAGE])
    with pytest.raises(PageNotInDocument), open_frame(path, number):
        pass
