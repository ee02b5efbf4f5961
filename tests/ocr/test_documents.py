import resource
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from recto.errors import (
    DocumentDamaged,
    DocumentEmpty,
    DocumentEncrypted,
    DocumentTooLarge,
    DocumentUnsupported,
    PageDamaged,
    PageNotInDocument,
    PageTooLarge,
)
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import DocumentInfo, Limits, inspect, load_page
from tests.drawing import blank_page, draw_page, save_pdf, save_tiff

pillow_heif.register_heif_opener()

LIMITS = Limits(max_pages=20, max_page_px=10_000_000)

ENCRYPTED_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\n"
    b"4 0 obj<</Filter/Standard/V 1/R 2/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>endobj\n"
    b"trailer<</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]>>\n%%EOF\n"
)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tif", "heic", "avif", "jp2", "j2k", "ppm"])
def test_inspect_and_load_of_an_image_yield_its_one_page(tmp_path: Path, suffix: str) -> None:
    drawn = draw_page().pixels
    path = tmp_path / f"page.{suffix}"
    Image.fromarray(drawn).save(path)
    assert inspect(DocumentFile(path), LIMITS).page_count == 1
    loaded = load_page(DocumentFile(path), 1, LIMITS).pixels
    assert loaded.shape == drawn.shape
    assert loaded.dtype == np.uint8
    assert np.abs(loaded.astype(int) - drawn).mean() < 3


def test_inspect_of_a_tiff_with_three_pages_counts_them(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "three.tif", [blank_page(80, 60), blank_page(40, 30), blank_page(20, 10)])
    assert inspect(DocumentFile(path), LIMITS) == DocumentInfo("image/tiff", 3, (), (80 * 60, 40 * 30, 20 * 10))


def test_load_of_a_tiff_page_yields_that_page_and_its_resolution(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "three.tif", [blank_page(), draw_page().pixels, blank_page()])
    page = load_page(DocumentFile(path), 2, LIMITS)
    assert np.array_equal(page.pixels, draw_page().pixels)
    assert page.dpi == 300


def test_load_of_a_pdf_page_is_rendered_at_300_dpi(tmp_path: Path) -> None:
    drawn = draw_page().pixels
    path = save_pdf(tmp_path / "two.pdf", [blank_page(300, 600), drawn])
    info = inspect(DocumentFile(path), LIMITS)
    assert (info.media_type, info.page_count) == ("application/pdf", 2)
    assert info.pages_px[0] >= 300 * 600
    page = load_page(DocumentFile(path), 2, LIMITS)
    assert page.dpi == 300
    assert np.abs(np.subtract(page.pixels.shape, drawn.shape)).max() <= 1
    assert page.pixels.min() < 60
    assert page.pixels.max() == 255


def test_load_of_a_large_pdf_page_lowers_the_resolution(tmp_path: Path) -> None:
    path = save_pdf(tmp_path / "poster.pdf", [blank_page(3000, 3000)])
    page = load_page(DocumentFile(path), 1, Limits(max_pages=1, max_page_px=250_000))
    assert page.pixels.size <= 250_000
    assert page.dpi == pytest.approx(50, abs=1)


@pytest.mark.parametrize("suffix", ["png", "tif", "pdf"])
def test_load_of_a_page_beyond_the_last_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"one.{suffix}"
    Image.fromarray(blank_page(30, 30)).save(path)
    with pytest.raises(PageNotInDocument):
        load_page(DocumentFile(path), 2, LIMITS)


def test_inspect_of_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "nothing").touch()
    with pytest.raises(DocumentEmpty):
        inspect(DocumentFile(tmp_path / "nothing"), LIMITS)


def test_inspect_of_a_letter_in_plain_text_lists_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_text("Dear Sir or Madam,")
    with pytest.raises(DocumentUnsupported, match="PDF, PNG, JPEG, TIFF"):
        inspect(DocumentFile(tmp_path / "letter.pdf"), LIMITS)


@pytest.mark.parametrize(
    ("content", "kind"),
    [("<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"), ("<!doctype html>", "HTML"), ("PK\3\4", "office")],
)
def test_inspect_of_a_foreign_file_says_what_it_is(tmp_path: Path, content: str, kind: str) -> None:
    (tmp_path / "page.png").write_text(content)
    with pytest.raises(DocumentUnsupported, match=f"{kind}.* send that"):
        inspect(DocumentFile(tmp_path / "page.png"), LIMITS)


