"""Memory against the number of pages: scanned PDFs of 10, 100 and 1,000 drawn pages, read into a searchable PDF.

    python -m benchmarks.long_documents [--pages 10 100 1000]

One row a document: seconds a page, the peak memory of the command itself, which hands out the pages and writes the PDF, and that of its
largest page process; then the sizes of the PDF before and after. What does not grow with the pages is flat.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.drawn_documents import scanned_pdf
from benchmarks.process_memory import watch

ROOT = Path(__file__).resolve().parent.parent


def row(page_count: int, folder: Path) -> str:
    source, target = scanned_pdf(folder / "scan.pdf", page_count), folder / "searchable.pdf"
    command = [
        sys.executable,
        str(ROOT / "ocr_worker.py"),
        "recognise",
        str(source),
        "--format",
        "pdf",
        "-o",
        str(target),
    ]
    done = watch([*command, "--processes", str(max(2, os.cpu_count() or 2))], timeout_s=60 + 20 * page_count)
    if done.status:
        raise SystemExit(f"recognise ended with {done.status}: {done.errors[-300:]}")
    before, after = source.stat().st_size, target.stat().st_size
    return (
        f"| {page_count} | {done.took_s / page_count:.2f} s | {done.own_bytes / 1e6:.0f} MB | {done.largest_child_bytes / 1e6:.0f} MB "
        f"| {before / 1e6:.2f} MB | {after / 1e6:.2f} MB | {(after - before) / page_count / 1e3:.2f} kB |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, nargs="+", default=[10, 100, 1000])
    options = parser.parse_args()
    print("| pages | time a page | peak of the command | peak of a page process | input | output | added a page |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for page_count in options.pages:
        with tempfile.TemporaryDirectory() as folder:
            print(row(page_count, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
