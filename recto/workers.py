"""The Worker registry: who runs, with which engine and languages. How the Backend knows what can be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import Worker
from recto.database.connections import NowMicroseconds, utc

SEEN_WITHIN_S = 30.0
"""A Worker that reported longer ago than this counts as gone. Workers report every few seconds."""
_FORGET_AFTER_S = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A Worker as it last reported. `languages` as Tesseract names them; `result_version` is None of one that reported none."""

    name: str
    version: str
    engine: str
    languages: tuple[str, ...]
    processes: int
    started: datetime
    seen: datetime
    is_alive: bool
    result_version: str | None


def report(
    session: Session,
    name: str,
    version: str,
    engine: str,
    languages: Sequence[str],
    processes: int,
    result_version: str | None = None,
) -> None:
    """Write down that a Worker is there. Forgets those that have been gone for a month."""
    now = session.scalars(select(NowMicroseconds())).one()
    worker = session.get(Worker, name)
    if worker is None:
        worker = Worker(name=name, started_us=now)
        session.add(worker)
    worker.version, worker.engine, worker.languages, worker.processes = version, engine, list(languages), processes
    worker.result_version = result_version
    worker.seen_us = now
    session.execute(delete(Worker).where(Worker.seen_us < now - round(_FORGET_AFTER_S * 1_000_000)))


_IS_ALIVE: Final = Worker.seen_us > NowMicroseconds() - round(SEEN_WITHIN_S * 1_000_000)
_WORKERS: Final = select(Worker, _IS_ALIVE).order_by(Worker.seen_us.desc())
"""Built once: many requests ask it."""


def list_workers(session: Session) -> list[WorkerView]:
    """Every Worker that is remembered, the last seen first."""
    return [
        WorkerView(
            name=worker.name,
            version=worker.version,
            engine=worker.engine,
            languages=tuple(worker.languages),
            processes=worker.processes,
            started=utc(worker.started_us),
            seen=utc(worker.seen_us),
            is_alive=bool(is_alive),
            result_version=worker.result_version,
        )
        for worker, is_alive in session.execute(_WORKERS)
    ]


def sign_off(session: Session, name: str) -> None:
    """A Worker that stops says so, instead of being waited for."""
    worker = session.get(Worker, name)
    if worker is not None:
        worker.seen_us = 0


def installed_languages(workers: Sequence[WorkerView]) -> tuple[str, ...]:
    """Languages that some living Worker has; where none lives, those of the last one seen. Empty before any Worker was seen."""
    return tuple(sorted({language for worker in _living(workers) for language in worker.languages} - {"osd"}))


def result_versions(workers: Sequence[WorkerView]) -> frozenset[str]:
    """What the results of living Workers depend on; where none lives, those of the last one seen."""
    return frozenset(worker.result_version for worker in _living(workers) if worker.result_version)


def _living(workers: Sequence[WorkerView]) -> Sequence[WorkerView]:
    return [worker for worker in workers if worker.is_alive] or workers[:1]
