"""A Recto in this process: a storage folder with its database, a Backend and a Worker's loop on it, one job in it.

Everything is the product's own but the reading of a page, which is a constant, and the page processes: their tasks run here, when they
are called for, so that a fault can be put between any two steps of theirs.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar
from unittest import mock

from flask import Flask
from PIL import Image
from sqlalchemy import Engine

from app import create_app
from ocr_worker import main
from recto import accounts, worker
from recto.commands import derive, parts
from recto.database import connections as database
from recto.database.connections import Begin, connect, transaction, upgrade_schema
from recto.executors import PROCESS_DIED
from recto.file_storage.base import DOCUMENT, METADATA
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits
from recto.ocr.options import Options
from recto.ocr.page import Block, Box, Line, Page, Quad, Word
from recto.settings import load_settings
from recto.storage_setup import StorageSetup
from recto.time_limits import TimeLimits
from recto.web.serving.database import db
from recto.webhooks import endpoints as webhooks
from recto.worker import Worker
from recto.working import page_tasks
from recto.working.heartbeat import Heartbeat
from recto.working.pace import Pace
from recto.working.page_tasks import EngineReport, PageProcessSetup
from recto.working.text_indexer import IndexingThread, TextIndexer
from tests.chaos.faults import Crash, Steps
from tests.conftest import POLICY, JobTable, SetClock, new_submission, sqlite_url
from tests.web.clients import Program

_T = TypeVar("_T")
PAGES: Final = 2
_QUAD: Final[Quad] = ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0))
_LIMITS: Final = TimeLimits(30.0, 0.0, 3600.0, 0.0)
_SETUP: Final = {
    "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0",
    "RECTO_WORKER_NICENESS": "0",
    "RECTO_WORKER_PROCESS_MEMORY_BYTES": "0",
}


def page(number: int) -> Page:
    """What reading that page gives."""
    word = Word(f"Page-{number}", 0.9, Box(0, 0, 9, 5), _QUAD)
    line = Line((word,), Box(0, 0, 9, 5), _QUAD, 0)
    return Page(number, 60, 40, 300.0, ("eng",), "constant 1", (), (Block((line,), Box(0, 0, 9, 5)),))


def draw_document(file: Path) -> bytes:
    """A TIFF of PAGES pages."""
    first, *others = [Image.new("L", (60, 40), 255) for _ in range(PAGES)]
    first.save(file, format="TIFF", save_all=True, append_images=others)
    return file.read_bytes()


class Template:
    """A database with one user, a token and a webhook of theirs, made once and copied for each world; and the document."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "template.db"
        self.document = draw_document(folder / "document.tif")
        engine = connect(sqlite_url(self.file), busy_timeout_s=1.0)
        upgrade_schema(engine)
        with transaction(JobTable(engine, SetClock()).sessions(), Begin.WRITE) as session:
            self.user_id = accounts.create_user(session, "ann", "-")
            self.token = accounts.create_token(session, self.user_id, "tests")
            webhooks.set_url(session, self.user_id, "https://hooks.example.com/")
        engine.dispose()
        self._dialect, self._compiled = engine.dialect, engine._compiled_cache

    def quick(self, engine: Engine) -> Engine:
        """Statements that one world has compiled are not compiled again in the next: most of the time went there."""
        engine.dialect, engine._compiled_cache = self._dialect, self._compiled
        return engine


class HeldExecutor:
    """An Executor with one page process, whose tasks run in this process when `run_next` is called."""

    def __init__(self) -> None:
        self.capacity = 1
        self.steps: Steps | None = None
        self._tasks: list[tuple[Callable[[], Any], Future[Any]]] = []

    def submit(self, task: Callable[[], _T], timeout_s: float) -> "Future[_T]":
        future: Future[_T] = Future()
        self._tasks.append((task, future))
        return future

    def stop(self) -> None:
        for _, future in self._tasks:
            future.cancel()

    def run_next(self, *, dies_alone: bool = False) -> bool:
        """Run the oldest task that nobody cancelled; False where there is none. `dies_alone`: a crash costs this task's process only."""
        while self._tasks:
            task, future = self._tasks.pop(0)
            if not future.cancelled():
                self._run(task, future, dies_alone=dies_alone)
                return True
        return False

    def _run(self, task: Callable[[], Any], future: "Future[Any]", *, dies_alone: bool) -> None:
        steps = self.steps or Steps(Path("/nowhere"))
        steps.in_page_process = True
        try:
            future.set_result(task())
        except Crash:
            if not dies_alone:
                raise
            steps.revive()
            future.set_exception(PROCESS_DIED[0]("killed"))  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - what a task raises is what its future ends with
            future.set_exception(error)
        finally:
            steps.in_page_process = False


