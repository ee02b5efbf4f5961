"""What runs in a page process: opening a document, reading one page, writing the results. No database connection here.

Each task is a plain function of picklable values, so that it runs in a local process or on a cluster's node alike. What a
process needs for all its tasks, such as the engine with its loaded languages, is made once by `start_page_process`.
"""

import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from recto.errors import PageOutOfMemory
from recto.file_storage.base import DOCUMENT, FileStorage, checkpoint_name, result_name
from recto.file_storage.volume import VolumeStorage
from recto.ocr.documents import DocumentInfo, Limits, inspect
from recto.ocr.engines.base import Engine
from recto.ocr.engines.select import EngineName, choose_engine
from recto.ocr.options import ResultFormat
from recto.ocr.page import Document, Page
from recto.ocr.pipeline import recognise_page
from recto.ocr.writers.json import page_from_json, page_to_json
from recto.ocr.writers.registry import WRITERS
from recto.parent_death import die_with_parent


@dataclass(frozen=True, slots=True)
class PageProcessSetup:
    """What a page process is started with. `storage_root` is None without a store.

    `memory_bytes` caps its address space; 0: no cap. `niceness` is added to that of the parent (nice(2)): recognition takes whole
    cores, and the programs that answer people should not have to wait for them.
    """

    engine: EngineName
    tessdata: Path | None
    limits: Limits
    memory_bytes: int
    storage_root: Path | None
    niceness: int = 0


@dataclass(frozen=True, slots=True)
class EngineReport:
    """The engine of the page processes: name with version, installed languages."""

    engine: str
    languages: tuple[str, ...]


class _PageProcess:
    """The parts that the tasks of this process share."""

    def __init__(self, setup: PageProcessSetup) -> None:
        self.limits = setup.limits
        self.engine: Engine = choose_engine(setup.engine, setup.tessdata)
        self._storage_root = setup.storage_root

    @property
    def storage(self) -> FileStorage:
        if self._storage_root is None:
            raise RuntimeError("This page process was started without a File Storage.")
        return VolumeStorage(self._storage_root)


_process: _PageProcess | None = None


def start_page_process(setup: PageProcessSetup) -> None:
    """Initialiser of a page process: it ends with its parent, ignores Ctrl-C (the parent decides), and has a memory cap."""
    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(setup.niceness)
    if setup.memory_bytes and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (setup.memory_bytes, setup.memory_bytes))
    prepare_this_process(setup)


def prepare_this_process(setup: PageProcessSetup) -> None:
    """Let the tasks run in the calling process itself. EngineMissing where the engine is not installed."""
    global _process
    os.environ["OMP_THREAD_LIMIT"] = "1"  # one thread a process, one process a core: Tesseract's threads fight
    _process = _PageProcess(setup)


def describe_engine() -> EngineReport:
    """Which engine this process has. Loads it, so that the first page does not wait for it."""
    engine = _here().engine
    return EngineReport(f"{engine.name} {engine.version()}", tuple(sorted(engine.languages())))


def inspect_document(uuid: str) -> DocumentInfo:
    """Open a job's document by its headers. Raises a DocumentError."""
    with _here().storage.local_path(uuid, DOCUMENT) as path:
        return inspect_file(path)


def inspect_file(path: Path) -> DocumentInfo:
    """The same for a file outside the store."""
    return inspect(path, _here().limits)


def checkpoint_page(uuid: str, token: str, number: int, languages: tuple[str, ...]) -> None:
    """Read one page of a job and keep it as a checkpoint of the attempt `token`. Raises a DocumentError."""
    storage = _here().storage
    with storage.local_path(uuid, DOCUMENT) as path:
        page = read_page(path, number, languages)
    with storage.write(uuid, checkpoint_name(token, number)) as file:
        file.write(page_to_json(page))


def read_page(path: Path, number: int, languages: tuple[str, ...]) -> Page:
    """Read one page of a file. Raises a DocumentError; PageOutOfMemory where the process's cap was hit."""
    try:
        return recognise_page(path, number, languages, _here().engine, _here().limits)
    except MemoryError as error:
        raise PageOutOfMemory(
            f"Page {number} needs more memory than one page may have. Scan it at a lower resolution, "
            "or raise worker.process_memory_bytes."
        ) from error


def write_results(uuid: str, token: str, checkpoints: Sequence[tuple[int, str]], document: Document) -> None:
    """Write every format from the checkpoints, (page number, attempt token) each, as results of the attempt `token`."""
    storage = _here().storage
    for result_format in get_args(ResultFormat):
        with storage.write(uuid, result_name(token, result_format)) as sink:
            WRITERS[result_format](document, _pages(storage, uuid, checkpoints), sink)


def _pages(storage: FileStorage, uuid: str, checkpoints: Sequence[tuple[int, str]]) -> Iterator[Page]:
    """One page at a time: a document of a thousand does not fit the memory."""
    for number, token in checkpoints:
        with storage.open(uuid, checkpoint_name(token, number)) as file:
            yield page_from_json(file.read())


def _here() -> _PageProcess:
    if _process is None:
        raise RuntimeError("start_page_process was not called in this process.")
    return _process
