"""What runs in a page process: opening a document, reading one page, writing the results. No database connection here.

Each task is a plain function of picklable values, so that it runs in a local process or on a cluster's node alike. What a
process needs for all its tasks, such as the engine with its loaded languages, is made once by `start_page_process`.
"""

import gc
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from recto import __version__
from recto.errors import FileNotFound, PageOutOfMemory, RectoError, ResultNotMade, ServiceError
from recto.file_storage.base import DOCUMENT, FileStorage, WriteFile, checkpoint_name, picture_name, result_name
from recto.file_storage.document_cache import DocumentCache
from recto.file_storage.opening import open_storage
from recto.file_storage.scratch import scratch_folder
from recto.ocr.corrections import AS_READ, Correction, Corrections, corrected
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import DocumentInfo, Limits, inspect
from recto.ocr.engines.select import EngineName, choose_engine
from recto.ocr.options import RESULT_FORMATS, Options, ResultFormat, Stage, page_numbers
from recto.ocr.page import Document, Page, ResultWarning
from recto.ocr.pipeline import recognise_page
from recto.ocr.reading import Reader
from recto.ocr.stages import Show, page_picture, show_stages, write_png
from recto.ocr.writers.json import page_from_json, page_to_json
from recto.ocr.writers.registry import writer_for
from recto.ocr.writers.text import searched_text
from recto.parent_death import die_with_parent
from recto.stage_labels import Stage as TimedStage
from recto.storage_setup import StorageSetup
from recto.working.result_version import result_version
from recto.working.stage_times import Stopwatch, TimedEngine

_KEPT_PAGES: Final = 16
"""So many are parsed once for all formats and the index: a page takes some megabytes of memory, and its parsing 3 ms."""


@dataclass(frozen=True, slots=True)
class PageProcessSetup:
    """What a page process is started with. `storage` is None without a store.

    `memory_bytes` caps its address space; 0: no cap. `niceness` is added to that of the parent (nice(2)): recognition takes whole
    cores, and the programs that answer people should not have to wait for them. `fallback_languages` are read where a page's
    own are to be found out and cannot be. Where there is a `document_cache`, documents are read from its copies.
    """

    engine: EngineName
    tessdata: Path | None
    limits: Limits
    memory_bytes: int
    storage: StorageSetup | None
    niceness: int = 0
    fallback_languages: tuple[str, ...] = ("eng",)
    document_cache: DocumentCache | None = None


@dataclass(frozen=True, slots=True)
class EngineReport:
    """The engine of the page processes: name with version, installed languages, and what a result depends on (recto/working/result_version.py)."""

    engine: str
    languages: tuple[str, ...]
    result_version: str


@dataclass(frozen=True, slots=True)
class FormatFailure:
    """A format that could not be written, and the traceback for the log."""

    result_format: ResultFormat
    error: ResultNotMade
    traceback: str


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing results: the formats that could not be made, and the texts of the pages for the index of the search, by page number.

    `texts` is None of a document whose pages are too many to hold at once: the index takes them from the checkpoints, some at a time.
    """

    failures: tuple[FormatFailure, ...] = ()
    texts: dict[int, str] | None = None


class _PageProcess:
    """The parts that the tasks of this process share."""

    def __init__(self, setup: PageProcessSetup) -> None:
        self.limits = setup.limits
        self.fallback_languages = setup.fallback_languages
        self.stopwatch = Stopwatch()
        self._setup = setup

    @cached_property
    def reader(self) -> Reader:
        """Made when it is first needed: a process that only writes a format needs none."""
        engine = TimedEngine(choose_engine(self._setup.engine, self._setup.tessdata), self.stopwatch)
        return Reader(engine, self.limits, self.fallback_languages)

    @cached_property
    def storage(self) -> FileStorage:
        """Opened when it is first needed."""
        if self._setup.storage is None:
            raise RuntimeError("This page process was started without a File Storage.")
        return open_storage(self._setup.storage)

    def document(self, uuid: str) -> AbstractContextManager[Path]:
        """A job's document as a path while the block runs. FileNotFound, StorageUnavailable."""
        cache = self._setup.document_cache
        return cache.local_path(self.storage, uuid) if cache else self.storage.local_path(uuid, DOCUMENT)


_process: _PageProcess | None = None


def start_page_process(setup: PageProcessSetup, parent_pid: int | None = None) -> None:
    """Initialiser of a page process: it ends with its parent, ignores Ctrl-C (the parent decides), and has a memory cap.

    `parent_pid` is the process that asked for it, which may have died since: loading the modules has taken a second.
    """
    die_with_parent(signal.SIGKILL, parent_pid=parent_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Not the pool's handler: one in Python would wait for the engine to come back, for seconds.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    limit_this_process(setup)
    prepare_this_process(setup)
    if setup.storage is not None:
        writer_for("pdf")  # loaded now: most documents become one, and the first need not wait for it
    gc.freeze()  # what is there from now on to the end: no collection need look through it


def limit_this_process(setup: PageProcessSetup) -> None:
    """Cap the memory of the calling process and let it stand back for others, as the setup says."""
    os.nice(setup.niceness)
    if setup.memory_bytes and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (setup.memory_bytes, setup.memory_bytes))


