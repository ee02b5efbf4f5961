"""The sweeper: finds what deaths have left in the File Storage and in the Database, reports it, and removes what is stale.

What is stale is arithmetic of its own (recto/file_storage/stale.py). Safe beside a running service, and beside other sweepers. Nothing
is removed that is not Recto's by name.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from recto.database.connections import NowMicroseconds
from recto.errors import DocumentMissing, FileNotFound, ServiceError
from recto.file_storage.base import DOCUMENT, FileKind, FileStorage, StoredFile, attempt_folders, attempt_of
from recto.file_storage.stale import (
    Finding,
    Kind,
    in_job,
    is_due,
    looks_like_another_database,
    missing,
    outside_jobs,
    without_job,
)
from recto.jobs import Jobs
from recto.logs import get_logger
from recto.records import meters
from recto.records.file_references import FileReferences, JobAge, JobFiles, batches
from recto.records.job_events import forget_events
from recto.records.meters import Metered
from recto.working.pace import Pace
from recto.working.repeating import RepeatingThread
from recto.working.transactions import Transactions

_log = get_logger(__name__)
_FIRST_AFTER_S: Final = 60.0
_UUID_CHARACTERS: Final = 36
_SHARE_OF_TIME: Final = 0.02
_EVENTS_AT_ONCE: Final = 500


class Outcome(StrEnum):
    """What became of a finding."""

    REPORTED = "reported"
    YOUNG = "too young"
    DUE = "to be removed"
    REMOVED = "removed"
    IN_USE = "in use"
    TO_FAIL = "to be failed"
    FAILED = "failed"
    RESISTED = "resisted"


_OTHER_DATABASE: Final = "More folders have no job than have one. Is this their database? If so: jobs sweep --force"
_NOT_MOUNTED: Final = "No folder belongs to any job. Is the volume of the File Storage mounted?"


@dataclass(frozen=True, slots=True)
class Swept:
    """A finding and its outcome. `detail` says why where that is not plain."""

    finding: Finding
    outcome: Outcome
    detail: str = ""


@dataclass(slots=True)
class _Census:
    """How many folders have a job, and which have none; how large the documents are, and what was made of them."""

    owned: int = 0
    document_bytes: int = 0
    other_bytes: int = 0
    user_bytes: Counter[int] = field(default_factory=Counter)
    without_job: list[str] = field(default_factory=list)

    def weigh(self, user_id: int | None, contents: "Sequence[StoredFile] | Swept") -> None:
        """Add the files of a folder, which is a user's, or has no job."""
        if isinstance(contents, Swept):
            return
        whole_bytes = sum(file.size_bytes for file in contents)
        document_bytes = sum(file.size_bytes for file in contents if file.name == DOCUMENT)
        self.document_bytes += document_bytes
        self.other_bytes += whole_bytes - document_bytes
        if user_id is not None:
            self.user_bytes[user_id] += whole_bytes

    def write_down(self, session: Session) -> None:
        """For the metrics, which cannot look at every file."""
        meters.put(session, Metered.STORED_BYTES, "documents", self.document_bytes)
        meters.put(session, Metered.STORED_BYTES, "results", self.other_bytes)
        meters.replace(session, Metered.USER_BYTES, {str(user): size for user, size in self.user_bytes.items()})
        meters.put_time(session, Metered.SWEPT_US)


