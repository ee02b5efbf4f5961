"""The figures that an operator watches, as Prometheus metrics: one reading transaction, and no scan of what has ended.

What has happened is read from the meters; what waits and runs is counted in partial indices that are as small as the work in hand. Names and meanings are
in docs/metrics.md, which a test holds to this table. No label has a user, a job or a file in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Job, JobStatus, Worker
from recto import __version__
from recto.database.connections import NowMicroseconds, size_bytes
from recto.errors import DocumentError
from recto.file_storage.base import Space
from recto.queue_order import IS_IN_PROGRESS, QUEUED
from recto.records.meters import Metered, read_all
from recto.stage_labels import BUCKETS_S, STAGES, stage_label
from recto.workers import SEEN_WITHIN_S

_US: Final = 1_000_000
_IS_QUEUED: Final = (Job.status == QUEUED) & (Job.created_us > 0)
"""What always holds is said so that SQLite takes the partial index."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the Database says. `oldest_queued_s`: age of the oldest job that waits, 0 where none does. `meters`: see recto/records/meters.py."""

    queued: int
    oldest_queued_s: float
    in_progress: int
    workers: int
    processes: int
    database_bytes: int
    meters: dict[Metered, dict[str, int]]

    def total(self, count: Metered) -> int:
        """Over all labels."""
        return sum(self.meters[count].values())


def read_figures(session: Session) -> Figures:
    """All of them, of one moment."""
    now, queued, oldest_us = session.execute(
        select(NowMicroseconds(), func.count(), func.min(Job.created_us)).where(_IS_QUEUED)
    ).one()
    is_alive = Worker.seen_us > NowMicroseconds() - round(SEEN_WITHIN_S * _US)
    workers, processes = session.execute(
        select(func.count(), func.coalesce(func.sum(Worker.processes), 0)).where(is_alive)
    ).one()
    return Figures(
        queued=queued,
        oldest_queued_s=max(0, now - oldest_us) / _US if queued else 0.0,
        in_progress=session.execute(select(func.count()).select_from(Job).where(IS_IN_PROGRESS)).scalar_one(),
        workers=workers,
        processes=processes,
        database_bytes=size_bytes(session),
        meters=read_all(session),
    )


def metrics_of(figures: Figures, space: Space | None) -> Iterator[Metric]:
    """As Prometheus takes them."""
    yield _gauge("recto_build_info", "1, with the version as its label", {(__version__,): 1}, "version")
    yield from _of_jobs(figures)
    yield from _of_pages(figures)
    yield _gauge("recto_workers_alive", "Workers that reported lately", figures.workers)
    yield _gauge("recto_worker_processes", "Page processes of the Workers that are alive", figures.processes)
    yield from _of_room(figures, space)


def _of_jobs(figures: Figures) -> Iterator[Metric]:
    deleted = figures.meters[Metered.JOBS_DELETED]
    finished, failed = figures.total(Metered.JOBS_FINISHED), figures.total(Metered.JOBS_FAILED)
    by_status = {
        JobStatus.QUEUED: figures.queued,
        JobStatus.IN_PROGRESS: figures.in_progress,
        JobStatus.FINISHED: finished - deleted.get(JobStatus.FINISHED, 0),
        JobStatus.FAILURE: failed - deleted.get(JobStatus.FAILURE, 0),
    }
    yield _gauge(
        "recto_jobs", "Jobs by status", {(status.value,): count for status, count in by_status.items()}, "status"
    )
    yield _gauge(
        "recto_queue_oldest_age_seconds", "Age of the oldest job that waits; 0: none waits", figures.oldest_queued_s
    )
    # Every job that ever was has ended, is unfinished, or was deleted unfinished: no upload writes a meter.
    submitted = figures.queued + figures.in_progress + finished + failed
    submitted += sum(deleted.get(status, 0) for status in (JobStatus.QUEUED, JobStatus.IN_PROGRESS))
    yield _counter("recto_jobs_submitted", "Jobs that were accepted", submitted)
    yield _counter("recto_jobs_finished", "Jobs that ended with a result", finished)
    yield _counter(
        "recto_jobs_failed",
        "Jobs that ended in FAILURE",
        _no_failures() | figures.meters[Metered.JOBS_FAILED],
        "reason",
    )
    yield _counter(
        "recto_jobs_requeued",
        "Attempts after which the job waits again",
        figures.meters[Metered.JOBS_REQUEUED],
        "reason",
    )
    yield _counter("recto_jobs_deleted", "Jobs that were deleted", figures.total(Metered.JOBS_DELETED))
    yield _counter(
        "recto_leases_lost",
        "Attempts taken away from Workers that died or were silent",
        figures.total(Metered.LEASES_LOST),
    )


def _of_pages(figures: Figures) -> Iterator[Metric]:
    yield _counter("recto_pages_read", "Pages that were read", figures.total(Metered.PAGES_READ))
    yield _counter(
        "recto_pages_failed",
        "Pages that could not be read",
        _no_failures() | figures.meters[Metered.PAGES_FAILED],
        "reason",
    )
    histogram = HistogramMetricFamily(
        "recto_stage_seconds",
        "Seconds by stage: prepare, recognise and store a page, open and write a document",
        labels=["stage"],
    )
    times, total_us = figures.meters[Metered.STAGE_TIMES], figures.meters[Metered.STAGE_US]
    bounds = [*(str(bound) for bound in BUCKETS_S), "+Inf"]
    for stage in STAGES:
        counts = accumulate(times.get(stage_label(stage, bucket), 0) for bucket in range(len(bounds)))
        histogram.add_metric([stage], list(zip(bounds, counts, strict=True)), total_us.get(stage, 0) / _US)
    yield histogram


def _of_room(figures: Figures, space: Space | None) -> Iterator[Metric]:
    yield _gauge("recto_database_bytes", "Size of the database", figures.database_bytes)
    stored = figures.meters[Metered.STORED_BYTES]
    if stored:
        kinds: dict[tuple[str, ...], float] = {(kind,): count for kind, count in stored.items()}
        yield _gauge("recto_storage_bytes", "Size of what the jobs store, as the last sweep saw it", kinds, "kind")
        yield _gauge("recto_storage_swept_timestamp_seconds", "When that was", figures.total(Metered.SWEPT_US) / _US)
    if space is not None:
        yield _gauge("recto_storage_free_bytes", "Free room on the File Storage's disk", space.free_bytes)
        yield _gauge("recto_storage_total_bytes", "Size of the File Storage's disk", space.total_bytes)
        yield _gauge(
            "recto_storage_refused_below_bytes", "With less free room, uploads are refused", space.refused_below_bytes
        )
    if backed_up_us := figures.total(Metered.BACKED_UP_US):
        yield _gauge("recto_backup_timestamp_seconds", "When the last backup was complete", backed_up_us / _US)


@cache
def _no_failures() -> dict[str, int]:
    """0 for every reason that there is: Prometheus sees no increase in what was not there before."""
    return {kind.code: 0 for kind in _kinds(DocumentError)}


def _kinds(error: type[DocumentError]) -> Iterator[type[DocumentError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _gauge(name: str, says: str, value: float | Mapping[tuple[str, ...], float], *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=labels)
    for own, number in value.items() if isinstance(value, Mapping) else [((), value)]:
        family.add_metric(own, number)
    return family


def _counter(name: str, says: str, value: int | Mapping[str, int], *labels: str) -> CounterMetricFamily:
    family = CounterMetricFamily(name, says, labels=labels)
    for own, number in value.items() if isinstance(value, Mapping) else [(None, value)]:
        family.add_metric([own] if own is not None else [], number)
    return family
