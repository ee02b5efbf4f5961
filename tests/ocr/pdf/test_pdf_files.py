"""PDF files made in code: encrypted, damaged, with odd pages, signed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from recto.errors import (
    DocumentDamaged,
    DocumentEmpty,
    DocumentEncrypted,
    DocumentTooLarge,
    PageDamaged,
    PageNotInDocument,
    PageTooLarge,
    PasswordWrong,
)
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import REPAIRED, SIGNATURE_ENDS, Limits, inspect, load_page
from recto.ocr.page import MAX_SIDE_PX, PageImage
from recto.ocr.pdf.pdf_files import render_page, summarise
from tests.drawing import blank_page, draw_page

if TYPE_CHECKING:
    from recto.ocr.page import GreyArray

LIMITS = Limits(max_pages=20, max_page_px=50_000_000)
PAGE_PX = LIMITS.max_page_px


def with_pages(count: int = 1, width_pt: int = 200, height_pt: int = 100) -> pikepdf.Pdf:
    """Pages with a black square of 20 points in their lower left corner."""
    pdf = pikepdf.new()
    for index in range(count):
        pdf.add_blank_page(page_size=(width_pt, height_pt))
        pdf.pages[index].obj.Contents = pdf.make_stream(b"0 g 0 0 20 20 re f")
    return pdf


def saved(pdf: pikepdf.Pdf, path: Path, encryption: pikepdf.Encryption | None = None) -> DocumentFile:
    pdf.save(path, encryption=encryption or False)
    return DocumentFile(path)


def rendered(pdf: pikepdf.Pdf, path: Path, number: int = 1) -> PageImage:
    return render_page(saved(pdf, path), number, PAGE_PX)


def scan(path: Path, pixels: GreyArray, dpi: tuple[float, float]) -> DocumentFile:
    """One image that fills its page at that resolution, losslessly; the page's size is rounded as programs do."""
    pdf, (height_px, width_px) = pikepdf.new(), pixels.shape
    width_pt, height_pt = round(width_px / dpi[0] * 72, 2), round(height_px / dpi[1] * 72, 2)
    pdf.add_blank_page(page_size=(width_pt, height_pt))
    image = pdf.make_stream(
        pixels.tobytes(), Type=Name.XObject, Subtype=Name.Image, Width=width_px, Height=height_px,
        ColorSpace=Name.DeviceGray, BitsPerComponent=8,
    )  # fmt: skip
    page = pdf.pages[0].obj
    page.Resources = Dictionary(XObject=Dictionary(Scan=image))
    page.Contents = pdf.make_stream(f"q {width_pt} 0 0 {height_pt} 0 0 cm /Scan Do Q".encode())
    return saved(pdf, path)


ENCRYPTIONS = {
    "RC4, 40 bits": pikepdf.Encryption(user="geheim", owner="chef", R=2, aes=False, metadata=False),
    "RC4, 128 bits": pikepdf.Encryption(user="geheim", owner="chef", R=3, aes=False, metadata=False),
    "AES, 128 bits": pikepdf.Encryption(user="geheim", owner="chef", R=4),
    "AES, 256 bits": pikepdf.Encryption(user="geheim", owner="chef", R=6),
}


@pytest.mark.parametrize("encryption", ENCRYPTIONS.values(), ids=ENCRYPTIONS)
@pytest.mark.filterwarnings("ignore:.*deprecated.*")
def test_pdf_that_is_encrypted_opens_with_either_password_alone(tmp_path: Path, encryption: pikepdf.Encryption) -> None:
    path = saved(with_pages(2), tmp_path / "locked.pdf", encryption).path
    for password in ("geheim", "chef"):
        file = DocumentFile(path, password)
        assert inspect(file, LIMITS).page_count == 2
        assert load_page(file, 2, LIMITS).pixels.min() == 0
    with pytest.raises(DocumentEncrypted, match="option 'password'"):
        inspect(DocumentFile(path), LIMITS)
    with pytest.raises(PasswordWrong, match="does not open"):
        load_page(DocumentFile(path, "Geheim"), 1, LIMITS)


@pytest.mark.parametrize(
    ("saved_with", "given", "revision"),
    [
        ("grün", "grün", 4),
        ("5€", "5€", 4),
        ("пароль", "пароль", 6),
        ("grün", "gru\N{COMBINING DIAERESIS}n", 6),
    ],
)
def test_pdf_opens_with_a_password_that_is_not_ascii(
    tmp_path: Path, saved_with: str, given: str, revision: int
) -> None:
    path = saved(with_pages(), tmp_path / "locked.pdf", pikepdf.Encryption(user=saved_with, owner="x", R=revision)).path  # type: ignore[arg-type]
    assert inspect(DocumentFile(path, given), LIMITS).page_count == 1


