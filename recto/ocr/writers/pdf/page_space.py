"""Where the pixels of a rendered PDF page lie in the page's own user space."""

from typing import Final

from pikepdf import Array, Matrix, Name, Object, Page, Rectangle

_LETTER: Final = Rectangle(0, 0, 612, 792)
"""What PDFium takes for a page without a usable MediaBox."""


def pixels_to_user_space(page: Page, width_px: int, height_px: int) -> Matrix:
    """For the page as it is displayed: the part of the MediaBox within the CropBox, turned clockwise by /Rotate.

    The picture is stretched over that box, so its size in pixels says all; neither UserUnit nor the resolution is needed.
    """
    box = displayed_box(page)
    turn = page.rotation // 90 % 4
    across, down = (box.height, box.width) if turn % 2 else (box.width, box.height)
    x, y = across / width_px, down / height_px
    if turn == 1:
        return Matrix(0, x, y, 0, box.llx, box.lly)
    if turn == 2:
        return Matrix(-x, 0, 0, y, box.urx, box.lly)
    if turn == 3:
        return Matrix(0, -x, -y, 0, box.urx, box.ury)
    return Matrix(x, 0, 0, -y, box.llx, box.ury)


def displayed_box(page: Page) -> Rectangle:
    """The part of the page that is seen, in its user space."""
    media = _rectangle(page.obj.get(Name.MediaBox)) or _LETTER
    crop = _rectangle(page.obj.get(Name.CropBox)) or media
    return media & crop


def _rectangle(value: Object | None) -> Rectangle | None:
    """Its corners sorted; None for what is no rectangle or has no area."""
    if not isinstance(value, Array) or len(value) != 4:
        return None
    try:
        x, y, other_x, other_y = (float(side) for side in value)
    except (TypeError, ValueError):
        return None
    rectangle = Rectangle(min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y))
    return rectangle if rectangle.width > 0 and rectangle.height > 0 else None