def prepare_this_process(setup: PageProcessSetup, *, reads: bool = True) -> None:
    """Let the tasks run in the calling process itself. EngineMissing where it `reads` and the engine is not installed."""
    global _process
    os.environ["OMP_THREAD_LIMIT"] = "1"  # one thread a process, one process a core: Tesseract's threads fight
    _process = _PageProcess(setup)
    if setup.storage is not None:
        tempfile.tempdir = str(scratch_folder(setup.storage.folder))
    if reads:
        _ = _process.reader


def describe_engine() -> EngineReport:
    """Which engine this process has. Loads it, so that the first page does not wait for it."""
    reader = _here().reader
    languages = tuple(sorted(reader.engine.languages()))
    version = result_version(reader.engine_name, reader.engine.traineddata(languages), _here().fallback_languages)
    return EngineReport(reader.engine_name, languages, version)


def inspect_document(uuid: str, password: str | None = None) -> DocumentInfo:
    """Open a job's document by its headers. Raises a DocumentError."""
    with _here().document(uuid) as path:
        return inspect_file(DocumentFile(path, password))


def inspect_file(file: DocumentFile) -> DocumentInfo:
    """The same for a file outside the store."""
    return inspect(file, _here().limits)


@dataclass(frozen=True, slots=True)
class PageWithoutText(Page):
    """How a page was read, without what: its blocks are empty, and its confidence is that of the page with them."""

    confidence_with_text: float | None = None
    took_s: tuple[tuple[TimedStage, float], ...] = ()

    @property
    def confidence(self) -> float | None:
        """See Page."""
        return self.confidence_with_text


def checkpoint_page(uuid: str, token: str, number: int, options: Options) -> PageWithoutText:
    """Read one page of a job and keep it as a checkpoint of the attempt `token`. Raises a DocumentError.

    Gives the page without its blocks: how it was read, for the Database, and not the text.
    """
    page, watch = _read(uuid, number, options), _here().stopwatch
    with watch.measure("store"):
        _keep(page, token, partial(_here().storage.write, uuid))
    return without_text(page, watch.took_s)


def _read(uuid: str, number: int, options: Options) -> Page:
    """Read a page of a job. The process's stopwatch has the times."""
    watch = _here().stopwatch
    watch.reset()
    with watch.measure("prepare", inner="recognise"), _here().document(uuid) as path:
        return read_page(DocumentFile(path, options.plain_password), number, options)


def _keep(page: Page, token: str, write_file: WriteFile) -> None:
    """Write the checkpoint of a page that the attempt `token` has read."""
    with write_file(checkpoint_name(token, page.number)) as file:
        file.write(page_to_json(page))


@dataclass(frozen=True, slots=True)
class WholeDocument:
    """A document of one page that was opened and read, and its results written. How long its stages took."""

    info: DocumentInfo
    page: PageWithoutText
    written: Written
    took_s: tuple[tuple[TimedStage, float], ...]


def read_whole_document(uuid: str, token: str, created: datetime, options: Options) -> WholeDocument:
    """Do for the attempt `token` all that there is to do for a document of one page. Raises what the parts raise; the caller does them one by one then."""
    watch = Stopwatch()
    with watch.measure("open"):
        info = inspect_document(uuid, options.plain_password)
        (number,) = page_numbers(options.pages, info.page_count)
    page = _read(uuid, number, options)
    with watch.measure("write", inner="store"), _here().storage.together(uuid) as write_file:
        with watch.measure("store"):
            _keep(page, token, write_file)
        document = describe_result(info.page_count, info.warnings, created, options)
        written = _write_formats(uuid, token, [(number, token)], document, options, write_file, pages=(page,))
    return WholeDocument(info, without_text(page), written, (*_here().stopwatch.took_s, *watch.took_s))


def without_text(page: Page, took_s: tuple[tuple[TimedStage, float], ...] = ()) -> PageWithoutText:
    """What the Database is told of a page that was read, and how long its stages took."""
    values = {field.name: getattr(page, field.name) for field in fields(Page)}
    return PageWithoutText(**values | {"blocks": ()}, confidence_with_text=page.confidence, took_s=took_s)


def read_page(file: DocumentFile, number: int, options: Options) -> Page:
    """Read one page of a file. Raises a DocumentError; PageOutOfMemory where the process's cap was hit."""
    try:
        return recognise_page(file, number, options, _here().reader)
    except MemoryError as error:
        raise _out_of_memory(number) from error


def page_stages(file: DocumentFile, page: Page, options: Options, show: Show) -> None:
    """Show a page that was read at each of its stages. Raises a DocumentError."""
    try:
        show_stages(file, page, options, _here().limits, show)
    except MemoryError as error:
        raise _out_of_memory(page.number) from error


