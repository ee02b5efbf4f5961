"""The pages of a job as clients see them, from the Database: also while the job runs."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import JobPage
from recto.views.jobs import Reason, reason_of

_MOST_NUMBER: Final = 2**31 - 1
"""What a column of page numbers holds."""


@dataclass(frozen=True, slots=True)
class EndedPage:
    """A page that was read, or given up for a reason. `attempt_token` names whose checkpoint it is; it is not for clients.

    `revision` counts its corrections and what was undone. `confidence` is from 0 to 1; None on a page without words, or one that was given up or read before such things were kept.
    """

    number: int
    attempt_token: str
    confidence: float | None
    text_layer: str | None
    revision: int
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class ReadAs:
    """How a page was read: `text_layer` and `preprocessing` as JobPage has them."""

    text_layer: str | None
    preprocessing: list[dict[str, Any]] | None


def read_as(session: Session, uuid: str, number: int) -> ReadAs:
    """Of a page of a job; nothing where it is not there."""
    page = session.get(JobPage, (uuid, number))
    return ReadAs(page.text_layer, page.preprocessing) if page else ReadAs(None, None)


def list_ended_pages(session: Session, uuid: str, limit: int, after: int = 0) -> list[EndedPage]:
    """The first `limit` pages with a number above `after`, by their numbers."""
    ended = select(JobPage).where(JobPage.job_uuid == uuid, JobPage.number > min(after, _MOST_NUMBER))
    return [_view(page) for page in session.scalars(ended.order_by(JobPage.number).limit(limit))]


def find_ended_page(session: Session, uuid: str, number: int) -> EndedPage | None:
    """None as long as it has not ended, or where the job does not read it."""
    page = session.get(JobPage, (uuid, number)) if number <= _MOST_NUMBER else None
    return _view(page) if page else None


def _view(page: JobPage) -> EndedPage:
    reason = reason_of(page.error_code, page.error_detail)
    confidence = page.corrected_confidence if page.revision else page.confidence
    return EndedPage(page.number, page.attempt_token, confidence, page.text_layer, page.revision, reason)
