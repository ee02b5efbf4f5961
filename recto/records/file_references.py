"""What the Database says about files: which jobs there are, which attempts and files they refer to, which deletions left files."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models import FILES_LEFT, Job, JobDeletion, JobPage, JobStatus, PageCorrection
from recto.database.connections import NowMicroseconds
from recto.database.turns import hold_folder
from recto.file_storage.base import checkpoint_name, result_name
from recto.records.derivations import reserved_readings

_BATCH: Final = 200
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class JobFiles:
    """What the rows of a job refer to: attempts by their tokens, the pages it has, and the files that a FINISHED job must have.

    `open_tokens` are those of the attempts that hold the lease or have the result: the others never get a file again that counts.
    `revision` is that of what people have corrected: results of another one, but for those without corrections, are never served again.
    """

    uuid: str
    user_id: int
    tokens: frozenset[str]
    open_tokens: frozenset[str]
    adopted: frozenset[str]
    needed: frozenset[str]
    revision: int

    def with_readings(self, again: Mapping[str, int | None]) -> "JobFiles":
        """With pages that were read again: their numbers by the tokens of those readings, None for one that is about to be recorded."""
        names = frozenset(checkpoint_name(token, number) for token, number in again.items() if number is not None)
        return replace(
            self,
            tokens=self.tokens | again.keys(),
            open_tokens=self.open_tokens | again.keys(),
            adopted=self.adopted | names,
            needed=self.needed | names,
        )


@dataclass(frozen=True, slots=True)
class JobAge:
    """A job, or the deletion of one, by its age."""

    uuid: str
    is_ended: bool
    age_s: float


class FileReferences:
    """Reads what files are referred to, by the database's clock or another that yields the SQL of the time now."""

    def __init__(self, clock: Callable[[], ColumnElement[int]] = NowMicroseconds) -> None:
        self._clock = clock

    def of_jobs(self, session: Session, uuids: Collection[str]) -> dict[str, JobFiles]:
        """What those of the jobs that there are refer to."""
        columns = (Job.uuid, Job.user_id, Job.status, Job.lease_token, Job.result_token, Job.revision)
        rows = select(*columns).where(Job.uuid.in_(uuids))
        pages = select(JobPage.job_uuid, JobPage.number, JobPage.attempt_token, JobPage.error_code)
        pages_of: dict[str, list[tuple[int, str, bool]]] = {}
        for uuid, number, token, error in session.execute(pages.where(JobPage.job_uuid.in_(uuids))):
            pages_of.setdefault(uuid, []).append((number, token, error is None))
        again = _read_again(session, uuids)
        return {
            uuid: _job_files(uuid, user_id, status, (lease, result), pages_of.get(uuid, []), revision).with_readings(
                again.get(uuid, {})
            )
            for uuid, user_id, status, lease, result, revision in session.execute(rows)
        }

    def jobs_after(self, session: Session, uuid: str) -> list[JobAge]:
        """The next jobs by uuid after this one, some at a time; none at the end. Begin with an empty uuid."""
        rows = select(Job.uuid, Job.status, (self._clock() - Job.created_us).label("age_us")).where(Job.uuid > uuid)
        found = session.execute(rows.order_by(Job.uuid).limit(_BATCH))
        return [JobAge(row.uuid, JobStatus(row.status).is_final, _seconds(row.age_us)) for row in found]

    def has_job(self, session: Session, uuid: str) -> bool:
        """Whether the job is there."""
        return session.scalar(select(Job.uuid).where(Job.uuid == uuid)) is not None

    def deletions_with_files(self, session: Session) -> list[JobAge]:
        """Deleted jobs whose files nobody has reported as gone."""
        age_us = (self._clock() - JobDeletion.timestamp_us).label("age_us")
        rows = session.execute(select(JobDeletion.uuid, age_us).where(FILES_LEFT))
        return [JobAge(row.uuid, is_ended=True, age_s=_seconds(row.age_us)) for row in rows]

    def withdraw_without_job(self, session: Session, uuid: str, withdraw: Callable[[str], None]) -> bool:
        """Withdraw a folder that no job owns; False, and nothing done, where a job owns it. Needs a writing transaction.

        Whoever records a job takes hold of its folder as well, and then, in the same transaction, looks whether the document is still
        there (recto/web/uploading/submissions.py). So either the record comes first and is seen here, or the folder is gone first and there is no record.
        """
        hold_folder(session, uuid)
        if self.has_job(session, uuid):
            return False
        withdraw(uuid)
        return True


def batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Uuids, or other keys that a query asks for, some at a time."""
    batch: list[_T] = []
    for item in items:
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _read_again(session: Session, uuids: Collection[str]) -> dict[str, dict[str, int | None]]:
    """By job, the tokens of the readings that were ever taken, undone ones too, with the numbers of their pages; and of those to be recorded."""
    token = PageCorrection.what["token"].as_string()
    taken = select(PageCorrection.job_uuid, token, PageCorrection.page_number)
    found: dict[str, dict[str, int | None]] = {}
    for uuid, reserved in reserved_readings(session, uuids):
        found.setdefault(uuid, {})[reserved] = None
    for uuid, name, number in session.execute(taken.where(PageCorrection.job_uuid.in_(uuids), token.is_not(None))):
        found.setdefault(uuid, {})[name] = number
    return found


def _job_files(
    uuid: str,
    user_id: int,
    status: str,
    tokens: tuple[str | None, str | None],
    pages: Collection[tuple[int, str, bool]],
    revision: int,
) -> JobFiles:
    _, result = tokens
    adopted = frozenset(checkpoint_name(token, number) for number, token, is_read in pages if is_read)
    needed: frozenset[str] = frozenset()
    if status == JobStatus.FINISHED and result is not None:
        needed = adopted | {result_name(result, "txt")}
    open_tokens = frozenset(token for token in tokens if token is not None)
    return JobFiles(
        uuid, user_id, open_tokens | {token for _, token, _ in pages}, open_tokens, adopted, needed, revision
    )


def _seconds(microseconds: int) -> float:
    return max(0.0, microseconds / 1_000_000)
