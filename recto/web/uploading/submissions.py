"""Making jobs: their files are put there, and one commit makes them visible; by an upload, from an earlier result, or from an earlier document."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

from sqlalchemy.orm import Session

from recto.database.turns import hold_folder
from recto.errors import FileNotFound, JobNotFound, OutcomeUnknown
from recto.file_storage.base import DOCUMENT, METADATA
from recto.jobs import Recorded, Submission
from recto.ocr.options import Options
from recto.records.batches import record_batch
from recto.records.deduplication import find_earlier
from recto.records.idempotency import KeyedRequest
from recto.records.job_details import put_tags
from recto.views.jobs import JobView
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread, read, write
from recto.web.serving.request_ids import origin


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is about to be made: `put_files` fills its folder, `record` is its part of the commit."""

    submission: Submission
    options: Options
    put_files: Callable[[], None]
    record: Callable[[Session], Recorded]
    deduplicated_from: str | None = None


def make_job(new: NewJob, keyed: KeyedRequest | None = None) -> JobView:
    """Put its files there, write its metadata, and record it, under its key where it has one. Where that fails, nothing of it is left.

    FileNotFound as well where the folder was taken for one left behind before the commit; IdempotencyKeyInUse.
    """
    return _make([new], keyed)[0]


def make_batch(batch_uuid: str, new: Sequence[NewJob], keyed: KeyedRequest | None = None) -> list[JobView]:
    """The same for the jobs of a batch and the batch: all of it or nothing. The key is that of its first job."""
    return _make(new, keyed, partial(record_batch, user_id=new[0].submission.user_id, uuid=batch_uuid))


def _make(
    new: Sequence[NewJob], keyed: KeyedRequest | None, also: Callable[[Session], None] | None = None
) -> list[JobView]:
    try:
        for one in new:
            in_thread(partial(_store, one), Lane.DISK)
        # Read in the transaction that writes it: a refusal after the commit would have the client send an accepted document again.
        recorded = write(_record, new, keyed, also)
    except OutcomeUnknown:
        raise  # a sweep finds out whether there are jobs, and removes the files where there are none
    except BaseException:
        for one in new:
            in_thread(partial(services().storage.delete, one.submission.uuid), Lane.DISK)
        raise
    for made in recorded:
        services().jobs.committed(made)
    if any(made.is_told for made in recorded):
        services().sender.wake()
    return [made.job for made in recorded]


def to_be_read(submission: Submission, options: Options, put_files: Callable[[], None]) -> NewJob:
    """A job that goes into the queue."""
    return NewJob(submission, options, put_files, partial(services().jobs.submit, submission=submission))


def answered(submission: Submission, options: Options, keyed: KeyedRequest | None = None) -> JobView | None:
    """A job under a uuid of its own that has the result of an earlier one; None where there is none, or it is deleted meanwhile."""
    new = from_earlier(submission, options)
    try:
        return make_job(new, keyed) if new else None
    except (FileNotFound, JobNotFound):
        return None


def from_earlier(submission: Submission, options: Options) -> NewJob | None:
    """A job that has the result of an earlier one; None where there is none. Making it is FileNotFound or JobNotFound where that is deleted meanwhile."""
    earlier = read(find_earlier, submission.user_id, submission.content_sha256 or "", options)
    if earlier is None:
        return None
    own, token = replace(submission, uuid=str(uuid4())), uuid4().hex
    jobs, storage = services().jobs, services().storage

    def put_files() -> None:
        listed = [file.name for file in storage.contents(earlier.uuid)]
        storage.copy(earlier.uuid, own.uuid, earlier.files(listed, token))

    def record(session: Session) -> Recorded:
        return jobs.submit_answered(session, own, earlier.uuid, token)

    return NewJob(own, options, put_files, record, earlier.uuid)


def retry(job: JobView, options: Options, keyed: KeyedRequest | None = None, webhook_url: str | None = None) -> JobView:
    """A new job for the document of that one, which is read whatever was read before. FileNotFound where the document is gone."""
    submission = Submission(
        uuid=str(uuid4()),
        user_id=job.user_id,
        file_name=job.file_name,
        media_type=job.media_type,
        size_bytes=job.size_bytes,
        options=options.stored(),
        content_sha256=job.content_sha256,
        tags=job.tags,
        retry_of=job.uuid,
        webhook_url=webhook_url,
        retention_s=job.retention_s or 0,
        **origin(),
    )
    copy = partial(services().storage.copy, job.uuid, submission.uuid, {DOCUMENT: DOCUMENT})
    return make_job(to_be_read(submission, options, copy), keyed)


def _store(new: NewJob) -> None:
    new.put_files()
    submission = new.submission
    metadata = {
        "uuid": submission.uuid,
        "file_name": submission.file_name,
        "media_type": submission.media_type,
        "size_bytes": submission.size_bytes,
        "sha256": submission.content_sha256,
        "options": new.options.public(),
        "deduplicated_from": new.deduplicated_from,
        "retry_of": submission.retry_of,
    }
    with services().storage.write(submission.uuid, METADATA) as file:
        file.write(json.dumps(metadata, ensure_ascii=False, indent=1).encode())


def _record(
    session: Session, new: Sequence[NewJob], keyed: KeyedRequest | None, also: Callable[[Session], None] | None
) -> list[Recorded]:
    """Record the jobs, and see in the same transaction that no document was taken for one left behind (recto/records/file_references.py)."""
    for one in new:
        # First, and not while all who write to jobs are held up: a disk far away may be slow.
        hold_folder(session, one.submission.uuid)
        services().storage.size_bytes(one.submission.uuid, DOCUMENT)
    recorded = [one.record(session) for one in new]
    if also is not None:
        also(session)
    first = new[0].submission
    if keyed is not None:
        services().idempotency_keys.record(session, keyed, first.uuid)
    for one in new:
        put_tags(session, one.submission.uuid, one.submission.tags)
    return recorded
