"""The same document again: which finished job of its owner may answer for it, and what the answer takes from it.

One may whose document and options are the same, that a Worker of today would read alike, and of whose pages none is missing: a page that ran
out of time or memory may do better the next time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import CursorResult, String, Table, bindparam, exists, func, insert, select
from sqlalchemy.orm import Session

from models import Job, JobPage
from recto.file_storage.base import DOCUMENT, attempt_of, checkpoint_name, result_name, revision_of
from recto.ocr.options import Options
from recto.views.jobs import checkpoints, job_not_found
from recto.workers import list_workers, result_versions

_MOST_LOOKED_AT: Final = 50
"""Results of one document, the latest first. Who has read it in so many other ways since has it read again."""


@dataclass(frozen=True, slots=True)
class EarlierResult:
    """A job that may answer: its uuid, the attempt that has its result, and the numbers of its pages."""

    uuid: str
    token: str
    page_numbers: tuple[int, ...]

    def files(self, listed: Iterable[str], token: str) -> dict[str, str]:
        """The files of a job that is answered from this one under the attempt `token`, each with its name here.

        All that were ever made of the reading, of those that are `listed`; those that a job cannot be without, whether they are listed or
        not. What people have corrected in the other job stays there: a document that is sent again is answered as it was read.
        """
        needed = [checkpoint_name(self.token, number) for number in self.page_numbers]
        made = (name for name in listed if attempt_of(name) == self.token and not revision_of(name))
        mine = {*needed, result_name(self.token, "txt"), *made}
        return {DOCUMENT: DOCUMENT} | {name.replace(self.token, token, 1): name for name in sorted(mine)}


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What the row of an answered job takes over, by its columns, and the version that the result is of."""

    as_read: dict[str, Any]
    version: str


def find_earlier(session: Session, user_id: int, content_sha256: str, options: Options) -> EarlierResult | None:
    """The user's latest result of this document with these options; None where there is none that may answer.

    Formats make no difference: every one can be made of every result.
    """
    results = session.execute(_LATEST, {"user_id": user_id, "content_sha256": content_sha256}).all()
    versions = result_versions(list_workers(session)) if results else frozenset()
    for uuid, token, version, stored in results:
        if version in versions and _read_alike(Options.model_validate(stored), options):
            return EarlierResult(uuid, token, tuple(number for number, _ in checkpoints(session, uuid)))
    return None


def result_of(session: Session, user_id: int, uuid: str) -> ReadResult:
    """What answers are made of. JobNotFound where the job is not there any more, or has no result that may answer."""
    columns = (
        Job.result_version,
        Job.page_count,
        Job.pages_done,
        Job.warnings,
        func.coalesce(Job.result_created_us, Job.created_us).label("result_created_us"),
    )
    mine = (Job.uuid == uuid, Job.user_id == user_id, Job.result_version.is_not(None))
    # Locked, so that its pages are there as well when they are copied; one that somebody is deleting is as good as gone.
    query = select(*columns).where(*mine).with_for_update(read=True, key_share=True, skip_locked=True)
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        raise job_not_found()
    values = dict(row)
    return ReadResult(version=values.pop("result_version"), as_read=values)


def copy_pages(session: Session, source_uuid: str, uuid: str, token: str) -> int:
    """Give a job the pages of another one, as pages of its attempt `token`; gives how many they are."""
    copied = session.execute(_COPY_PAGES, {"source_uuid": source_uuid, "uuid": uuid, "token": token})
    return cast(CursorResult[Any], copied).rowcount


def _read_alike(one: Options, other: Options) -> bool:
    return one.reading() == other.reading() and one.plain_password == other.plain_password


# Built once, and on the table: every upload runs it.
_JOBS: Final = cast(Table, Job.__table__)
IS_WHOLE: Final = ~(
    exists()
    .where(
        JobPage.job_uuid == _JOBS.c.uuid,
        (JobPage.attempt_token != _JOBS.c.lease_token) | JobPage.error_code.is_not(None),
    )
    .correlate(_JOBS)
)
"""Of a job that is under way: whether every page of it was read, and by this attempt. An earlier one may have been of another version."""
_LATEST: Final = (
    select(_JOBS.c.uuid, _JOBS.c.result_token, _JOBS.c.result_version, _JOBS.c.options)
    .where(
        _JOBS.c.user_id == bindparam("user_id"),
        _JOBS.c.content_sha256 == bindparam("content_sha256"),
        _JOBS.c.result_version.is_not(None),
    )
    .order_by(_JOBS.c.created_us.desc())
    .limit(_MOST_LOOKED_AT)
)
_COPY_PAGES: Final = (
    insert(cast(Table, JobPage.__table__))
    .from_select(
        ["job_uuid", "number", "attempt_token", "text_layer", "confidence", "preprocessing"],
        select(
            bindparam("uuid", type_=String),
            JobPage.number,
            bindparam("token", type_=String),
            JobPage.text_layer,
            JobPage.confidence,
            JobPage.preprocessing,
        ).where(JobPage.job_uuid == bindparam("source_uuid")),
    )
    .execution_options(preserve_rowcount=True)
)
