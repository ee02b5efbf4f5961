"""Pages a minute of the running service, against OCRmyPDF, the tesseract command and a bare pool of warm processes.

    python -m benchmarks.throughput [FOLDER ...] [--pages N] [--rounds N] [--turn SECONDS] [--peers a,b] [--json FILE]

Documents: drawn English letters, reports, magazines and typewriting, N pages in all (60), half of them as scanned PDFs of six pages, half as
images of one; and what PDF files and images lie in each FOLDER. Every system gets the same files and languages in the same run, by turns of 1.5
seconds, with the other systems stopped meanwhile (--turn 0: one system after another), round after round; the table has medians. Start-up is reported
apart, and nothing is left warm for the next.

recto           Backend and Worker, two page processes; documents POSTed by four clients with mode=force until searchable PDF, text and JSON are ready
ocrmypdf        --jobs 2 --force-ocr --output-type pdf, one document after another
ocrmypdf-mends  the same with --deskew --rotate-pages
tesseract       xargs -P 2 tesseract, on pages that are rendered already, text alone
pool            two warm processes of Recto's own that render, preprocess and read the same pages, and keep the result in memory

A ratio above 1 says that Recto was faster. On a machine of other cores, 2 is their number.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import img2pdf
import requests

from benchmarks.drawn_pages.kinds import drawn
from benchmarks.service import Service
from benchmarks.turns import by_turns
from recto.commands.page_processes import core_count, page_process_setup
from recto.executors import LocalProcesses
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits, inspect, load_page
from recto.ocr.options import Options
from recto.settings import load_settings
from recto.working.page_tasks import describe_engine, read_page

KINDS: Final = ("clean_300dpi", "reports", "magazine", "typewriting")
RECTO: Final = "recto"
LANGUAGE: Final = "eng"
_PAGES_A_PDF: Final = 6
_CLIENTS: Final = 4
_OPTIONS: Final = {"languages": LANGUAGE, "mode": "force", "formats": "txt+json+pdf", "dedupe": "false"}
_FOREVER_S: Final = 3600.0
_HELD_S: Final = 60
"""The server answers after that all the same."""


@dataclass(frozen=True, slots=True)
class Run:
    """Moments of the monotonic clock: when the system was started, when it was ready, and when the work was done."""

    started_s: float
    began_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of work, and those before it that are no work; without those in which other systems had their turn."""

    took_s: float
    start_s: float


