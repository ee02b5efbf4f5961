"""The searchable PDFs of every document in a folder: do pages look as before, how much do they grow, is their text found.

    python -m benchmarks.searchable_pdfs FOLDER [--pages N] [--mode auto|force|skip]

Read are at most N pages (3) of each document. A Markdown table: whether PDFium renders every page of a PDF to the same pixels as before at
72 dpi; the growth in bytes by what is allowed, 5 % and 20,000 bytes a page; and word F1 of what pdftotext finds against the pages that were
read. Documents that cannot be read are left out. Exit status 1 where a page looks otherwise.
"""

import argparse
import io
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pypdfium2

from benchmarks.text_scores import words
from recto.errors import DocumentError
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits
from recto.ocr.options import Mode, Options
from recto.ocr.page import Document, Page
from recto.ocr.writers.pdf.writer import write_pdf
from recto.working.page_tasks import PageProcessSetup, inspect_file, prepare_this_process, read_page

CREATED = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Judged:
    """`same` is None where the document was no PDF; `growth` is 1 where all is used up that is allowed."""

    same: bool | None
    growth: float
    word_f1: float


def judge(path: Path, most_pages: int, mode: Mode) -> Judged:
    file = DocumentFile(path)
    page_count = inspect_file(file).page_count
    pages = [read_page(file, number, Options(mode=mode)) for number in range(1, min(page_count, most_pages) + 1)]
    sink = io.BytesIO()
    write_pdf(Document(page_count, (), CREATED, "Recto"), iter(pages), file, sink)
    before, after = path.read_bytes(), sink.getvalue()
    growth = (len(after) - len(before)) / (0.05 * len(before) + 20_000 * page_count)
    return Judged(is_same(before, after) if b"%PDF-" in before[:1024] else None, growth, text_share(pages, after))


def is_same(before: bytes, after: bytes) -> bool:
    first, second = pypdfium2.PdfDocument(before), pypdfium2.PdfDocument(after)
    if len(first) != len(second):
        return False
    return all(
        one.render(scale=1).to_numpy().tobytes() == other.render(scale=1).to_numpy().tobytes()
        for one, other in zip(first, second, strict=True)
    )


def text_share(pages: list[Page], pdf: bytes) -> float:
    """Word F1 of pdftotext against the recognised words; 1 where neither has any."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        command = ["pdftotext", "-l", str(len(pages)), file.name, "-"]
        found = words(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    wanted = words(" ".join(word.text for page in pages for word in page.words))
    total = wanted.total() + found.total()
    return 2 * (wanted & found).total() / total if total else 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--mode", choices=get_args(Mode), default="auto")
    options = parser.parse_args()
    prepare_this_process(PageProcessSetup("auto", None, Limits(5000, 200_000_000), memory_bytes=0, storage=None))
    print("| file | same pixels | growth by what is allowed | word F1 of pdftotext |\n|---|---|--:|--:|")
    judged = []
    for path in sorted(path for path in options.folder.rglob("*") if path.is_file()):
        try:
            result = judge(path, options.pages, options.mode)
        except DocumentError:
            continue
        judged.append(result)
        look = {True: "yes", False: "NO", None: "no PDF before"}[result.same]
        print(f"| {path.name} | {look} | {result.growth:.2f} | {result.word_f1:.3f} |", flush=True)
    pdfs = [result for result in judged if result.same is not None]
    print(
        f"\n{sum(result.same is True for result in pdfs)} of {len(pdfs)} PDFs look as before; "
        f"{sum(result.growth <= 1 for result in judged)} of {len(judged)} documents stay within the size that is allowed."
    )
    return 0 if all(result.same for result in pdfs) else 1


if __name__ == "__main__":
    sys.exit(main())
