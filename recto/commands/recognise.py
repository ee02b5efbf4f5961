"""`recognise`: the same OCR without a server and without a database."""

import os
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, TypeAlias, get_args

import click
from tqdm import tqdm

from recto import __version__
from recto.commands.document_options import document_options, options_from
from recto.commands.page_processes import core_count, page_process_setup
from recto.errors import DocumentError, PageCrashed, PageTimeout
from recto.executors import PROCESS_DIED, LocalProcesses
from recto.ocr.options import Options, ResultFormat, page_numbers
from recto.ocr.page import Document, Page, PageWarning
from recto.ocr.writers.json import page_from_json, page_to_json
from recto.ocr.writers.registry import WRITERS
from recto.page_tasks import inspect_file, prepare_this_process, read_page
from recto.settings import Settings, load_settings

Outcome: TypeAlias = tuple[int, Page | DocumentError]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One call: which document, how, and in how many processes."""

    file: Path
    options: Options
    processes: int
    settings: Settings


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@document_options
@click.option(
    "--format",
    "result_format",
    type=click.Choice(get_args(ResultFormat)),
    default="txt",
    show_default=True,
    help="What to write.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it; standard output if left out.",
)
@click.option("--processes", type=click.IntRange(min=1), help="Pages read at the same time; one per core if left out.")
def recognise(
    file: Path, result_format: ResultFormat, output: Path | None, processes: int | None, **given: Any
) -> None:
    """Read the document FILE and write its text. Pages that cannot be read are named; exit status 1 if none could."""
    settings = load_settings(os.environ)
    options = options_from(given, settings.ocr.languages)
    prepare_this_process(page_process_setup(settings, with_storage=False))
    page_count = inspect_file(file).page_count
    numbers = page_numbers(options.pages, page_count)
    reading = _Reading(
        file, options, min(processes or settings.worker.processes or core_count(), len(numbers)), settings
    )
    with _ended_by_signals(), tempfile.TemporaryDirectory(prefix="recto-") as folder:
        warnings = _read_pages(reading, numbers, Path(folder))
        document = Document(page_count, warnings, _now(), f"Recto {__version__}")
        with _sink(output) as sink:
            WRITERS[result_format](document, _kept_pages(Path(folder)), sink)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """While the block runs, a signal that would end this process ends it by an exception: the pages' text must not stay behind."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler == signal.SIG_DFL:  # under nohup a hangup stays ignored
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _read_pages(reading: _Reading, numbers: list[int], folder: Path) -> tuple[PageWarning, ...]:
    """Read the pages, keep each in `folder`, and return what went wrong. Raises the first error where no page was read."""
    outcomes = _in_this_process(reading, numbers) if reading.processes == 1 else _in_processes(reading, numbers)
    errors: list[tuple[int, DocumentError]] = []
    for number, outcome in tqdm(outcomes, total=len(numbers), unit="page", file=sys.stderr, disable=None, leave=False):
        if isinstance(outcome, DocumentError):
            errors.append((number, outcome))
        else:
            (folder / f"{number:08d}.json").write_bytes(page_to_json(outcome))
    if len(errors) == len(numbers):
        raise errors[0][1]
    for number, error in errors:
        click.echo(f"Warning: page {number}: {error.detail}", err=True)
    return tuple(PageWarning(number, error.code, error.detail) for number, error in errors)


def _in_this_process(reading: _Reading, numbers: list[int]) -> Iterator[Outcome]:
    for number in numbers:
        try:
            yield number, read_page(reading.file, number, reading.options.languages)
        except DocumentError as error:
            yield number, error


def _in_processes(reading: _Reading, numbers: list[int]) -> Iterator[Outcome]:
    """In order, with every process busy and only a few pages ahead in memory."""
    worker = reading.settings.worker
    executor = LocalProcesses(
        reading.processes, worker.pages_per_process, page_process_setup(reading.settings, with_storage=False)
    )
    ahead: deque[tuple[int, Future[Page]]] = deque()
    waiting = deque(numbers)
    try:
        while waiting or ahead:
            while waiting and len(ahead) <= 2 * reading.processes:
                number = waiting.popleft()
                task = partial(read_page, reading.file, number, reading.options.languages)
                ahead.append((number, executor.submit(task, worker.page_timeout_s)))
            number, future = ahead.popleft()
            yield number, _outcome(number, future, worker.page_timeout_s)
    finally:
        executor.stop()


def _outcome(number: int, future: Future[Page], timeout_s: float) -> Page | DocumentError:
    try:
        return future.result()
    except DocumentError as error:
        return error
    except TimeoutError:
        return PageTimeout(
            f"Page {number} took longer than {timeout_s:g} s. Raise RECTO_WORKER_PAGE_TIMEOUT_S to wait longer."
        )
    except (*PROCESS_DIED, CancelledError):
        return PageCrashed(
            f"Page {number} ended its process. The document may be damaged; try to save or scan it anew."
        )


def _kept_pages(folder: Path) -> Iterator[Page]:
    for file in sorted(folder.iterdir()):
        yield page_from_json(file.read_bytes())


@contextmanager
def _sink(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears when it is complete."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=f".{output.name}.", delete=False) as part:
            yield part  # type: ignore[misc]  # a wrapper of a BinaryIO
        Path(part.name).chmod(0o666 & ~_umask())
        Path(part.name).replace(output)
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
