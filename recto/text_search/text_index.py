"""The index over the text of what was read: which pages it lacks, how they come in, how removed ones go for good, how it is asked.

SQLite has FTS5, PostgreSQL its text search; what differs between them is in this module alone. FTS5 keeps the words of removed pages in
its segments until these are merged, so the index is rewritten, in steps, after pages were removed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    Table,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from models import TEXT_TO_INDEX, Job, JobPage, JobStatus, PageText, TextRemoval
from recto.text_search.words import Query, Term, folded_words

_INDEX: Final = table("page_text_index", column("rowid"))
_MERGED_AT_ONCE: Final = 100
"""Leaf pages of the index that one step of its rewriting takes, of about 4 KiB each."""
_CHANGED_NOTHING: Final = 2
"""Rows that a merge which found nothing to do changes at most (fts5.html, 6.8)."""
_WORDS: Final[ColumnElement[Any]] = literal_column("page_text.words")
_INSERT_WITH_WORDS: Final = text(
    "INSERT INTO page_text (job_uuid, user_id, number, text, words) VALUES (:job_uuid, :user_id, :number, :text, CAST(:words AS tsvector))"
)
# https://www.postgresql.org/docs/current/textsearch-limitations.html: what is beyond is not found.
_MOST_PLACES: Final = 16_383
_MOST_PLACES_OF_A_WORD: Final = 255
_LONGEST_WORD: Final = 500
_MOST_BYTES: Final = 900_000
_BYTES_BESIDE_A_WORD: Final = 12


@dataclass(frozen=True, slots=True)
class JobToIndex:
    """A job whose text is not wholly in the index yet, and its revision as it was looked at."""

    uuid: str
    user_id: int
    revision: int = 0


def next_job(session: Session) -> JobToIndex | None:
    """The job that ended last: what was just read is found soon, however much older text waits. None where all is in the index."""
    waiting = select(Job.uuid, Job.user_id, Job.revision).where(TEXT_TO_INDEX).order_by(Job.ended_us.desc()).limit(1)
    row = session.execute(waiting).one_or_none()
    return JobToIndex(row.uuid, row.user_id, row.revision) if row else None


def count_waiting(session: Session) -> int:
    """Jobs whose text is not wholly in the index yet."""
    return session.scalar(select(func.count()).select_from(Job).where(TEXT_TO_INDEX)) or 0


def indexed_jobs(session: Session) -> list[str]:
    """The uuids of the jobs that have pages in the index."""
    return list(session.scalars(select(PageText.job_uuid).distinct()))


def missing_pages(session: Session, uuid: str, limit: int) -> list[tuple[int, str]]:
    """(page number, attempt token) of the first pages that were read and are not in the index."""
    there = select(PageText.id).where(PageText.job_uuid == uuid, PageText.number == JobPage.number).exists()
    pages = select(JobPage.number, JobPage.attempt_token).where(
        JobPage.job_uuid == uuid, JobPage.error_code.is_(None), ~there
    )
    return [(number, token) for number, token in session.execute(pages.order_by(JobPage.number).limit(limit))]


def add_pages(session: Session, job: JobToIndex, texts: dict[int, str], *, is_last: bool) -> None:
    """Put pages into the index, and note where the job has no more. Nothing happens where the job is gone, or a page is there already.

    Nor where it was corrected since `next_job` gave it: the texts may be those of before. Needs a transaction that was begun for writing.
    """
    holding = select(Job.uuid).where(
        Job.uuid == job.uuid, Job.status == JobStatus.FINISHED, Job.revision == job.revision
    )
    if session.scalar(holding.with_for_update(key_share=True)) is None:
        return
    there = set(
        session.scalars(select(PageText.number).where(PageText.job_uuid == job.uuid, PageText.number.in_(texts)))
    )
    missing = {number: words for number, words in texts.items() if number not in there}
    if rows := _rows(job.uuid, job.user_id, missing):
        _insert(session, rows)
    if is_last:
        session.execute(update(Job).where(Job.uuid == job.uuid).values(text_indexed=True))


def add_whole_job(session: Session, uuid: str, user_id: int, texts: Mapping[int, str]) -> None:
    """Put all pages of a job into the index that has none of it yet. For who has locked the job, and says in the same transaction that it is indexed."""
    if texts:
        _insert(session, _rows(uuid, user_id, texts))


def _rows(uuid: str, user_id: int, texts: Mapping[int, str]) -> list[dict[str, Any]]:
    return [{"job_uuid": uuid, "user_id": user_id, "number": number, "text": words} for number, words in texts.items()]


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    if _is_sqlite(session):
        session.execute(insert(cast(Table, PageText.__table__)), rows)
    else:
        session.execute(_INSERT_WITH_WORDS, [row | {"words": tsvector(row["text"], row["user_id"])} for row in rows])


def index_again(session: Session, uuid: str, numbers: Collection[int] | None = None) -> None:
    """Take pages of a job out of the index, all where none is named: their text has changed, and is to be read anew."""
    gone = delete(PageText).where(PageText.job_uuid == uuid)
    session.execute(gone if numbers is None else gone.where(PageText.number.in_(numbers)))
    session.execute(update(Job).where(Job.uuid == uuid).values(text_indexed=False))


def rebuild(session: Session) -> None:
    """Make the index anew from the pages' text, also where it is damaged."""
    if _is_sqlite(session):
        session.execute(text("INSERT INTO page_text_index (page_text_index) VALUES ('rebuild')"))
    else:
        session.execute(text("REINDEX INDEX page_text_index"))


