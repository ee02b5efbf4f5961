"""The Worker's loop: claim jobs, have their pages read, write the results, record the end.

Pages are the unit of work: the loop keeps every process busy with pages of the jobs in hand, taking turns between users, and
claims another job as soon as a process would be idle, or a user waits who has none in hand, or nothing lies ready for the process
that is free next and no other Worker has taken what waits. The loop and its heartbeat own the
database connections; what takes time runs in page processes.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from structlog.typing import FilteringBoundLogger

from recto.database.commits import watch_commits
from recto.database.connections import Begin, transaction
from recto.errors import (
    DatabaseBusy,
    DocumentError,
    EngineMissing,
    FileNotFound,
    LanguageNotInstalled,
    LeaseLost,
    PageCrashed,
    PageUnreadable,
    RectoError,
    ServiceError,
    StorageFull,
    StorageUnavailable,
)
from recto.executors import PROCESS_DIED, Executor
from recto.jobs import Claim, Jobs, Lease
from recto.logs import get_logger
from recto.ocr.documents import DocumentInfo
from recto.ocr.options import AUTO_LANGUAGE, Options, page_numbers
from recto.ocr.page import ResultWarning
from recto.records import derivations
from recto.stage_labels import Stage
from recto.time_limits import TimeLimits, job_timeout, page_timeout
from recto.tracing.spans import NoTracing, Span, Tracing
from recto.views.jobs import checkpoints, page_failures
from recto.working.heartbeat import Heartbeat
from recto.working.job_in_hand import JobInHand, Work, WorkKind
from recto.working.page_tasks import (
    FormatFailure,
    WholeDocument,
    Written,
    checkpoint_page,
    describe_result,
    inspect_document,
    read_whole_document,
    write_results,
)
from recto.working.transactions import Operation

_log = get_logger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")
_BUSY_PAUSE_S: Final = 0.5
_SHORT_PAGE_S: Final = 0.1
_WEIGHT_OF_LATEST: Final = 0.2
_GLANCE_S: Final = 0.01
"""How soon an idle process hears of a new job: looking costs some microseconds, and waking up for it some more."""
_GLANCE_WHEN_IDLE_S: Final = 0.1
_STAYS_AWAKE_S: Final = 5.0
_HEARS_OF_A_STOP_S: Final = 0.2
_GLANCE_WHEN_FULL_S: Final = 0.25
"""How soon work of a job that was cancelled or deleted is stopped. Many documents that come in meanwhile cost no step each."""
_CLAIMS_AHEAD_AFTER_S: Final = 0.1
"""What still waits so long after the last process got its work, no other Worker was free for: it may lie ready here."""


class Worker:
    """Runs jobs on an executor until it is stopped."""

    def __init__(
        self,
        name: str,
        database: Engine,
        jobs: Jobs,
        executor: Executor,
        heartbeat: Heartbeat,
        limits: TimeLimits,
        poll_interval_s: float,
        tracing: Tracing | None = None,
    ) -> None:
        self._name = name
        self._sessions = sessionmaker(database)
        self._jobs = jobs
        self._executor = executor
        self._heartbeat = heartbeat
        self._limits = limits
        self._poll_interval_s = poll_interval_s
        self._tracing = tracing or NoTracing()
        self._commits = watch_commits(database)
        self._seen_commits: int | None = None
        self._in_hand: list[JobInHand] = []
        self._running: dict[Future[Any], _Running] = {}
        self._turns = 0
        self._active_s = 0.0
        self._page_s = _SHORT_PAGE_S
        """About how long a page takes, lately."""
        self._latest_turn: dict[int, int] = {}

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set, then hand the jobs in hand back: no attempt is lost, finished pages stay."""
        try:
            while not stopping.is_set():
                self.step()
                self._wait(stopping)
        finally:
            self._hand_back()
            self._commits.close()

    def step(self) -> None:
        """One round: take in what has ended, drop what was lost, keep the processes busy."""
        if self._in_hand:
            self._active_s = time.monotonic()
        ended = [(future, *self._ended(future)) for future in list(self._running) if future.done()]
        if all(job.has_work or work.kind in _LAST_OF_A_JOB for _, job, work in ended):
            # The processes go on while the ends are recorded; else what a job needs next comes first.
            self._start_pages()
        for future, job, work in ended:
            if job in self._in_hand:  # else what another one brought has ended the job
                self._guarded(job, lambda job=job, work=work, future=future: self._take_in(job, work, future))  # type: ignore[misc]
        if ended:
            self._start_pages()  # what the ends made possible: a process need not wait for the questions below
        has_claimed = True
        while has_claimed:
            if self._seen_commits is not None:  # else nobody has waited for one yet
                self._note_commits()  # what this round has recorded itself is no reason for another one
            self._drop_lost_and_late()
            has_claimed = self._top_up()

    def _wait(self, stopping: threading.Event) -> None:
        """Until a piece of work has ended, the database has changed, or it is time to look all the same."""
        glance_s = self._glance_s()
        now_s = time.monotonic()
        until = now_s + self._poll_interval_s
        if now_s < (ahead_at_s := self._claims_ahead_at_s) and not self._has_work:
            until = min(until, ahead_at_s)
        while not stopping.is_set() and (left_s := until - time.monotonic()) > 0:
            pause_s = min(left_s, glance_s)
            if self._running and wait(self._running, pause_s, FIRST_COMPLETED).done:
                return
            if not self._running:
                self._commits.wait(self._seen_commits, min(left_s, _HEARS_OF_A_STOP_S), pause_s)
            if self._has_database_changed():
                return

    def _glance_s(self) -> float:
        """Seconds between two glances at the database."""
        if len(self._running) >= self._most_running:
            return _GLANCE_WHEN_FULL_S
        return _GLANCE_S if time.monotonic() - self._active_s < _STAYS_AWAKE_S else _GLANCE_WHEN_IDLE_S

    def _has_database_changed(self) -> bool:
        """Since the last time that this was asked. True where it cannot be told: the step that follows says what is wrong."""
        before = self._seen_commits
        self._note_commits()
        return self._seen_commits is None or self._seen_commits != before

    def _note_commits(self) -> None:
        """What is committed by now is seen; None where it cannot be told."""
        try:
            self._seen_commits = self._commits.read()
        except (DBAPIError, sqlite3.Error):
            self._commits.close()
            self._seen_commits = None  # each connection counts for itself

    def _top_up(self) -> bool:
        """Start work until every process has some, and have some at hand for the process that is free next: it is not to wait for a claim.

        Whether a job was claimed for that.
        """
        known = len(self._in_hand)
        if self._in_hand:
            may_be_anyones = not self._has_work and time.monotonic() >= self._claims_ahead_at_s
            self._claim(except_users=[] if may_be_anyones else [job.claim.user_id for job in self._in_hand])
        while len(self._running) < self._most_running and (job := self._next_job() or self._claim()):
            self._start(job, job.next_work())
        return len(self._in_hand) > known

    @property
    def _has_work(self) -> bool:
        """Whether a job in hand has something that could be started."""
        return any(job.has_work for job in self._in_hand)

    @property
    def _claims_ahead_at_s(self) -> float:
        """From when on what waits may be claimed although every process has work."""
        return max((one.started_s for one in self._running.values()), default=0.0) + _CLAIMS_AHEAD_AFTER_S

    def _start_pages(self) -> None:
        """The same with the jobs in hand alone, which asks nothing of the database."""
        while len(self._running) < self._most_running and (job := self._next_job()):
            self._start(job, job.next_work())

    @property
    def _most_running(self) -> int:
        """One for each process; one more lies ready where pages are so short that a process would notice the wait for the next.

        Longer ones do not lie ready: whoever comes next would have to wait for them as well.
        """
        capacity = self._executor.capacity
        return capacity + (self._page_s < _SHORT_PAGE_S) if capacity else 0

    def _next_job(self) -> JobInHand | None:
        """The job whose turn it is: of the user with the least work running, else of who waited longest, the first claimed."""
        ready = [job for job in self._in_hand if job.has_work]
        running_of_user: dict[int, int] = {}
        for job in self._in_hand:
            running_of_user[job.claim.user_id] = running_of_user.get(job.claim.user_id, 0) + len(job.running)

        def turn(job: JobInHand) -> tuple[int, int]:
            return running_of_user[job.claim.user_id], self._latest_turn.get(job.claim.user_id, 0)

        return min(ready, key=turn, default=None)

    def _claim(self, except_users: list[int] | None = None) -> JobInHand | None:
        """Take another job in hand where one waits: any, or one of a user who has none in hand here."""
        if except_users is not None and len(self._in_hand) > 2 * self._executor.capacity:
            return None  # enough in hand to take turns
        users = except_users or []
        try:
            with transaction(self._sessions(), Begin.READ) as session:
                if not self._jobs.has_claimable(session, users):
                    return None
            with transaction(self._sessions(), Begin.CLAIM) as session:
                claim = self._jobs.claim_next(session, self._name, users)
        except ServiceError:
            return None  # busy, or without room: the next round asks again
        if claim is None:
            return None
        self._heartbeat.hold(claim.lease)
        span = self._tracing.begin("job", claim.trace_parent, job=claim.lease.job_uuid, attempt=claim.attempt)
        job = JobInHand(claim, time.monotonic(), span)
        self._in_hand.append(job)
        _about(job).info("job_claimed", attempt=claim.attempt)
        return job

    def _start(self, job: JobInHand, work: Work) -> None:
        self._turns += 1
        self._latest_turn[job.claim.user_id] = self._turns
        lease, options = job.claim.lease, Options.model_validate(job.claim.options)
        task: Callable[[], Any]
        match work.kind:
            case WorkKind.WHOLE:
                task = partial(read_whole_document, lease.job_uuid, lease.token, job.claim.created, options)
            case WorkKind.OPEN:
                task = partial(inspect_document, lease.job_uuid, options.plain_password)
            case WorkKind.PAGE:
                task = partial(checkpoint_page, lease.job_uuid, lease.token, work.number, options)
            case WorkKind.WRITE:
                task = self._writing(job, options)
        span = self._tracing.begin(_STAGE_OF.get(work.kind, "page"), job.span.trace_parent, **_page_attribute(work))
        future = self._executor.submit(task, self._time_limit_s(job, work))
        self._running[future] = _Running(job, work, time.monotonic(), span)

    def _ended(self, future: "Future[Any]") -> tuple[JobInHand, Work]:
        """Take note that it no longer runs, and of the time that it took."""
        running = self._running.pop(future)
        took_s = time.monotonic() - running.started_s
        running.span.end(_error_code(future))
        if stage := _STAGE_OF.get(running.work.kind):
            self._heartbeat.stage_times.add(stage, took_s)
        else:
            self._page_s += _WEIGHT_OF_LATEST * (took_s - self._page_s)
        return running.job, running.work

    def _writing(self, job: JobInHand, options: Options) -> Callable[[], Any]:
        lease = job.claim.lease
        if job.was_tried(Work(WorkKind.WRITE)):
            # One of the formats took its process along: the text alone, and the others when they are asked for.
            options = options.model_copy(update={"formats": ("txt",)})
        failures, pages = self._read(_failures_and_checkpoints, lease.job_uuid)
        document = describe_result(job.document_page_count, (*job.warnings, *failures), job.claim.created, options)
        return partial(write_results, lease.job_uuid, lease.token, pages, document, options)

    def _time_limit_s(self, job: JobInHand, work: Work) -> float:
        if work.kind is WorkKind.WRITE:
            return self._limits.writing_s(job.document_page_count)
        return self._limits.page_s(job.page_px(work.number))

    def _take_in(self, job: JobInHand, work: Work, future: Future[Any]) -> None:
        """Record how a piece of work ended."""
        if work.kind is WorkKind.WHOLE and not future.cancelled() and future.exception():
            # Part by part it shows which is at fault, and each has the time and the second chance that are its due.
            _about(job).info("read_part_by_part", code=_error_code(future))
            job.take_apart()
            return
        try:
            result = future.result()
        except CancelledError:
            job.put_back(work)
        except TimeoutError:
            self._died(job, work, page_timeout(_what(work), self._time_limit_s(job, work), job.page_px(work.number)))
        except PROCESS_DIED:
            error = PageCrashed(
                f"{_what(work)} ended its process, twice. The document may be damaged: try to save or scan it anew; or it needs more memory "
                "than one page may have (worker.process_memory_bytes)."
            )
            self._died(job, work, error)
        except (ServiceError, FileNotFound) as error:
            self._give_back(job, error)
        except DocumentError as error:
            self._failed(job, work, error)
        except Exception as error:  # noqa: BLE001 - logged; a bug costs its page, not the Worker
            _about(job).exception("page_process_bug", page=work.number)
            self._failed(
                job,
                work,
                PageUnreadable(f"{_what(work)} could not be processed ({type(error).__name__}). It was logged."),
            )
        else:
            self._succeeded(job, work, result)

    def _succeeded(self, job: JobInHand, work: Work, result: Any) -> None:
        lease = job.claim.lease
        match work.kind:
            case WorkKind.WHOLE:
                self._record(self._finish, job.claim, result.written, result)
                self._finished(job, result.written.failures)
            case WorkKind.OPEN:
                self._opened(job, result)
            case WorkKind.PAGE:
                self._record(self._jobs.adopt_page, lease, work.number, page=result)
                job.page_ended(work.number)
            case WorkKind.WRITE:
                self._record(self._finish, job.claim, result)
                self._finished(job, result.failures)
        if work.kind in (WorkKind.WHOLE, WorkKind.PAGE):
            for stage, took_s in result.took_s:
                self._heartbeat.stage_times.add(stage, took_s)

    def _finished(self, job: JobInHand, failures: tuple[FormatFailure, ...]) -> None:
        self._drop(job, "FINISHED")
        for failure in failures:
            _about(job).error("format_not_made", format=failure.result_format, traceback=failure.traceback)
        _about(job).info("job_finished", took_s=round(time.monotonic() - job.started_s, 3))

    def _opened(self, job: JobInHand, info: DocumentInfo) -> None:
        try:
            numbers = page_numbers(Options.model_validate(job.claim.options).pages, info.page_count)
        except DocumentError as error:
            self._fail(job, error)
            return
        job.opened(numbers, info)
        self._start_pages()  # the first page is read while its document's count is flushed to the disk
        self._record(self._jobs.set_page_count, job.claim.lease, len(numbers), info.warnings)

    def _finish(self, session: Session, claim: Claim, written: Written, whole: WholeDocument | None = None) -> None:
        """By one commit with the formats that could not be made, so that nobody asks for one in between, and with the parts of a `whole` document."""
        lease, is_indexed = claim.lease, written.texts is not None
        if written.texts is not None:
            # Before the job itself is written to, which holds up all others.
            self._jobs.index_text(session, lease, claim.user_id, written.texts)
        if whole is not None:
            self._jobs.set_page_count(session, lease, 1, whole.info.warnings)
            self._jobs.adopt_page(session, lease, whole.page.number, page=whole.page)
        self._jobs.finish(session, lease, self._heartbeat.result_version, is_indexed=is_indexed)
        for failure in written.failures:
            derivations.failed_at_once(session, lease.job_uuid, failure.result_format, lease.token, failure.error)

    def _died(self, job: JobInHand, work: Work, error: DocumentError) -> None:
        """A piece of work killed or outlasted its process: once more, alone in its process as ever, then it has failed."""
        if job.try_again(work):
            _about(job).warning("page_tried_again", page=work.number, code=error.code)
        else:
            self._failed(job, work, error)

    def _failed(self, job: JobInHand, work: Work, error: DocumentError) -> None:
        """A page's error is named in the result; one of the whole job, or of its last hope, ends the job."""
        lease = job.claim.lease
        if work.kind is not WorkKind.PAGE or _concerns_whole_job(error, job.claim.options):
            self._fail(job, error)
            return
        job.page_ended(work.number)
        if job.is_ready_to_write and not self._read(checkpoints, lease.job_uuid):
            self._fail(job, error, last_page=work.number)
        else:
            self._record(self._jobs.adopt_page, lease, work.number, error)

    def _fail(self, job: JobInHand, error: RectoError, last_page: int | None = None) -> None:
        self._record(self._end_in_failure, job.claim.lease, error, last_page)
        self._drop(job, "FAILURE", error.code)
        _about(job).info("job_failed", code=error.code)

    def _end_in_failure(self, session: Session, lease: Lease, error: RectoError, last_page: int | None) -> None:
        """With the page that was the last hope in one transaction: no crash leaves a job whose pages have all failed."""
        if last_page is not None:
            self._jobs.adopt_page(session, lease, last_page, error)
        self._jobs.fail(session, lease, error)

    def _give_back(self, job: JobInHand, error: RectoError) -> None:
        """A fault of the surroundings (full disk, store not reachable): the job is tried again later."""
        _about(job).warning("job_given_back", code=error.code, detail=error.detail)
        self._record(self._jobs.retry_later, job.claim.lease, error)
        self._drop(job, "QUEUED", error.code)

    def _drop_lost_and_late(self) -> None:
        if not self._in_hand:
            return
        held = self._read(self._jobs.still_held, [job.claim.lease for job in self._in_hand])
        for job in list(self._in_hand):
            if job.claim.lease not in held:
                self._lose(job)
            elif time.monotonic() - job.started_s > self._limits.job_s(job.pages_to_read):
                late = job_timeout(self._limits.job_s(job.pages_to_read), job.pages_to_read)
                self._guarded(job, lambda job=job, late=late: self._fail(job, late))  # type: ignore[misc]

    def _guarded(self, job: JobInHand, action: Callable[[], None]) -> None:
        """An attempt that has lost its job stops there: whoever owns it now goes on."""
        try:
            action()
        except LeaseLost:
            self._lose(job)

    def _lose(self, job: JobInHand) -> None:
        _about(job).info("job_lost")
        self._drop(job, "lost", LeaseLost.code)

    def _record(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run `operation(session, ...)` and commit."""
        return self._patiently(Begin.WRITE, operation, *args, **kwargs)

    def _read(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run `operation(session, ...)` that only reads."""
        return self._patiently(Begin.READ, operation, *args, **kwargs)

    def _patiently(self, begin: Begin, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Again and again while the database is busy or its disk full or out of order: a finished page is not thrown away."""
        while True:
            try:
                with transaction(self._sessions(), begin) as session:
                    return operation(session, *args, **kwargs)
            except (DatabaseBusy, StorageFull, StorageUnavailable) as error:
                _log.warning("database_waited_for", code=error.code)
                time.sleep(_BUSY_PAUSE_S)

    def _drop(self, job: JobInHand, ending: str, error: str | None = None) -> None:
        """Out of hand: kill what still runs for it."""
        self._in_hand.remove(job)
        self._heartbeat.release(job.claim.lease)
        for future in [future for future, running in self._running.items() if running.job is job]:
            future.cancel()
            self._running.pop(future).span.end("cancelled")
        job.span.end(error, ending=ending)

    def _hand_back(self) -> None:
        for job in list(self._in_hand):
            self._guarded(job, lambda job=job: self._record(self._jobs.hand_back, job.claim.lease))  # type: ignore[misc]
            if job in self._in_hand:
                self._drop(job, "QUEUED")


@dataclass(frozen=True, slots=True)
class _Running:
    """A piece of work in a page process. `started_s` by this process's monotonic clock."""

    job: JobInHand
    work: Work
    started_s: float
    span: Span


_LAST_OF_A_JOB: Final = (WorkKind.WHOLE, WorkKind.WRITE)
"""Where these have gone well, their job needs nothing more."""

_STAGE_OF: Final[dict[WorkKind, Stage]] = {WorkKind.OPEN: "open", WorkKind.WRITE: "write"}
"""Of what is read, the stages are measured where it is read."""


def _failures_and_checkpoints(session: Session, uuid: str) -> tuple[list[ResultWarning], list[tuple[int, str]]]:
    return page_failures(session, uuid), checkpoints(session, uuid)


def _about(job: JobInHand) -> FilteringBoundLogger:
    """A logger that names the job, and the request that it came with."""
    named = {"job": job.claim.lease.job_uuid, "request_id": job.claim.request_id}
    return _log.bind(**{name: value for name, value in named.items() if value})


def _page_attribute(work: Work) -> dict[str, Any]:
    return {"page": work.number} if work.number else {}


def _error_code(future: "Future[Any]") -> str | None:
    """What a span says of work that has ended."""
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    return None if error is None else getattr(error, "code", type(error).__name__)


def _concerns_whole_job(error: DocumentError, options: dict[str, Any]) -> bool:
    """Whether the other pages would end with the same error. A language that was found out is the page's own."""
    is_named = Options.model_validate(options).languages != (AUTO_LANGUAGE,)
    return isinstance(error, EngineMissing) or (isinstance(error, LanguageNotInstalled) and is_named)


def _what(work: Work) -> str:
    return {WorkKind.OPEN: "Opening the document", WorkKind.WRITE: "Writing the results"}.get(
        work.kind, f"Page {work.number}"
    )
