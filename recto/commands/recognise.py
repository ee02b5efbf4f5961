"""`recognise`: the same OCR without a server and without a database."""

import os
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
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

from recto.commands.document_options import document_options, options_from
from recto.commands.page_processes import core_count, page_process_setup
from recto.commands.stage_files import make_folder, read_and_save_stages
from recto.errors import DocumentError, PageCrashed, PageTimeout
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import DocumentInfo
from recto.ocr.options import RESULT_FORMATS, Options, ResultFormat, page_numbers
from recto.ocr.page import Page, ResultWarning
from recto.ocr.writers.json import page_from_json, page_to_json
from recto.ocr.writers.registry import writer_for
from recto.settings import Settings, load_settings
from recto.working.page_tasks import describe_result, inspect_file, prepare_this_process, read_page

Outcome: TypeAlias = tuple[int, Page | DocumentError]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One call: which document, how, and in how many processes."""

    file: DocumentFile
    info: DocumentInfo
    options: Options
    processes: int
    settings: Settings
    stages: Path | None

    def task(self, number: int) -> Callable[[], Page]:
        """Reads one page."""
        if self.stages:
            return partial(read_and_save_stages, self.stages, self.file, number, self.options)
        return partial(read_page, self.file, number, self.options)

    def limit_s(self, number: int) -> float:
        """How long that may take where it runs in a process of its own."""
        return self.settings.worker.time_limits.page_s(self.info.pages_px[number - 1])


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
@click.option(
    "--save-stages",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for pictures of each page: as uploaded, after each step, and what the steps measured.",
)
def recognise(
    file: Path,
    result_format: ResultFormat,
    output: Path | None,
    processes: int | None,
    save_stages: Path | None,
    **given: Any,
) -> None:
    """Read the document FILE and write its text. Pages that cannot be read are named; exit status 1 if none could."""
    settings = load_settings(os.environ)
    options = options_from(given, settings.ocr.languages)
    if output is None and RESULT_FORMATS[result_format].is_packed and sys.stdout.isatty():
        raise click.UsageError(f"{RESULT_FORMATS[result_format].title} is not for a terminal. Name a file: -o FILE.")
    prepare_this_process(page_process_setup(settings, with_storage=False))
    document_file = DocumentFile(file, options.plain_password)
    info = inspect_file(document_file)
    numbers = page_numbers(options.pages, info.page_count)
    processes = min(processes or settings.worker.processes or core_count(), len(numbers))
    if save_stages:
        make_folder(save_stages)
    reading = _Reading(document_file, info, options, processes, settings, save_stages)
    with _ended_by_signals(), tempfile.TemporaryDirectory(prefix="recto-") as folder:
        warnings = (*info.warnings, *_read_pages(reading, numbers, Path(folder)))
        _tell(warnings)
        document = describe_result(info.page_count, warnings, datetime.now(UTC), options)
        with _sink(output) as sink:
            writer_for(result_format)(document, _kept_pages(Path(folder)), document_file, sink)


def _tell(warnings: tuple[ResultWarning, ...]) -> None:
    for warning in warnings:
        click.echo(f"Warning: {warning.sentence}", err=True)


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


def _read_pages(reading: _Reading, numbers: list[int], folder: Path) -> tuple[ResultWarning, ...]:
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
    return tuple(ResultWarning(number, error.code, error.detail) for number, error in errors)


def _in_this_process(reading: _Reading, numbers: list[int]) -> Iterator[Outcome]:
    for number in numbers:
        try:
            yield number, reading.task(number)()
        except DocumentError as error:
            yield number, error


def _in_processes(reading: _Reading, numbers: list[int]) -> Iterator[Outcome]:
    """In order, with every process busy and only a few pages ahead in memory."""
    # Here: a document of one page needs no pool, whose import takes a seventh of the processor time that a small page does.
    from recto.executors import LocalProcesses

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
                ahead.append((number, executor.submit(reading.task(number), reading.limit_s(number))))
            number, future = ahead.popleft()
            yield number, _outcome(number, future, reading.limit_s(number))
    finally:
        executor.stop()


def _outcome(number: int, future: Future[Page], timeout_s: float) -> Page | DocumentError:
    from recto.executors import PROCESS_DIED

    try:
        return future.result()
    except DocumentError as error:
        return error
    except TimeoutError:
        return PageTimeout(
            f"Page {number} took longer than {timeout_s:g} s. Raise RECTO_WORKER_PAGE_TIMEOUT_S to wait longer, or "
            "RECTO_WORKER_PAGE_TIMEOUT_S_PER_MEGAPIXEL for large pages."
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
    """Standard output, or a file that appears when it is complete. What is no regular file, such as a pipe, is written straight into."""
    name = str(output) if output else "standard output"
    try:
        if output is None:
            with _standard_output() as stream:
                yield stream
        elif output.exists() and not output.is_file():
            with output.open("wb") as stream:
                yield stream
        else:
            with _replacing(output.resolve()) as stream:
                yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.FileError(name, error.strerror) from error


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    if sys.stdout is None:
        raise click.UsageError("Standard output is closed. Name a file: -o FILE.")
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """The file under a temporary name beside it, renamed at the end, removed where the block raises."""
    part = tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False)  # noqa: SIM115 - renamed below
    try:
        with part:
            yield part  # type: ignore[misc]  # a wrapper of a BinaryIO
        Path(part.name).chmod(0o666 & ~_umask())
        Path(part.name).replace(target)
    except BaseException:
        Path(part.name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