@pytest.mark.parametrize("password", ["\ud800", "a\0b", "€" * 200])
def test_pdf_with_a_password_of_odd_characters_says_that_it_is_wrong(tmp_path: Path, password: str) -> None:
    path = saved(with_pages(), tmp_path / "locked.pdf", pikepdf.Encryption(user="geheim", owner="chef")).path
    with pytest.raises(PasswordWrong):
        inspect(DocumentFile(path, password), LIMITS)


def test_pdf_with_an_owner_password_only_just_opens(tmp_path: Path) -> None:
    file = saved(with_pages(), tmp_path / "owned.pdf", pikepdf.Encryption(user="", owner="chef"))
    for password in (None, "chef", "geheim"):
        assert inspect(DocumentFile(file.path, password), LIMITS).page_count == 1


def test_pdf_without_encryption_leaves_a_password_aside(tmp_path: Path) -> None:
    file = saved(with_pages(), tmp_path / "open.pdf")
    assert inspect(DocumentFile(file.path, "geheim"), LIMITS).page_count == 1


def test_pdf_whose_end_was_lost_is_repaired(tmp_path: Path) -> None:
    pdf = with_pages(3)
    pdf.pages[0].obj.Filling = pdf.make_stream(bytes(4000))
    file = saved(pdf, tmp_path / "whole.pdf")
    content = file.path.read_bytes()
    file.path.write_bytes(content[: content.rindex(b"xref\n")])
    assert inspect(file, LIMITS).page_count == 3
    assert inspect(file, LIMITS).warnings == (REPAIRED,)
    assert load_page(file, 2, LIMITS).pixels.min() == 0


def test_pdf_whose_table_is_wrong_is_remarked_on(tmp_path: Path) -> None:
    file = saved(with_pages(3), tmp_path / "whole.pdf")
    assert inspect(file, LIMITS).warnings == ()
    content = file.path.read_bytes()
    file.path.write_bytes(content.replace(b"xref\n0", b"xxxx\n0"))
    assert inspect(file, LIMITS).warnings == (REPAIRED,)


@pytest.mark.parametrize("hole", [Name.Nothing, 5, Array()])
def test_pdf_whose_page_tree_has_a_hole_is_remarked_on(tmp_path: Path, hole: object) -> None:
    pdf = with_pages(3)
    pdf.Root.Pages.Kids[1] = hole
    assert inspect(saved(pdf, tmp_path / "hole.pdf"), LIMITS).warnings == (REPAIRED,)


def test_pdf_whose_end_was_lost_is_repaired_under_its_password(tmp_path: Path) -> None:
    pdf = with_pages(3)
    file = saved(pdf, tmp_path / "locked.pdf", pikepdf.Encryption(user="geheim", owner="chef", R=4))
    content = file.path.read_bytes()
    file.path.write_bytes(content.replace(b"startxref", b"finis").replace(b"xref\n", b"nothing\n"))
    assert inspect(DocumentFile(file.path, "geheim"), LIMITS).page_count == 3


def test_pdf_of_which_only_the_header_is_left_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "cut.pdf").write_bytes(b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n<< /Type /Catalog")
    with pytest.raises(DocumentDamaged, match="save it anew"):
        inspect(DocumentFile(tmp_path / "cut.pdf"), LIMITS)


def test_pdf_without_pages_is_empty(tmp_path: Path) -> None:
    with pytest.raises(DocumentEmpty):
        inspect(saved(pikepdf.new(), tmp_path / "none.pdf"), LIMITS)


def test_pdf_with_one_page_that_is_none_keeps_the_others(tmp_path: Path) -> None:
    pdf = with_pages(3)
    pdf.Root.Pages.Kids[0] = 5
    file = saved(pdf, tmp_path / "hole.pdf")
    assert inspect(file, LIMITS).page_count == 2
    with pytest.raises(PageDamaged, match="Page 1 "):
        load_page(file, 1, LIMITS)
    assert load_page(file, 2, LIMITS).pixels.min() == 0


def test_pdf_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    file = saved(with_pages(2), tmp_path / "two.pdf")
    for number in (0, 3):
        with pytest.raises(PageNotInDocument):
            load_page(file, number, LIMITS)


def test_pdf_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        summarise(DocumentFile(tmp_path / "gone.pdf"), 1, 1)


def same_page_often(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Pages.Kids = Array([pdf.pages[0].obj] * 200_000)
    pdf.Root.Pages.Count = 200_000


def tree_of_shared_branches(pdf: pikepdf.Pdf) -> None:
    node = pdf.pages[0].obj
    for level in range(1, 10):
        node = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=Array([node] * 10), Count=10**level))
    pdf.Root.Pages = node