class World:
    """The parts on one folder. `restarted` gives new ones on the same folder, as after the end of every process."""

    def __init__(
        self, folder: Path, template: Template, clock: SetClock, engines: list[Engine], name: str = "one"
    ) -> None:
        self.folder = folder
        self.template = template
        self._engines = engines
        self.user_id = template.user_id
        self.storage = VolumeStorage(folder)
        self.engine = template.quick(connect(sqlite_url(folder / "recto.db"), busy_timeout_s=1.0))
        self.table = JobTable(self.engine, clock)
        self.executor = HeldExecutor()
        self.heartbeat = Heartbeat(
            name,
            self.table.sessions,
            Jobs(POLICY, clock),
            EngineReport("constant 1", ("eng",), "constant 1"),
            lambda: 1,
        )
        self.heartbeat._watch._clock = clock
        self.worker = Worker(name, self.table.engine, self.table.jobs, self.executor, self.heartbeat, _LIMITS, 0.0)
        self._app: Flask | None = None

    @property
    def program(self) -> Program:
        """A client of the Backend with the user's token."""
        if self._app is None:
            self._app = create_app(load_settings(_SETUP | {"RECTO_FILE_STORAGE_PATH": str(self.folder)}))
            with self._app.app_context():
                self.template.quick(db.engine)
        return Program(self._app, self.template.token)

    def submit(self) -> str:
        """A job that was accepted, without a Backend."""
        submission, incoming = new_submission(self.user_id), self.storage.incoming()
        incoming.file.write(self.template.document)
        incoming.keep(submission.uuid, DOCUMENT)
        with self.storage.write(submission.uuid, METADATA) as file:
            file.write(json.dumps({"uuid": submission.uuid}).encode())
        self.table.do(self.table.jobs.submit, submission)
        return submission.uuid

    def step(self) -> None:
        """One round of the Worker's loop."""
        self.worker.step()

    def read_all(self) -> None:
        """Go round until nothing is left to do."""
        for _ in range(100):
            self.step()
            if not self.executor.run_next():
                return
        raise AssertionError("the Worker never came to rest")

    def derive(self, uuid: str, name: str, token: str) -> None:
        """What the Backend's process does that makes a format."""
        main(["derive", uuid, name, "--token", token], standalone_mode=False)

    def index(self) -> None:
        """Put into the index what was read, and take out for good what was deleted."""
        IndexingThread(TextIndexer(self.table.sessions, self.storage), Pace(1.0), purges_every_s=0.0).step()

    def restarted(self, later_s: float) -> "World":
        """The same folder, opened afresh, `later_s` later."""
        self.close()
        self.table.clock.move(later_s)
        return World(self.folder, self.template, self.table.clock, self._engines, "two")

    def close(self) -> None:
        """Let go of the database."""
        self.executor.stop()
        for engine in (self.engine, *self._engines):
            engine.dispose()
        if self._app is not None:
            with self._app.app_context():
                db.engine.dispose()
        _let_go_of_scratch(self.folder)


def _let_go_of_scratch(folder: Path) -> None:
    """Close what a page process holds until it dies: the kernel would have done it."""
    for entry in Path("/proc/self/fd").glob("*"):
        with suppress(FileNotFoundError):  # the listing's own
            if str(entry.readlink()).startswith(f"{folder}/.incoming/"):
                os.close(int(entry.name))


@contextmanager
def new_world(template: Template, folder: Path) -> Iterator[World]:
    """A world without a job in `folder`, and this process as its page process."""
    folder.mkdir()
    shutil.copy(template.file, folder / "recto.db")
    engines: list[Engine] = []

    def connect_and_remember(url: str, busy_timeout_s: float) -> Engine:
        engines.append(template.quick(connect(url, busy_timeout_s)))
        return engines[-1]

    with ExitStack() as stack:
        environ = _SETUP | {"RECTO_FILE_STORAGE_PATH": str(folder)}
        stack.enter_context(mock.patch.dict(os.environ, environ))
        stack.enter_context(mock.patch.object(tempfile, "tempdir", None))
        stack.enter_context(mock.patch.object(worker, "_BUSY_PAUSE_S", 0.0))
        stack.enter_context(mock.patch.object(database, "_prepare_sqlite_connection", _prepare_quick_connection))
        stack.enter_context(mock.patch.object(parts, "connect", connect_and_remember))
        stack.enter_context(mock.patch.object(derive, "configure_logging"))
        stack.enter_context(mock.patch.object(page_tasks, "read_page", _read_page))
        stack.enter_context(mock.patch.object(page_tasks, "_process", None))
        setup = PageProcessSetup("auto", None, Limits(100, 10**8, 10**9), 0, StorageSetup(folder))
        page_tasks.prepare_this_process(setup, reads=False)
        world = World(folder, template, SetClock(time.time_ns() // 1000), engines)
        try:
            yield world
        finally:
            world.close()


_prepare_connection: Final = database._prepare_sqlite_connection


def _prepare_quick_connection(connection: Any, record: Any) -> None:
    """Nobody pulls the plug here: a process that ends loses nothing that the system has."""
    _prepare_connection(connection, record)
    connection.execute("PRAGMA synchronous=OFF").close()


def _read_page(_file: DocumentFile, number: int, _options: Options) -> Page:
    return page(number)