def describe_result(
    page_count: int, warnings: Sequence[ResultWarning], created: datetime, options: Options
) -> Document:
    """What every result of a document says of itself. `created` is the job's time: a format made later says the same."""
    created_iso = created.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return Document(page_count, tuple(warnings), created_iso, f"Recto {__version__}", options.reading())


def write_results(
    uuid: str,
    token: str,
    checkpoints: Sequence[tuple[int, str]],
    document: Document,
    options: Options,
) -> Written:
    """Write the text and the formats that the options name as results of the attempt `token`.

    `checkpoints` are (page number, attempt token) each. The text is always written, since the pages for people show it: where that
    fails, its error is raised.
    """
    pages = tuple(_pages(_here().storage, uuid, checkpoints, {})) if len(checkpoints) <= _KEPT_PAGES else None
    with _here().storage.together(uuid) as write_file:
        return _write_formats(uuid, token, checkpoints, document, options, write_file, pages)


def _write_formats(
    uuid: str,
    token: str,
    checkpoints: Sequence[tuple[int, str]],
    document: Document,
    options: Options,
    write_file: WriteFile,
    pages: tuple[Page, ...] | None,
) -> Written:
    """See `write_results`. `pages` are those of the checkpoints, for who has them already."""

    def write(result_format: ResultFormat) -> None:
        password = options.plain_password
        write_result(uuid, token, result_format, checkpoints, document, password, pages=pages, write_file=write_file)

    write("txt")
    failures = []
    for result_format in options.formats:
        try:
            if result_format != "txt":
                write(result_format)
        except (ServiceError, FileNotFound):  # the surroundings are at fault, not the document
            raise
        except Exception as error:  # noqa: BLE001 - the loop logs it; the other formats are written all the same
            problem = result_not_made(f"the format {RESULT_FORMATS[result_format].title}", error)
            failures.append(FormatFailure(result_format, problem, traceback.format_exc()))
    texts = None if pages is None else {page.number: searched_text(page) for page in pages}
    return Written(tuple(failures), texts)


def write_result(
    uuid: str,
    token: str,
    result_format: ResultFormat,
    checkpoints: Sequence[tuple[int, str]],
    document: Document,
    password: str | None,
    corrections: Corrections = AS_READ,
    pages: Iterable[Page] | None = None,
    write_file: WriteFile | None = None,
) -> None:
    """Write one format with the corrections, under the name of their revision. Raises what its writer or the File Storage raises.

    `pages` are those of the checkpoints, with the corrections, for who has read them already; `write_file` is for who writes several files together.
    """
    storage, name = _here().storage, result_name(token, result_format, corrections.revision)
    with _here().document(uuid) as path, (write_file or partial(storage.write, uuid))(name) as sink:
        written = _pages(storage, uuid, checkpoints, corrections.of_pages) if pages is None else pages
        writer_for(result_format)(document, written, DocumentFile(path, password), sink)


def write_picture(uuid: str, token: str, checkpoint: tuple[int, str], stage: Stage, options: Options) -> None:
    """Write the picture of a page at a stage beside the results of the attempt `token`; nothing is read again.

    `checkpoint` is (page number, attempt token). Raises a DocumentError, or what the File Storage raises.
    """
    storage, (number, _) = _here().storage, checkpoint
    (page,) = _pages(storage, uuid, [checkpoint], {})
    try:
        with _here().document(uuid) as path:
            file = DocumentFile(path, options.plain_password)
            picture = page_picture(file, page, stage, options, _here().limits)
        with storage.write(uuid, picture_name(token, number, stage)) as sink:
            write_png(picture, sink)
    except MemoryError as error:
        raise _out_of_memory(number) from error


def result_not_made(what: str, error: Exception) -> ResultNotMade:
    """What a reader of the job is told where making `what`, such as "the format TSV", raised `error`."""
    if isinstance(error, RectoError):
        return ResultNotMade(error.detail, reason=error.code)
    if isinstance(error, MemoryError):
        return ResultNotMade(
            f"Making {what} needs more memory than one process may have. Read fewer pages at once, "
            "or have worker.process_memory_bytes raised."
        )
    return ResultNotMade(
        f"{what[0].upper()}{what[1:]} could not be made ({type(error).__name__}). It was logged; the other results are there."
    )


def _pages(
    storage: FileStorage,
    uuid: str,
    checkpoints: Sequence[tuple[int, str]],
    corrections: Mapping[int, tuple[Correction, ...]],
) -> Iterator[Page]:
    """One page at a time: a document of a thousand does not fit the memory."""
    names = (checkpoint_name(token, number) for number, token in checkpoints)
    for (number, _), content in zip(checkpoints, storage.read_each(uuid, names), strict=True):
        yield corrected(page_from_json(content), corrections.get(number, ()))


def _out_of_memory(number: int) -> PageOutOfMemory:
    return PageOutOfMemory(
        f"Page {number} needs more memory than one page may have. Scan it at a lower resolution, "
        "or raise worker.process_memory_bytes."
    )


def _here() -> _PageProcess:
    if _process is None:
        raise RuntimeError("start_page_process was not called in this process.")
    return _process