def tree_that_bites_its_tail(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Pages.Kids = Array([pdf.Root.Pages])


def deep_tree(pdf: pikepdf.Pdf) -> None:
    node = pdf.pages[0].obj
    for _ in range(5000):
        node = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=Array([node]), Count=1))
    pdf.Root.Pages = node


@pytest.mark.parametrize(
    "twist",
    [same_page_often, tree_of_shared_branches, tree_that_bites_its_tail, deep_tree],
    ids=lambda twist: twist.__name__,
)
def test_pdf_with_a_hostile_page_tree_opens_or_is_refused(tmp_path: Path, twist: Callable[[pikepdf.Pdf], None]) -> None:
    pdf = with_pages()
    twist(pdf)
    file = saved(pdf, tmp_path / "hostile.pdf")
    try:
        assert inspect(file, LIMITS).page_count <= LIMITS.max_pages
    except (DocumentTooLarge, DocumentEmpty, DocumentDamaged):
        return


def corner_of(image: PageImage) -> tuple[str, str]:
    """Where the black square is: (top or bottom, left or right)."""
    rows, columns = np.nonzero(image.pixels < 128)
    height, width = image.pixels.shape
    return ("top" if rows.mean() < height / 2 else "bottom", "left" if columns.mean() < width / 2 else "right")


@pytest.mark.parametrize(
    ("rotate", "corner"),
    [
        (0, ("bottom", "left")),
        (90, ("top", "left")),
        (180, ("top", "right")),
        (270, ("bottom", "right")),
        (-90, ("bottom", "right")),
        (450, ("top", "left")),
        (45, ("bottom", "left")),
        (Name.Sideways, ("bottom", "left")),
    ],
)
def test_pdf_page_is_rendered_turned_as_it_says(tmp_path: Path, rotate: object, corner: tuple[str, str]) -> None:
    pdf = with_pages()
    pdf.pages[0].obj["/Rotate"] = rotate
    image = rendered(pdf, tmp_path / "turned.pdf")
    assert corner_of(image) == corner
    assert (image.pixels.shape[0] > image.pixels.shape[1]) == (rotate in (90, 270, -90, 450))


def test_pdf_page_inherits_its_turn(tmp_path: Path) -> None:
    pdf = with_pages(2)
    pdf.Root.Pages["/Rotate"] = 90
    assert corner_of(rendered(pdf, tmp_path / "turned.pdf", 2)) == ("top", "left")


@pytest.mark.parametrize(
    ("box", "values", "size_pt"),
    [
        ("MediaBox", (200, 100, 0, 0), (200, 100)),
        ("MediaBox", (-50, -50, 50, 20), (100, 70)),
        ("MediaBox", (0, 0, 0, 0), (612, 792)),
        ("CropBox", (0, 0, 0, 0), (200, 100)),
        ("CropBox", (10, 10, 10, 50), (200, 100)),
        ("CropBox", (150, 90, 10, 10), (140, 80)),
        ("CropBox", (-10, -10, 100, 300), (100, 100)),
        ("CropBox", (500, 500, 600, 600), (200, 100)),
        ("MediaBox", (0, 0, 0.01, 0.01), (0.01, 0.01)),
    ],
)
def test_pdf_page_with_odd_boxes_has_the_size_that_readers_show(
    tmp_path: Path, box: str, values: tuple[float, ...], size_pt: tuple[float, float]
) -> None:
    pdf = with_pages()
    pdf.pages[0].obj["/" + box] = Array([Decimal(str(value)) for value in values])
    image = rendered(pdf, tmp_path / "odd.pdf")
    expected = [max(round(side * 300 / 72), 1) for side in size_pt]
    assert list(image.pixels.shape[::-1]) == expected


