"""Making a job: its files are put there, and one commit makes it visible; by an upload, from an earlier result, or from an earlier document."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import uuid4

from sqlalchemy.orm import Session

from recto.deduplication import find_earlier
from recto.errors import FileNotFound, JobNotFound
from recto.file_storage.base import DOCUMENT, METADATA
from recto.job_details import put_tags
from recto.job_views import JobView, get_job
from recto.jobs import Submission
from recto.ocr.options import Options
from recto.web.database import Lane, in_thread, read, write
from recto.web.services import services


def make_job(
    submission: Submission,
    options: Options,
    put_files: Callable[[], None],
    submit: Callable[[Session], None],
    deduplicated_from: str | None = None,
) -> JobView:
    """Let `put_files` fill the job's folder, write its metadata, and record it by `submit`. Where that fails, nothing of it is left.

    FileNotFound as well where the folder was taken for one left behind before the commit.
    """
    try:
        in_thread(partial(_store, submission, options, put_files, deduplicated_from), Lane.DISK)
        # Read in the transaction that writes it: a refusal after the commit would have the client send an accepted document again.
        return write(_record, submission, submit)
    except BaseException:
        in_thread(partial(services().storage.delete, submission.uuid), Lane.DISK)
        raise


def answered(submission: Submission, options: Options) -> JobView | None:
    """A job under a uuid of its own that has the result of an earlier one; None where there is none, or it is deleted meanwhile."""
    earlier = read(find_earlier, submission.user_id, submission.content_sha256 or "", options)
    if earlier is None:
        return None
    own, token = replace(submission, uuid=str(uuid4())), uuid4().hex
    jobs, storage = services().jobs, services().storage

    def put_files() -> None:
        listed = [file.name for file in storage.contents(earlier.uuid)]
        storage.copy(earlier.uuid, own.uuid, earlier.files(listed, token))

    def submit(session: Session) -> None:
        jobs.submit_answered(session, own, earlier.uuid, token)

    try:
        return make_job(own, options, put_files, submit, earlier.uuid)
    except (FileNotFound, JobNotFound):
        return None


def read_again(user_id: int, uuid: str) -> JobView:
    """A new job for the document of that one, with its options, which is read whatever was read before. JobNotFound, FileNotFound."""
    job = read(get_job, user_id, uuid)
    submission = Submission(
        uuid=str(uuid4()),
        user_id=user_id,
        file_name=job.file_name,
        media_type=job.media_type,
        size_bytes=job.size_bytes,
        options=job.options.stored(),
        content_sha256=job.content_sha256,
        tags=job.tags,
    )
    jobs, storage = services().jobs, services().storage
    copy = partial(storage.copy, job.uuid, submission.uuid, {DOCUMENT: DOCUMENT})
    return make_job(submission, job.options, copy, lambda session: jobs.submit(session, submission))


def _store(
    submission: Submission, options: Options, put_files: Callable[[], None], deduplicated_from: str | None
) -> None:
    put_files()
    metadata = {
        "uuid": submission.uuid,
        "file_name": submission.file_name,
        "media_type": submission.media_type,
        "size_bytes": submission.size_bytes,
        "sha256": submission.content_sha256,
        "options": options.public(),
        "deduplicated_from": deduplicated_from,
    }
    with services().storage.write(submission.uuid, METADATA) as file:
        file.write(json.dumps(metadata, ensure_ascii=False, indent=1).encode())


def _record(session: Session, submission: Submission, submit: Callable[[Session], None]) -> JobView:
    """Record the job, and see in the same transaction that its document was not taken for one left behind (recto/file_references.py)."""
    submit(session)
    put_tags(session, submission.uuid, submission.tags)
    services().storage.size_bytes(submission.uuid, DOCUMENT)
    return get_job(session, submission.user_id, submission.uuid)
