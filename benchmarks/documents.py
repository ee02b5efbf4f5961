"""What becomes of documents: every file of a folder is read by a process of its own, and its end is told.

    python -m benchmarks.documents FOLDER [--processes N] [--timeout-s N]

A Markdown table: outcome, pages read of all pages, words, seconds, and the peak memory of the process. The outcome is `text`; `blank`, where
every page was read and none has a word; the code of the reason (docs/errors.md); or what must not happen: `crashed` or `hung`. Exit status 1
where it did.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from recto.errors import DocumentError
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits
from recto.ocr.options import Options, page_numbers
from recto.working.page_tasks import PageProcessSetup, inspect_file, limit_this_process, prepare_this_process, read_page

ROOT = Path(__file__).resolve().parent.parent
MEMORY_BYTES = 4 * 1024**3  # worker.process_memory_bytes


def read_one(path: Path) -> dict[str, Any]:
    """In a process of its own: what becomes of the file, under the limits of a page process."""
    setup = PageProcessSetup("auto", None, Limits(5000, 200_000_000), MEMORY_BYTES, storage=None)
    limit_this_process(setup)
    prepare_this_process(setup)
    row: dict[str, Any] = {"outcome": "", "pages": 0, "page_count": 0, "words": 0, "failed": [], "detail": ""}
    try:
        read_into(row, DocumentFile(path))
    except DocumentError as error:
        row |= {"outcome": error.code, "detail": error.detail}
    row["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return row


def read_into(row: dict[str, Any], file: DocumentFile) -> None:
    row["page_count"] = inspect_file(file).page_count
    error: DocumentError | None = None
    for number in page_numbers(None, row["page_count"]):
        try:
            page = read_page(file, number, Options())
        except DocumentError as problem:
            error = problem
            row["failed"].append(f"page {number}: {problem.code}")
        else:
            row["pages"] += 1
            row["words"] += len(page.words)
    if error and not row["pages"]:
        raise error
    row["outcome"] = "text" if row["words"] else "blank"


def told(timeout_s: float, path: Path) -> dict[str, Any]:
    """The row of one file; `crashed` or `hung` where its process had no answer."""
    command = [sys.executable, "-m", "benchmarks.documents", "--one", str(path)]
    started_s = time.monotonic()
    empty = {"pages": 0, "page_count": 0, "words": 0, "failed": [], "peak_bytes": 0}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return empty | {"outcome": "hung", "took_s": timeout_s, "detail": ""}
    if done.returncode:
        return empty | {"outcome": "crashed", "took_s": 0.0, "detail": done.stderr[-200:]}
    row: dict[str, Any] = json.loads(done.stdout)
    return row | {"took_s": time.monotonic() - started_s}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--one", action="store_true", help="tell of one file, as JSON: what the others are read with")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--timeout-s", type=float, default=600)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(read_one(options.folder)))
        return 0
    files = sorted(path for path in options.folder.rglob("*") if path.is_file())
    print("| file | outcome | pages | words | time | peak memory | notes |\n|---|---|--:|--:|--:|--:|---|")
    ends: Counter[str] = Counter()
    with ThreadPoolExecutor(options.processes) as pool:
        for path, row in zip(files, pool.map(partial(told, options.timeout_s), files), strict=True):
            ends[row["outcome"]] += 1
            notes = "; ".join(row["failed"]) or row["detail"]
            print(
                f"| {path.relative_to(options.folder)} | {row['outcome']} | {row['pages']} of {row['page_count']} | {row['words']} "
                f"| {row['took_s']:.1f} s | {row['peak_bytes'] / 1e6:.0f} MB | {notes} |",
                flush=True,
            )
    print(f"\n{len(files)} files: " + ", ".join(f"{count} {outcome}" for outcome, count in ends.most_common()))
    return 1 if ends["crashed"] or ends["hung"] else 0


if __name__ == "__main__":
    sys.exit(main())
