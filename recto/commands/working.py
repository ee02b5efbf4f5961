"""What `run` and `dispatch` have in common: a Worker's loop with all that goes on beside it, until it is stopped."""

import gc
import os
import secrets
import signal
import socket
import threading
from functools import partial
from pathlib import Path
from types import FrameType

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from recto.commands.parts import job_operations, open_database, open_storage
from recto.database.connections import Begin, transaction
from recto.errors import SettingsError
from recto.executors import Executor
from recto.file_storage.scratch import clear_scratch
from recto.logs import configure_logging, get_logger
from recto.ocr.options import AUTO_LANGUAGE
from recto.queue_order import work_left
from recto.settings import Settings
from recto.tracing.start import start_tracing
from recto.worker import Worker
from recto.working.expiry import Expiry, ExpiryThread
from recto.working.heartbeat import Heartbeat, requeue_of_dead
from recto.working.page_tasks import EngineReport
from recto.working.presence import FOLDER, Presence
from recto.working.sweeper import Sweeper, SweepingThread, background_pace
from recto.working.text_indexer import IndexingThread, TextIndexer, indexing_pace

_log = get_logger(__name__)


class Working:
    """A Worker with its place among the others: its name, its database, its signals. Made before what may take long to start."""

    def __init__(self, settings: Settings, service_name: str) -> None:
        """`service_name` is what traces call this program."""
        configure_logging(settings.log.level, settings.log.format)
        self.stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, partial(_stop, self.stopping))
        if settings.ocr.tessdata_path and not Path(settings.ocr.tessdata_path).is_dir():
            raise SettingsError(
                f"ocr.tessdata_path names no folder: {settings.ocr.tessdata_path}. Leave it empty for Tesseract's own."
            )
        self._settings = settings
        self._tracing = start_tracing(settings.tracing.endpoint, service_name)
        self._database: Engine = open_database(settings)
        self.storage = open_storage(settings)
        self._sessions = sessionmaker(self._database)
        self._jobs = job_operations(settings)
        self._presence = Presence(settings.file_storage.path / FOLDER, _new_name())
        # Before the engines start: the pause before another attempt passes meanwhile.
        requeue_of_dead(self._sessions, self._jobs, self._presence)

    def work(self, executor: Executor, engine: EngineReport) -> None:
        """Read jobs until a signal says to stop."""
        settings, name = self._settings, self._presence.name
        missing = sorted(set(settings.ocr.languages.split("+")) - {AUTO_LANGUAGE, *engine.languages})
        if missing:
            _log.warning("default_language_not_installed", languages="+".join(missing), setting="ocr.languages")
        heartbeat = Heartbeat(name, self._sessions, self._jobs, engine, lambda: executor.capacity, self._presence)
        beside = (self._sweeping(), self._indexing(), self._expiring())
        heartbeat.start()
        for thread in beside:
            thread.start()
        _log.info("worker_ready", worker=name, engine=engine.engine, processes=executor.capacity)
        limits, poll_interval_s = settings.worker.time_limits, settings.worker.poll_interval_s
        gc.freeze()  # what is there from now on to the end: no collection need look through it
        worker = Worker(name, self._database, self._jobs, executor, heartbeat, limits, poll_interval_s, self._tracing)
        worker.run(self.stopping)
        for thread in beside:
            thread.stop()
        heartbeat.stop()
        self._presence.leave()

    def work_left(self) -> int:
        """How much the queue holds (recto/queue_order.py)."""
        with transaction(self._sessions(), Begin.READ) as session:
            return work_left(session)

    def ended(self) -> None:
        """Clean up after the executor has stopped."""
        clear_scratch(self._settings.file_storage.path)
        self._tracing.stop()
        _log.info("worker_stopped", worker=self._presence.name)

    def _sweeping(self) -> SweepingThread:
        settings, pace = self._settings, background_pace()
        sweeper = Sweeper(
            self._sessions,
            self._jobs,
            self.storage,
            settings.file_storage.sweep_after_s,
            event_lifetime_s=settings.database.event_lifetime_s,
            pace=pace,
        )
        return SweepingThread(sweeper.sweep, settings.file_storage.sweep_interval_s, pace=pace)

    def _indexing(self) -> IndexingThread:
        pace = indexing_pace()
        return IndexingThread(TextIndexer(self._sessions, self.storage, pace), pace)

    def _expiring(self) -> ExpiryThread:
        expiry = Expiry(self._sessions, self._jobs, self.storage)
        return ExpiryThread(expiry, self._settings.retention.check_interval_s)


def _new_name() -> str:
    """Of this process alone: hosts may be called alike, and in containers every Worker has the same process id."""
    return f"{socket.gethostname()}-{secrets.token_hex(4)}-{os.getpid()}"


def _stop(stopping: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stopping.set()
