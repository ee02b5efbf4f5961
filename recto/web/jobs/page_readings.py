"""Another reading of a page: one page of a document is read by a job of its own, and that reading then counts in the job that was there before."""

from functools import partial
from uuid import uuid4

from sqlalchemy.orm import Session

from models import JobStatus
from recto.errors import CorrectionInvalid
from recto.file_storage.base import checkpoint_name
from recto.ocr.options import Options
from recto.records import corrections, derivations
from recto.records.corrections import History, Reading, SeenPage, history
from recto.views.jobs import JobView, get_job
from recto.views.pages import EndedPage, ReadAs, find_ended_page, read_as
from recto.web.login import SignedInUser
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread, read, write
from recto.web.uploading.submissions import retry


def read_again(job: JobView, number: int, options: Options) -> JobView:
    """A new job that reads this page of that one's document, and nothing else of it."""
    return retry(job, options.model_copy(update={"pages": str(number)}))


def take(user: SignedInUser, job: JobView, seen: SeenPage, other_uuid: str) -> int:
    """Have the page as the other job has read it, with what was corrected there; gives the page's new revision.

    CorrectionInvalid where that job has not read this page of this document; PageChanged; JobNotFound; FileNotFound.
    """
    other = read(get_job, user.account.id, other_uuid)
    page = read(find_ended_page, other.uuid, seen.number)
    if page is None or page.reason or not _is_of_same_document(job, other):
        raise CorrectionInvalid(
            f"Job {other_uuid} has no page {seen.number} of this document that was read. Have it read again, and name that job when it is finished."
        )
    made, token = read(history, other.uuid, seen.number), uuid4().hex
    write(derivations.reserve_reading, job.uuid, token)
    try:
        names = {
            checkpoint_name(token, seen.number): checkpoint_name(made.standing.token(page.attempt_token), seen.number)
        }
        in_thread(partial(services().storage.copy, other.uuid, job.uuid, names), Lane.DISK)
        reading = _reading(token, other, read(read_as, other.uuid, seen.number), made)
        return write(_record, seen, user.name, reading, made, page)
    except BaseException:
        write(derivations.reading_is_recorded, job.uuid, token)
        raise


def _record(session: Session, seen: SeenPage, author: str, reading: Reading, made: History, page: EndedPage) -> int:
    derivations.reading_is_recorded(session, seen.job_uuid, reading.token)
    return corrections.take_reading(session, seen, author, reading, made, page.confidence)


def _reading(token: str, other: JobView, own: ReadAs, made: History) -> Reading:
    """What the other job has of the page: its own reading, or one that it has taken in its turn."""
    taken = made.standing.reading
    if taken is None:
        return Reading(token, other.options.reading(), own.text_layer, own.preprocessing)
    return Reading(token, taken.options, taken.text_layer, taken.preprocessing)


def is_page_of(job: JobView, target: JobView) -> bool:
    """Whether the job reads one page alone of what that one has read whole."""
    pages = job.options.pages
    return (
        pages is not None
        and pages.isdecimal()
        and target.status is JobStatus.FINISHED
        and target.options.pages != pages
    )


def _is_of_same_document(job: JobView, other: JobView) -> bool:
    same = other.content_sha256 is not None and other.content_sha256 == job.content_sha256
    return other.status is JobStatus.FINISHED and other.uuid != job.uuid and (same or other.retry_of == job.uuid)