def removals_to_purge(session: Session) -> int | None:
    """The count of removed pages, where some of them are still in segments of the index; None where none are.

    PostgreSQL's autovacuum does this by itself.
    """
    if not _is_sqlite(session):
        return None
    removal = session.execute(select(TextRemoval.removed, TextRemoval.purged)).one()
    return int(removal.removed) if removal.removed != removal.purged else None


def purge_step(session: Session, *, is_first: bool) -> bool:
    """Rewrite a piece of the index without what was removed; the first step takes all of its segments together. False at the end."""
    connection = session.connection()
    before = connection.scalar(text("SELECT total_changes()")) or 0
    merge = text("INSERT INTO page_text_index (page_text_index, rank) VALUES ('merge', :pages)")
    connection.execute(merge, {"pages": -_MERGED_AT_ONCE if is_first else _MERGED_AT_ONCE})
    after = connection.scalar(text("SELECT total_changes()")) or 0
    return after - before >= _CHANGED_NOTHING


def purged(session: Session, removed: int) -> None:
    """Note that what was removed up to that count is out of the index."""
    session.execute(update(TextRemoval).values(purged=removed))


def empty_log(session: Session) -> None:
    """Bring SQLite's write-ahead log into the database and cut it to nothing, where no reader is in the way. Outside of transactions."""
    if _is_sqlite(session):
        session.connection().connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def matching_pages(session: Session, user_id: int, query: Query) -> CTE:
    """The ids, as `id`, of the user's pages that the query is true of."""
    found: Select[Any]
    if _is_sqlite(session):
        match = literal_column("page_text_index").op("MATCH")(fts5_expression(query, user_id))
        found = select(_INDEX.c.rowid.label("id")).where(match)
    else:
        is_found = _WORDS.op("@@")(sql_cast(literal(tsquery(query, user_id)), TSQUERY))
        found = select(PageText.id).where(PageText.user_id == user_id, is_found)
    return found.cte("found").prefix_with("MATERIALIZED")


def fts5_expression(query: Query, user_id: int) -> str:
    """https://www.sqlite.org/fts5.html, 3. Words hold letters and digits alone, and stand in quotes: nothing of them is syntax."""
    wanted = " AND ".join(_fts5_term(term) for term in query.wanted)
    unwanted = "".join(f" NOT {_fts5_term(term)}" for term in query.unwanted)
    return f'user_id : "{user_id}" AND text : (({wanted}){unwanted})'


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.is_prefix else ""}'


def tsvector(text: str, user_id: int) -> str:
    """https://www.postgresql.org/docs/current/datatype-textsearch.html, with its limits. The user is a word too, which no text has."""
    places: dict[str, list[int]] = {}
    size_bytes = 0
    for place, word in enumerate(folded_words(text), 1):
        size_bytes += len(word.encode()) + _BYTES_BESIDE_A_WORD
        if place > _MOST_PLACES or size_bytes > _MOST_BYTES:
            break
        places.setdefault(word[:_LONGEST_WORD], []).append(place)
    words = (f"'{word}':{','.join(map(str, found[:_MOST_PLACES_OF_A_WORD]))}" for word, found in places.items())
    return " ".join([_tsquery_user(user_id), *words])


def tsquery(query: Query, user_id: int) -> str:
    """The same page's datatype tsquery. Words hold letters and digits alone, and stand in quotes: nothing of them is syntax."""
    wanted = " & ".join([_tsquery_user(user_id), *map(_tsquery_term, query.wanted)])
    return wanted + "".join(f" & !{_tsquery_term(term)}" for term in query.unwanted)


def _tsquery_user(user_id: int) -> str:
    return f"'user {user_id}'"


def _tsquery_term(term: Term) -> str:
    *first, last = (f"'{word[:_LONGEST_WORD]}'" for word in folded_words(" ".join(term.words)))
    return f"({' <-> '.join([*first, f'{last}:*' if term.is_prefix else last])})"


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
