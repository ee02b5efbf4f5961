"""Documents drawn in code for the benchmarks: scanned pages, and pages of a word processor, with the text that is on them."""

import io
import random
from pathlib import Path

import img2pdf
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont

SENTENCE = (
    "the river slowly carried our small boat past quiet villages and old stone bridges until evening light fell on every window "
    "and somebody began to sing about harvest weather while children counted stars above the church tower"
)
SCAN_DPI = 200
_LINES_A_PAGE, _WORDS_A_LINE = 24, 9


def page_lines(number: int) -> list[str]:
    """The text of one page, another for every number."""
    chance = random.Random(number)
    lines = [" ".join(chance.choices(SENTENCE.split(), k=_WORDS_A_LINE)) for _ in range(_LINES_A_PAGE)]
    return [f"Page {number} of a long document", *lines]


def scanned_pdf(path: Path, page_count: int) -> Path:
    """A PDF of grey JPEG scans of A5 pages at 200 dpi, each page another picture."""
    pages = (_scan(page_lines(number)) for number in range(1, page_count + 1))
    with path.open("wb") as file:
        img2pdf.convert(
            list(pages), outputstream=file, layout_fun=img2pdf.get_fixed_dpi_layout_fun((SCAN_DPI, SCAN_DPI))
        )
    return path


def word_processor_pdf(path: Path, page_count: int) -> Path:
    """A PDF of A4 pages whose text is text."""
    pdf = FPDF(format="A4")
    pdf.set_font("Helvetica", size=11)
    for number in range(1, page_count + 1):
        pdf.add_page()
        for line in page_lines(number):
            pdf.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    pdf.output(str(path))
    return path


def _scan(lines: list[str]) -> bytes:
    font = ImageFont.truetype("DejaVuSerif.ttf", size=28)
    page = Image.new("L", (1165, 1654), 245)
    ImageDraw.Draw(page).multiline_text((90, 90), "\n".join(lines), fill=20, font=font, spacing=26)
    scan = io.BytesIO()
    page.save(scan, "JPEG", quality=70, dpi=(SCAN_DPI, SCAN_DPI))
    return scan.getvalue()
