"""Full-text search over one's finished jobs: documents with the pages that were hit, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlalchemy import CTE, exists, select, tuple_
from sqlalchemy.orm import Session

from models import TEXT_TO_INDEX, Job, PageText
from recto.text_search.text_index import matching_pages
from recto.text_search.words import Query, Snippet, snippet
from recto.views.jobs import JobView, own_jobs

MOST_SNIPPETS: Final = 3
"""Of one document."""


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page that was hit, with its text around the hits."""

    number: int
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A job of whose pages those of `page_numbers` were hit, in order; `pages` are the first of them."""

    job: JobView
    page_numbers: tuple[int, ...]
    pages: tuple[FoundPage, ...]


def find_documents(
    session: Session, user_id: int, query: Query, limit: int, before: tuple[int, str] | None = None
) -> list[FoundDocument]:
    """The user's documents with a page that the query is true of, newest first. `before` as in `list_jobs`."""
    found = matching_pages(session, user_id, query)
    of_jobs = select(PageText.job_uuid).join(found, found.c.id == PageText.id).distinct().subquery()
    newest = select(Job.uuid).join(of_jobs, of_jobs.c.job_uuid == Job.uuid).where(Job.user_id == user_id)
    if before:
        newest = newest.where(tuple_(Job.created_us, Job.uuid) < tuple_(*before))
    uuids = list(session.scalars(newest.order_by(Job.created_us.desc(), Job.uuid.desc()).limit(limit)))
    hits = _hits(session, found, uuids)
    texts = _texts(session, [page_id for pages in hits.values() for _, page_id in pages[:MOST_SNIPPETS]])
    return [_document(job, hits[job.uuid], texts, query) for job in own_jobs(session, user_id, uuids)]


def found_pages(session: Session, user_id: int, uuid: str, query: Query) -> tuple[int, ...]:
    """The numbers of the pages of a job of the user's that the query is true of, in order."""
    hits = _hits(session, matching_pages(session, user_id, query), [uuid])
    return tuple(number for number, _ in hits.get(uuid, ()))


def is_behind(session: Session, user_id: int) -> bool:
    """Whether documents of the user are yet to come into the index."""
    return bool(session.scalar(select(exists().where(TEXT_TO_INDEX, Job.user_id == user_id))))


def _hits(session: Session, found: CTE, uuids: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """(page number, row id) of the pages that were hit, by job and in order."""
    rows = (
        select(PageText.job_uuid, PageText.number, PageText.id)
        .join(found, found.c.id == PageText.id)
        .where(PageText.job_uuid.in_(uuids))
        .order_by(PageText.job_uuid, PageText.number)
    )
    grouped = groupby(session.execute(rows), key=lambda row: row.job_uuid)
    return {uuid: [(row.number, row.id) for row in pages] for uuid, pages in grouped}


def _texts(session: Session, ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(PageText.id, PageText.text).where(PageText.id.in_(ids)))
    return {row.id: row.text for row in rows}


def _document(job: JobView, hits: Sequence[tuple[int, int]], texts: dict[int, str], query: Query) -> FoundDocument:
    pages = [FoundPage(number, snippet(texts[page_id], query.wanted)) for number, page_id in hits[:MOST_SNIPPETS]]
    return FoundDocument(job, tuple(number for number, _ in hits), tuple(pages))