class Sweeper:
    """Sweeps once for each call of `sweep`. Cleans up what is older than `older_than_s`; a dry run only says what it would do.

    Folders without a job stay where they outnumber those with one, unless it is forced: the Database may be the wrong one.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        jobs: Jobs,
        storage: FileStorage,
        older_than_s: float,
        *,
        is_dry_run: bool = False,
        is_forced: bool = False,
        event_lifetime_s: float | None = None,
        references: FileReferences | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Without a `pace` it does not rest; without an `event_lifetime_s` the events of ended jobs stay."""
        self._database = Transactions(sessions)
        self._jobs = jobs
        self._storage = storage
        self._older_than_s = older_than_s
        self._is_dry_run = is_dry_run
        self._is_forced = is_forced
        self._event_lifetime_s = event_lifetime_s
        self._references = references or FileReferences()
        self._pace = pace or Pace(1.0)

    def sweep(self) -> Iterator[Swept]:
        """Everything that was found, as it is found, with what was done. May be left at any point.

        Rests after every few hundred jobs. One that is stopped then concludes nothing from what it has not seen.
        """
        self._pace.begin()
        deletions = self._database.read(self._references.deletions_with_files)
        withdrawn = {_withdrawn_uuid(file): file.size_bytes for file in self._storage.outside()} if deletions else {}
        for deletion in deletions:
            yield self._deletion(deletion, withdrawn.get(deletion.uuid, 0))
        deleted = {deletion.uuid for deletion in deletions}
        census = _Census()
        for uuids in batches(self._storage.folders()):
            yield from self._folders([uuid for uuid in uuids if uuid not in deleted], census)
            if not self._pace.rest():
                return
        yield from self._without_job(census)
        yield from self._jobs_without_document(is_mounted=census.owned > 0)
        yield from self._outside(deleted)
        self._write_down(census)
        self._forget_old_events()

    def _write_down(self, census: _Census) -> None:
        if self._is_dry_run:
            return
        try:
            self._database.write(census.write_down)
        except ServiceError as error:
            _log.warning("stored_bytes_not_noted", code=error.code)  # the next sweep measures again

    def _forget_old_events(self) -> None:
        """No finding: they are old, not left behind. Some at a time, so that nobody waits for long to write."""
        if self._event_lifetime_s is None or self._is_dry_run:
            return
        ended_before = NowMicroseconds() - round(self._event_lifetime_s * 1_000_000)
        while (
            self._database.write(forget_events, ended_before, _EVENTS_AT_ONCE) == _EVENTS_AT_ONCE and self._pace.rest()
        ):
            pass

    def _deletion(self, deletion: JobAge, withdrawn_bytes: int) -> Swept:
        """Nothing can refer to a deleted job any more."""
        size_bytes = self._size_bytes(deletion.uuid) + withdrawn_bytes
        finding = Finding(Kind.DELETED_JOB, deletion.uuid, "", deletion.age_s, size_bytes)
        return self._attended(finding, lambda: self._finish_deletion(deletion.uuid))

    def _finish_deletion(self, uuid: str) -> bool:
        self._storage.delete(uuid)
        self._database.write(self._jobs.files_removed, uuid)
        return True

    def _folders(self, uuids: Sequence[str], census: "_Census") -> Iterator[Swept]:
        """First what is there, then what is referred to: see recto/file_storage/stale.py."""
        listed = {uuid: self._contents(uuid) for uuid in uuids}
        jobs = self._database.read(self._references.of_jobs, uuids)
        for uuid, contents in listed.items():
            census.weigh(jobs[uuid].user_id if uuid in jobs else None, contents)
        census.owned += len(jobs)
        census.without_job += [uuid for uuid in uuids if uuid not in jobs]
        for uuid, job in jobs.items():
            contents = listed[uuid]
            if isinstance(contents, Swept):
                yield contents
            else:
                yield from self._job(job, contents)

    def _without_job(self, census: "_Census") -> Iterator[Swept]:
        is_doubtful = looks_like_another_database(census.owned, len(census.without_job)) and not self._is_forced
        for uuid in census.without_job:
            contents = self._contents(uuid)
            if isinstance(contents, Swept):
                yield contents
                continue
            for finding in without_job(uuid, contents):
                if is_doubtful and finding.kind is Kind.FOLDER_WITHOUT_JOB:
                    yield Swept(finding, Outcome.REPORTED, _OTHER_DATABASE)
                else:
                    yield self._attended(finding, lambda uuid=uuid: self._remove_folder(uuid))  # type: ignore[misc]

    def _remove_folder(self, uuid: str) -> bool:
        if not self._database.write(self._references.withdraw_without_job, uuid, self._storage.withdraw):
            return False
        self._storage.delete(uuid)
        return True

    def _job(self, job: JobFiles, contents: Sequence[StoredFile]) -> Iterator[Swept]:
        for finding in in_job(job.uuid, contents, job.tokens, job.open_tokens, job.adopted, job.revision):
            yield self._attended(finding, lambda finding=finding: self._remove_files(job.uuid, finding))  # type: ignore[misc]
        for name in missing(contents, job.needed):
            if not self._has_file(job.uuid, name) and self._database.read(self._references.has_job, job.uuid):
                yield Swept(Finding(Kind.RESULT_MISSING, job.uuid, name, 0.0, 0), Outcome.REPORTED)

    def _remove_files(self, uuid: str, finding: Finding) -> bool:
        removed = [self._storage.remove(uuid, name) for name in finding.files if not name.endswith("/")]
        if finding.kind is Kind.ABANDONED_ATTEMPT and all(removed):
            removed += [
                self._storage.remove(uuid, folder) for folder in attempt_folders(attempt_of(finding.name) or "")
            ]
        return all(removed)

    def _jobs_without_document(self, *, is_mounted: bool) -> Iterator[Swept]:
        """A job's files are there before its row and go after it: what is missing while the row stays is lost."""
        uuid = ""
        while jobs := self._database.read(self._references.jobs_after, uuid):
            uuid = jobs[-1].uuid
            for job in jobs:
                if not self._has_file(job.uuid, DOCUMENT) and self._database.read(self._references.has_job, job.uuid):
                    yield self._without_document(job, is_mounted=is_mounted)
            if not self._pace.rest():
                return

    def _without_document(self, job: JobAge, *, is_mounted: bool) -> Swept:
        finding = Finding(Kind.JOB_WITHOUT_DOCUMENT, job.uuid, DOCUMENT, job.age_s, 0)
        if job.is_ended:
            return Swept(finding, Outcome.REPORTED)
        if not is_mounted:
            return Swept(finding, Outcome.REPORTED, _NOT_MOUNTED)
        return self._attended(finding, lambda: self._fail(job.uuid), Outcome.TO_FAIL, Outcome.FAILED)

    def _fail(self, uuid: str) -> bool:
        lost = DocumentMissing("The document is no longer in the File Storage. Send it again.")
        return self._database.write(self._jobs.fail_unfinished, uuid, lost)

    def _outside(self, deleted: Collection[str]) -> Iterator[Swept]:
        for file in self._storage.outside():
            if _withdrawn_uuid(file) in deleted:
                continue  # told above
            yield self._attended(outside_jobs(file), lambda file=file: self._storage.remove_outside(file.name))  # type: ignore[misc]

    def _attended(
        self,
        finding: Finding,
        action: Callable[[], bool],
        due: Outcome = Outcome.DUE,
        done: Outcome = Outcome.REMOVED,
    ) -> Swept:
        """Do something about a finding where it is due. `action` gives False where somebody needs it after all."""
        if not is_due(finding, self._older_than_s):
            return Swept(finding, Outcome.REPORTED if finding.kind is Kind.FOREIGN else Outcome.YOUNG)
        if self._is_dry_run:
            return Swept(finding, due)
        try:
            return Swept(finding, done if action() else Outcome.IN_USE)
        except ServiceError as error:
            return Swept(finding, Outcome.RESISTED, error.detail)

    def _contents(self, uuid: str) -> list[StoredFile] | Swept:
        """What is in a job's folder, nothing where it is gone; or the finding that it cannot be looked into."""
        try:
            return self._storage.contents(uuid)
        except FileNotFound:
            return []
        except ServiceError as error:
            return Swept(Finding(Kind.UNREADABLE, uuid, "", 0.0, 0), Outcome.RESISTED, error.detail)

    def _size_bytes(self, uuid: str) -> int:
        contents = self._contents(uuid)
        return 0 if isinstance(contents, Swept) else sum(file.size_bytes for file in contents)

    def _has_file(self, uuid: str, name: str) -> bool:
        try:
            self._storage.size_bytes(uuid, name)
        except FileNotFound:
            return False
        return True