def test_pdf_page_of_five_metres_is_rendered_within_the_limits(tmp_path: Path) -> None:
    image = rendered(with_pages(1, 14_173, 300), tmp_path / "banner.pdf")
    assert max(image.pixels.shape) <= MAX_SIDE_PX
    assert image.pixels.size <= PAGE_PX
    assert image.dpi == pytest.approx(max(image.pixels.shape) / (14_173 / 72), rel=1e-3)


def test_pdf_page_of_kilometres_is_too_large(tmp_path: Path) -> None:
    pdf = with_pages()
    pdf.pages[0].obj.MediaBox = Array([0, 0, 10**9, 10**9])
    with pytest.raises(PageTooLarge, match="Page 1 "):
        rendered(pdf, tmp_path / "vast.pdf")


def test_pdf_page_with_a_user_unit_is_measured_in_its_own_units(tmp_path: Path) -> None:
    pdf = with_pages()
    pdf.pages[0].obj["/UserUnit"] = 3
    image = rendered(pdf, tmp_path / "units.pdf")
    assert (image.pixels.shape, image.dpi) == ((417, 833), 300)


@pytest.mark.parametrize("dpi", [(200, 200), (204, 98), (300, 300), (400, 400)])
def test_pdf_scan_of_a_usual_resolution_is_rendered_pixel_by_pixel(tmp_path: Path, dpi: tuple[float, float]) -> None:
    pixels = draw_page(noise=30).pixels
    image = render_page(scan(tmp_path / "scan.pdf", pixels, dpi), 1, PAGE_PX)
    assert image.dpi == pytest.approx(dpi[0], rel=1e-4)
    assert image.pixels.shape[1] == pixels.shape[1]
    if dpi[0] == dpi[1]:
        assert np.array_equal(image.pixels, pixels)


@pytest.mark.parametrize(("dpi", "factor"), [(72, 4), (100, 3), (150, 2), (600, 1 / 2), (1200, 1 / 4)])
def test_pdf_scan_of_another_resolution_is_rendered_at_a_whole_ratio(tmp_path: Path, dpi: float, factor: float) -> None:
    image = render_page(scan(tmp_path / "scan.pdf", blank_page(1200, 800), (dpi, dpi)), 1, PAGE_PX)
    assert image.pixels.shape == (800 * factor, 1200 * factor)
    assert image.dpi == pytest.approx(dpi * factor, rel=1e-4)


def test_pdf_form_field_is_drawn(tmp_path: Path) -> None:
    pdf = with_pages()
    look = pdf.make_stream(b"0 g 0 0 30 30 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 30, 30]))
    field = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=pikepdf.String("name"), F=4,
            Rect=Array([150, 60, 180, 90]), AP=Dictionary(N=look),
        )
    )  # fmt: skip
    pdf.pages[0].obj.Annots = Array([field])
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
    assert rendered(pdf, tmp_path / "form.pdf").pixels[80:120, 670:720].max() == 0


def signature_field(pdf: pikepdf.Pdf, value: Dictionary | None) -> None:
    field = Dictionary(FT=Name.Sig, T=pikepdf.String("approval"))
    if value is not None:
        field.V = value
    pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]), SigFlags=3)


def test_pdf_with_a_signature_is_remarked_on(tmp_path: Path) -> None:
    pdf = with_pages()
    signature_field(pdf, Dictionary(Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), Contents=pikepdf.String("\0" * 64)))
    assert inspect(saved(pdf, tmp_path / "signed.pdf"), LIMITS).warnings == (SIGNATURE_ENDS,)


def test_pdf_with_a_field_that_waits_for_a_signature_is_not_remarked_on(tmp_path: Path) -> None:
    pdf = with_pages()
    signature_field(pdf, None)
    assert inspect(saved(pdf, tmp_path / "unsigned.pdf"), LIMITS).warnings == ()


def test_inspect_of_a_pdf_whose_pages_are_large_together_states_the_limit(tmp_path: Path) -> None:
    file = saved(with_pages(3), tmp_path / "three.pdf")
    most_px = sum(summarise(file, 3, PAGE_PX).pages_px)
    assert most_px == 3 * round(200 * 410 / 72) * round(100 * 410 / 72)
    assert inspect(file, Limits(3, PAGE_PX, most_px)).page_count == 3
    with pytest.raises(DocumentTooLarge, match=str(most_px)):
        inspect(file, Limits(3, PAGE_PX, most_px - 1))


def test_summary_of_too_many_pages_looks_at_none(tmp_path: Path) -> None:
    assert summarise(saved(with_pages(3), tmp_path / "three.pdf"), 2, PAGE_PX).pages_px == ()