@pytest.mark.parametrize(
    "head", [b"%PDF-1.4\nnothing more", b"\x89PNG\r\n\x1a\nnothing more", b"II*\x00\xff\xff\xff\xff", b"GIF89a"]
)
def test_inspect_of_a_header_without_a_body_is_damaged(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "file").write_bytes(head)
    with pytest.raises(DocumentDamaged):
        inspect(DocumentFile(tmp_path / "file"), LIMITS)


def test_inspect_of_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    (tmp_path / "locked.pdf").write_bytes(ENCRYPTED_PDF)
    with pytest.raises(DocumentEncrypted, match="password"):
        inspect(DocumentFile(tmp_path / "locked.pdf"), LIMITS)


@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_inspect_of_too_many_pages_states_the_limit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"many.{suffix}"
    save = save_tiff if suffix == "tif" else save_pdf
    save(path, [blank_page(16, 16)] * 4)
    assert inspect(DocumentFile(path), Limits(4, 1000)).page_count == 4
    with pytest.raises(DocumentTooLarge, match="3 pages"):
        inspect(DocumentFile(path), Limits(3, 1000))


@pytest.mark.parametrize("suffix", ["png", "tif", "gif", "jp2"])
def test_inspect_of_an_image_with_too_many_pixels_does_not_decode_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"bomb.{suffix}"
    options = {"compression": "group4"} if suffix == "tif" else {}
    Image.new("L" if suffix == "jp2" else "1", (10_000, 10_000)).save(path, **options)
    peak_before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DocumentTooLarge, match="10000 x 10000") as caught:
        inspect(DocumentFile(path), LIMITS)
    assert caught.value.members == {"max_page_px": LIMITS.max_page_px}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_before_kb < 10_000


def test_inspect_of_too_many_pixels_on_all_pages_states_the_limit(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "two.tif", [blank_page(40, 40), blank_page(40, 40)])
    assert inspect(DocumentFile(path), Limits(2, 1600, max_document_px=3200)).page_count == 2
    with pytest.raises(DocumentTooLarge, match="at most 3199 are read"):
        inspect(DocumentFile(path), Limits(2, 1600, max_document_px=3199))


def test_load_of_one_large_tiff_page_leaves_the_others(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "two.tif", [blank_page(40, 40), blank_page(200, 200)])
    limits = Limits(max_pages=2, max_page_px=2000)
    assert inspect(DocumentFile(path), limits).page_count == 2
    assert load_page(DocumentFile(path), 1, limits).pixels.shape == (40, 40)
    with pytest.raises(PageTooLarge, match="Page 2"):
        load_page(DocumentFile(path), 2, limits)


def test_load_of_a_page_longer_than_the_engine_takes_is_refused(tmp_path: Path) -> None:
    Image.new("1", (40_000, 10)).save(tmp_path / "strip.png")
    with pytest.raises(PageTooLarge, match="40000 pixels long"):
        load_page(DocumentFile(tmp_path / "strip.png"), 1, LIMITS)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "gif", "pgm", "heic", "avif", "jp2"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_load_of_a_file_that_breaks_off_is_damaged(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"whole.{suffix}"
    Image.fromarray(draw_page(noise=20).pixels).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises((PageDamaged, DocumentDamaged)):
        load_page(DocumentFile(path), 1, LIMITS)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "gif", "heic", "avif", "jp2", "pgm", "pdf"])
def test_load_of_shuffled_bytes_fails_with_a_reason_or_reads(tmp_path: Path, suffix: str) -> None:
    path, random = tmp_path / f"shaken.{suffix}", np.random.default_rng(7)
    Image.fromarray(draw_page().pixels[:200, :200]).save(path)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(40):
        shaken = whole.copy()
        places = random.integers(16, len(shaken), 8)
        shaken[places] = random.integers(0, 256, 8)
        path.write_bytes(shaken.tobytes())
        try:
            inspect(DocumentFile(path), LIMITS)
            assert load_page(DocumentFile(path), 1, LIMITS).pixels.ndim == 2
        except (
            PageDamaged,
            DocumentDamaged,
            DocumentTooLarge,
            DocumentEmpty,
            DocumentUnsupported,
            DocumentEncrypted,
            PageTooLarge,
        ):
            continue