def background_pace() -> Pace:
    """For a sweep beside a Worker's work: the fiftieth part of its time."""
    return Pace(_SHARE_OF_TIME)


def _withdrawn_uuid(file: StoredFile) -> str | None:
    """The job that a withdrawn folder was of; None for other files."""
    return file.name[-_UUID_CHARACTERS:] if file.kind is FileKind.DELETED else None


class SweepingThread(RepeatingThread):
    """The Worker's third thread: sweeps a minute after the start and then every `interval_s`, with one line in the log each time."""

    def __init__(
        self,
        sweep: Callable[[], Iterable[Swept]],
        interval_s: float,
        first_after_s: float = _FIRST_AFTER_S,
        pace: Pace | None = None,
    ) -> None:
        """`pace` is that of the sweep: a stop ends its rest as well."""
        super().__init__("sweeper", (pace or background_pace()).stopping, min(first_after_s, interval_s))
        self._sweep = sweep
        self._interval_s = interval_s

    def start(self) -> None:
        """Begin; nothing happens where the interval is 0."""
        if self._interval_s:
            super().start()

    def step(self) -> float:
        """A sweep, and the pause after it."""
        try:
            self.sweep_once()
        except (ServiceError, SQLAlchemyError) as error:
            _log.warning("sweep_failed", error=str(error))  # the next one finds what this one did not reach
        return self._interval_s

    def sweep_once(self) -> None:
        """One sweep with its line in the log; it ends early when the Worker stops."""
        outcomes: Counter[Outcome] = Counter()
        freed_bytes = 0
        for swept in self._sweep():
            outcomes[swept.outcome] += 1
            if swept.outcome is Outcome.REMOVED:
                freed_bytes += swept.finding.size_bytes
            if self.stopping.is_set():
                break
        counts = {outcome.value.replace(" ", "_"): count for outcome, count in sorted(outcomes.items())}
        _log.info("swept", found=outcomes.total(), freed_bytes=freed_bytes, **counts)