def draw_documents(folder: Path, page_count: int) -> list[Path]:
    """Scanned PDFs and images of drawn pages, every page another."""
    folder.mkdir()
    pages = []
    for number in range(page_count):
        picture, _ = drawn(KINDS[number % len(KINDS)], number // len(KINDS), 0)
        pages.append(folder / f"page-{number:03d}.png")
        cv2.imwrite(str(pages[-1]), picture)
    in_pdfs = pages[: page_count // 2]
    documents = pages[page_count // 2 :]
    for start in range(0, len(in_pdfs), _PAGES_A_PDF):
        documents.append(folder / f"scan-{start:03d}.pdf")
        with documents[-1].open("wb") as file:
            layout = img2pdf.get_fixed_dpi_layout_fun((300, 300))
            img2pdf.convert(
                [str(page) for page in in_pdfs[start : start + _PAGES_A_PDF]], outputstream=file, layout_fun=layout
            )
    return documents


def recto(documents: list[Path], folder: Path) -> Run:
    """Through the service."""
    started_s = time.monotonic()
    service = Service(folder, core_count())
    try:
        token = service.new_token()
        service.wait_for_worker()
        began_s = time.monotonic()
        with ThreadPoolExecutor(_CLIENTS) as clients:
            jobs = list(clients.map(partial(through_service, service.address, token), documents))
        run = Run(started_s, began_s, time.monotonic())
        for job in jobs:
            check_results(job, token)
        return run
    finally:
        service.stop()


def through_service(address: str, token: str, document: Path) -> str:
    """Send a document and wait until its results are ready; gives the job's address."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        with document.open("rb") as file:
            wait = {"Prefer": f"wait={_HELD_S}"}
            answer = session.post(
                f"{address}/api/v1/jobs", params=_OPTIONS, data=file, headers=wait, timeout=_FOREVER_S
            )
        answer.raise_for_status()
        job = f"{address}/api/v1/jobs/{answer.json()['uuid']}"
        while (found := answer.json())["status"] not in ("FINISHED", "FAILURE"):
            answer = session.get(f"{job}?wait={_HELD_S}", timeout=_FOREVER_S)
            answer.raise_for_status()
        if found["status"] == "FAILURE":
            raise SystemExit(f"Recto could not read {document.name}: {found['reason']['detail']}")
        return job


def check_results(job: str, token: str) -> None:
    """Ready means that all are there: whoever asks now need not wait. Each has something in it, but for the text of a picture."""
    for result_format in ("txt", "json", "pdf"):
        asked = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{job}/result?format={result_format}", headers=asked, timeout=_FOREVER_S)
        if answer.status_code != 200 or not (answer.content.strip() or result_format == "txt"):
            raise SystemExit(f"{job} has no {result_format}: {answer.status_code}")


def ocrmypdf(documents: list[Path], folder: Path, *more: str) -> Run:
    """Each document by its command."""
    began_s = time.monotonic()
    for document in documents:
        command = [
            "ocrmypdf",
            "-q",
            "-l",
            LANGUAGE,
            "--jobs",
            str(core_count()),
            "--force-ocr",
            "--output-type",
            "pdf",
            *more,
        ]
        dpi = [] if document.suffix == ".pdf" else ["--image-dpi", "300"]
        subprocess.run([*command, *dpi, str(document), str(folder / "out.pdf")], check=True, stderr=subprocess.DEVNULL)
    return Run(began_s, began_s, time.monotonic())


def tesseract(documents: list[Path], folder: Path) -> Run:
    """The rendering does not count."""
    pages = list(_rendered(documents, folder))
    listed = "\0".join(map(str, pages)).encode()
    command = ["xargs", "-0", "-P", str(core_count()), "-I", "{}", "tesseract", "{}", "{}", "-l", LANGUAGE]
    environ = os.environ | {"OMP_THREAD_LIMIT": "1"}
    began_s = time.monotonic()
    subprocess.run(command, input=listed, env=environ, check=True, stderr=subprocess.DEVNULL)
    return Run(began_s, began_s, time.monotonic())


def _rendered(documents: list[Path], folder: Path) -> Iterator[Path]:
    for document in documents:
        file = DocumentFile(document)
        for number in range(1, inspect(file, _limits()).page_count + 1):
            page = folder / f"{document.stem}-{number:04d}.png"
            cv2.imwrite(str(page), load_page(file, number, _limits()).pixels)
            yield page


def pool(documents: list[Path], _folder: Path) -> Run:
    """Without queue, checkpoints, writers and HTTP."""
    started_s = time.monotonic()
    settings = load_settings({})
    executor = LocalProcesses(core_count(), 10_000, page_process_setup(settings, with_storage=False))
    options = Options(languages=(LANGUAGE,), mode="force")
    try:
        for future in [executor.submit(describe_engine, _FOREVER_S) for _ in range(core_count())]:
            future.result()
        began_s = time.monotonic()
        files = [DocumentFile(document) for document in documents]
        tasks = [
            partial(read_page, file, number, options)
            for file in files
            for number in range(1, inspect(file, _limits()).page_count + 1)
        ]
        kept = [future.result() for future in [executor.submit(task, _FOREVER_S) for task in tasks]]
        run = Run(started_s, began_s, time.monotonic())
        assert len(kept) == len(tasks)
        return run
    finally:
        executor.stop()


def _limits() -> Limits:
    ocr = load_settings({}).ocr
    return Limits(ocr.max_pages, ocr.max_page_px, ocr.max_document_px)


SYSTEMS: Final[dict[str, Callable[[list[Path], Path], Run]]] = {
    RECTO: recto,
    "pool": pool,
    "tesseract": tesseract,
    "ocrmypdf": ocrmypdf,
    "ocrmypdf-mends": lambda documents, folder: ocrmypdf(documents, folder, "--deskew", "--rotate-pages"),
}
_PROGRAMS: Final = {"tesseract": "tesseract", "ocrmypdf": "ocrmypdf", "ocrmypdf-mends": "ocrmypdf"}


def measure(documents: list[Path], names: list[str], rounds: int, turn_s: float | None) -> dict[str, list[Took]]:
    """What each system took in each round. Another one begins each round."""
    took: dict[str, list[Took]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        order = names[first:] + names[:first]
        for name, done in by_turns({name: partial(_alone, name, documents) for name in order}, turn_s).items():
            run = done.outcome
            work_s, start_s = done.within_s(run.began_s, run.ended_s), done.within_s(run.started_s, run.began_s)
            took[name].append(Took(work_s, start_s))
            print(f"{name}: {work_s:.1f} s", file=sys.stderr, flush=True)
    return took


def _alone(name: str, documents: list[Path]) -> Run:
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder:
        return SYSTEMS[name](documents, Path(folder))


def installed(names: list[str]) -> list[str]:
    """Those that can be run; what is missing is said."""
    missing = [name for name in names if name in _PROGRAMS and shutil.which(_PROGRAMS[name]) is None]
    for name in missing:
        print(
            f"{name} is left out: it is not on the PATH. Install it to compare with it, pip install ocrmypdf.",
            file=sys.stderr,
        )
    return [name for name in names if name not in missing]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turn", type=float, default=1.5)
    parser.add_argument("--peers", default=",".join(list(SYSTEMS)[1:]))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    names = installed([RECTO, *given.peers.split(",")])
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder:
        documents = draw_documents(Path(folder) / "drawn", given.pages)
        documents += [file for found in given.folders for file in sorted(found.iterdir()) if file.suffix in _SUFFIXES]
        pages = sum(inspect(DocumentFile(document), _limits()).page_count for document in documents)
        runs = measure(documents, names, given.rounds, given.turn or None)
    took_s = {name: statistics.median(run.took_s for run in runs[name]) for name in names}
    print(f"{pages} pages in {len(documents)} documents, {core_count()} cores, median of {given.rounds} rounds\n")
    print("| system | seconds | pages a minute | Recto is faster by | start-up, s |\n|---|---:|---:|---:|---:|")
    for name in names:
        start_s = statistics.median(run.start_s for run in runs[name])
        print(
            f"| {name} | {took_s[name]:.1f} | {60 * pages / took_s[name]:.1f} | {took_s[name] / took_s[RECTO]:.2f} | {start_s:.1f} |"
        )
    if given.json:
        values = {
            "pages": pages,
            "cores": core_count(),
            "took_s": {name: [run.took_s for run in runs[name]] for name in names},
        }
        given.json.write_text(json.dumps(values, indent=1), encoding="utf-8")


_SUFFIXES: Final = (".pdf", ".png", ".jpg", ".tif", ".tiff")


if __name__ == "__main__":
    main()
