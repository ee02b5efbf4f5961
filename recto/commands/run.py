"""`run`: the Worker."""

import os
import secrets
import signal
import socket
import threading
from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from types import FrameType

import click
from sqlalchemy.orm import sessionmaker

from recto.commands.page_processes import core_count, page_process_setup
from recto.commands.parts import job_operations, open_database, open_storage
from recto.errors import EngineMissing, SettingsError
from recto.executors import PROCESS_DIED, LocalProcesses
from recto.expiry import Expiry, ExpiryThread
from recto.file_storage.scratch import clear_scratch
from recto.heartbeat import Heartbeat, requeue_of_dead
from recto.logs import configure_logging, get_logger
from recto.ocr.options import AUTO_LANGUAGE
from recto.page_tasks import EngineReport, describe_engine
from recto.presence import FOLDER, Presence
from recto.settings import load_settings
from recto.sweeper import Sweeper, SweepingThread, background_pace
from recto.text_indexer import IndexingThread, TextIndexer, indexing_pace
from recto.tracing import start_tracing
from recto.worker import Worker

_log = get_logger(__name__)
_START_TIMEOUT_S = 120.0


@click.command()
@click.option("--processes", type=click.IntRange(min=1), help="Page processes; one per core where it is left out.")
def run(processes: int | None) -> None:
    """Claim jobs and read them, until stopped."""
    settings = load_settings(os.environ)
    configure_logging(settings.log.level, settings.log.format)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_stop, stopping))
    if settings.ocr.tessdata_path and not Path(settings.ocr.tessdata_path).is_dir():
        raise SettingsError(
            f"ocr.tessdata_path names no folder: {settings.ocr.tessdata_path}. Leave it empty for Tesseract's own."
        )
    tracing = start_tracing(settings.tracing.endpoint, "recto-worker")
    database, storage = open_database(settings), open_storage(settings)
    sessions = sessionmaker(database)
    jobs = job_operations(settings)
    presence = Presence(settings.file_storage.path / FOLDER, _new_name())
    name = presence.name
    # Before the engines start: the pause before another attempt passes meanwhile.
    requeue_of_dead(sessions, jobs, presence)
    count = processes or settings.worker.processes or core_count()
    executor = LocalProcesses(count, settings.worker.pages_per_process, page_process_setup(settings, with_storage=True))
    try:
        engine = _start_engines(executor)
        missing = sorted(set(settings.ocr.languages.split("+")) - {AUTO_LANGUAGE, *engine.languages})
        if missing:
            _log.warning("default_language_not_installed", languages="+".join(missing), setting="ocr.languages")
        heartbeat = Heartbeat(name, sessions, jobs, engine, count, presence)
        worker = settings.worker
        pace = background_pace()
        sweeper = Sweeper(
            sessions,
            jobs,
            storage,
            settings.file_storage.sweep_after_s,
            event_lifetime_s=settings.database.event_lifetime_s,
            pace=pace,
        )
        sweeping = SweepingThread(sweeper.sweep, settings.file_storage.sweep_interval_s, pace=pace)
        pace_of_indexing = indexing_pace()
        indexing = IndexingThread(TextIndexer(sessions, storage, pace_of_indexing), pace_of_indexing)
        expiring = ExpiryThread(Expiry(sessions, jobs, storage), settings.retention.check_interval_s)
        heartbeat.start()
        sweeping.start()
        indexing.start()
        expiring.start()
        _log.info("worker_ready", worker=name, engine=engine.engine, processes=count)
        limits, poll_interval_s = worker.time_limits, worker.poll_interval_s
        Worker(name, database, jobs, executor, heartbeat, limits, poll_interval_s, tracing).run(stopping)
        expiring.stop()
        sweeping.stop()
        indexing.stop()
        heartbeat.stop()
        presence.leave()
    finally:
        executor.stop()
        clear_scratch(settings.file_storage.path)
        tracing.stop()
    _log.info("worker_stopped", worker=name)


def _new_name() -> str:
    """Of this process alone: hosts may be called alike, and in containers every Worker has the same process id."""
    return f"{socket.gethostname()}-{secrets.token_hex(4)}-{os.getpid()}"


def _stop(stopping: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stopping.set()


def _start_engines(executor: LocalProcesses) -> EngineReport:
    """Start every page process and learn from one what it can read."""
    reports = [executor.submit(describe_engine, _START_TIMEOUT_S) for _ in range(executor.capacity)]
    try:
        return [report.result() for report in reports][-1]
    except (*PROCESS_DIED, CancelledError) as error:
        raise EngineMissing("The page processes cannot start. `ocr_worker.py doctor` says what is missing.") from error
