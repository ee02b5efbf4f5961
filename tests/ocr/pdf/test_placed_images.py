from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name

from recto.ocr.pdf.placed_images import IDENTITY, PlacedImage, compose, overlap, placed_images, transformed


def picture(pdf: pikepdf.Pdf, width_px: int = 100, height_px: int = 50) -> pikepdf.Object:
    return pdf.make_stream(
        bytes(width_px * height_px), Type=Name.XObject, Subtype=Name.Image, Width=width_px, Height=height_px,
        ColorSpace=Name.DeviceGray, BitsPerComponent=8,
    )  # fmt: skip


def form(
    pdf: pikepdf.Pdf, content: bytes, inner: pikepdf.Object, box: tuple[int, ...], **more: object
) -> pikepdf.Object:
    resources = Dictionary(XObject=Dictionary(X=inner))
    return pdf.make_stream(content, Type=Name.XObject, Subtype=Name.Form, BBox=Array(box), Resources=resources, **more)


def placed(tmp_path: Path, pdf: pikepdf.Pdf, content: bytes, inner: pikepdf.Object) -> list[PlacedImage]:
    pdf.add_blank_page(page_size=(200, 100))
    page = pdf.pages[0].obj
    page.Resources, page.Contents = Dictionary(XObject=Dictionary(X=inner)), pdf.make_stream(content)
    pdf.save(tmp_path / "page.pdf")
    document = pypdfium2.PdfDocument(tmp_path / "page.pdf")
    try:
        return placed_images(document[0])
    finally:
        document.close()


def test_image_within_forms_stands_where_all_matrices_put_it(tmp_path: Path) -> None:
    pdf = pikepdf.new()
    inner = form(pdf, b"q 10 0 0 5 1 1 cm /X Do Q", picture(pdf), (0, 0, 99, 99), Matrix=Array([2, 0, 0, 2, 3, 3]))
    outer = form(pdf, b"q 1 0 0 1 5 5 cm /X Do Q", inner, (0, 0, 99, 99))
    [image] = placed(tmp_path, pdf, b"q 3 0 0 3 20 10 cm /X Do Q", outer)
    assert image.rect == pytest.approx((50, 40, 110, 70))
    assert image.dpi == pytest.approx(120)


def test_image_is_seen_as_far_as_clipping_and_page_let_it(tmp_path: Path) -> None:
    pdf = pikepdf.new()
    inner = form(pdf, b"q 0 0 30 9 re W n 50 0 0 20 0 0 cm /X Do Q", picture(pdf), (10, 0, 99, 99))
    [image] = placed(tmp_path, pdf, b"q 2 0 0 2 150 90 cm /X Do Q", inner)
    assert image.rect == pytest.approx((170, 90, 200, 100))


def test_image_that_is_turned_keeps_its_resolution(tmp_path: Path) -> None:
    pdf = pikepdf.new()
    [image] = placed(tmp_path, pdf, b"q 0 50 -25 0 100 20 cm /X Do Q", picture(pdf))
    assert image.rect == pytest.approx((75, 20, 100, 70))
    assert image.dpi == pytest.approx(144)


@pytest.mark.parametrize(
    "content",
    [b"q 50 0 0 50 300 0 cm /X Do Q", b"q 0 0 0 0 9 9 cm /X Do Q", b"q 0 0 5 5 re W n 9 0 0 9 50 50 cm /X Do Q"],
)
def test_image_beside_the_page_or_without_a_size_is_not_there(tmp_path: Path, content: bytes) -> None:
    pdf = pikepdf.new()
    assert placed(tmp_path, pdf, content, picture(pdf)) == []


def test_image_in_forms_that_contain_thousands_is_searched_within_bounds(tmp_path: Path) -> None:
    pdf = pikepdf.new()
    inner = form(pdf, b"q 9 0 0 9 0 0 cm /X Do Q", picture(pdf), (0, 0, 99, 99))
    for _ in range(3):
        inner = form(pdf, b"/X Do " * 10, inner, (0, 0, 99, 99))
    assert len(placed(tmp_path, pdf, b"/X Do", inner)) == 1000


def test_composition_applies_the_inner_matrix_first() -> None:
    turn, move = (0.0, 1.0, -1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 1.0, 5.0, 7.0)
    assert transformed(compose(turn, move), (1, 0, 2, 1)) == (4, 8, 5, 9)
    assert compose(turn, IDENTITY) == turn


def test_overlap_of_touching_rectangles_is_none() -> None:
    assert overlap((0, 0, 1, 1), (1, 0, 2, 1)) is None
    assert overlap((0, 0, 2, 2), (1, -1, 3, 1)) == (1, 0, 2, 1)
