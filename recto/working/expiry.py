"""Deletes jobs whose time is over, as their owner would: row, log, files, with an entry in the audit log."""

from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from recto import audit
from recto.audit import RETENTION, Action, Event
from recto.database.connections import Begin, Clock, NowMicroseconds, transaction
from recto.errors import JobNotFound, RectoError, ServiceError
from recto.file_storage.base import FileStorage
from recto.jobs import Jobs
from recto.logs import get_logger
from recto.records.retention import ExpiredJob, expired_jobs
from recto.working.repeating import RepeatingThread

_log = get_logger(__name__)
_AT_ONCE: Final = 100


class Expiry:
    """Deletes once for each call of `expire`. Safe beside the same of other Workers."""

    def __init__(
        self, sessions: sessionmaker[Session], jobs: Jobs, storage: FileStorage, clock: Clock = NowMicroseconds
    ) -> None:
        self._sessions = sessions
        self._jobs = jobs
        self._storage = storage
        self._clock = clock

    def expire(self, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Delete all whose time is over; how many. A transaction for each, so that nobody waits for long to write."""
        deleted = 0
        while found := self._due():
            deleted += sum(self._delete(job) for job in found if not is_stopping())
            if len(found) < _AT_ONCE or is_stopping():
                break
        return deleted

    def _due(self) -> list[ExpiredJob]:
        with transaction(self._sessions(), Begin.READ) as session:
            return list(expired_jobs(session, _AT_ONCE, self._clock()))

    def _delete(self, job: ExpiredJob) -> bool:
        try:
            with transaction(self._sessions(), Begin.WRITE) as session:
                self._jobs.delete(session, job.user_id, job.uuid)
                audit.note(session, Event(Action.JOB_DELETED, RETENTION, job.uuid))
        except JobNotFound:
            return False  # its owner, or another Worker, was quicker
        try:
            self._storage.delete(job.uuid)
            with transaction(self._sessions(), Begin.WRITE) as session:
                self._jobs.files_removed(session, job.uuid)
        except RectoError as error:
            _log.warning("files_left_to_sweeper", job=job.uuid, detail=error.detail)
        return True


class ExpiryThread(RepeatingThread):
    """The Worker's fifth thread: looks at once and then every `interval_s` for jobs whose time is over."""

    def __init__(self, expiry: Expiry, interval_s: float) -> None:
        super().__init__("expiry")
        self._expiry = expiry
        self._interval_s = interval_s

    def step(self) -> float:
        """One look, with a line in the log where something was deleted."""
        try:
            deleted = self._expiry.expire(self.stopping.is_set)
        except (ServiceError, SQLAlchemyError) as error:
            _log.warning("expiry_failed", error=str(error))  # the next look finds the same jobs
        else:
            if deleted:
                _log.info("jobs_expired", jobs=deleted)
        return self._interval_s
