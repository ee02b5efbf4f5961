"""What goes into the index, comes out of it, and is found in it."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from models import TEXT_TO_INDEX, Job, PageText
from recto.database.connections import Begin, transaction
from recto.errors import LeaseLost, PageDamaged
from recto.ocr.corrections import WordsCorrection
from recto.records import corrections
from recto.records.corrections import SeenPage
from recto.search import find_documents, found_pages, is_behind
from recto.text_search import text_index
from recto.text_search.text_index import JobToIndex
from recto.text_search.words import parse_query
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database


def finished(table: JobTable, user_id: int, *page_numbers: int) -> str:
    """A job with these pages, whose text is not in the index yet."""
    uuid = table.submit(user_id)
    lease = table.claim().lease
    table.do(table.jobs.set_page_count, lease, len(page_numbers))
    for number in page_numbers:
        table.do(table.jobs.adopt_page, lease, number)
    table.do(table.jobs.finish, lease)
    table.clock.move(1)
    return uuid


def indexed(table: JobTable, user_id: int, *texts: str) -> str:
    """A job with these pages, all of them in the index."""
    uuid = finished(table, user_id, *range(1, len(texts) + 1))
    table.do(text_index.add_pages, JobToIndex(uuid, user_id), dict(enumerate(texts, 1)), is_last=True)
    return uuid


def found(table: JobTable, user_id: int, query: str, limit: int = 10) -> list[tuple[str, tuple[int, ...]]]:
    documents = table.read(find_documents, user_id, parse_query(query), limit)
    return [(document.job.uuid, document.page_numbers) for document in documents]


def test_pages_are_missing_until_they_are_added(table: JobTable, ann: int) -> None:
    older, newer = finished(table, ann, 1), finished(table, ann, 2, 3, 5)
    assert table.read(text_index.count_waiting) == 2
    job = table.read(text_index.next_job)
    assert job == JobToIndex(newer, ann)
    token = table.job(newer).result_token
    assert table.read(text_index.missing_pages, newer, 2) == [(2, token), (3, token)]
    table.do(text_index.add_pages, job, {2: "two", 3: "three"}, is_last=False)
    assert table.read(text_index.missing_pages, newer, 2) == [(5, token)]
    assert table.read(is_behind, ann)
    table.do(text_index.add_pages, job, {5: "five"}, is_last=True)
    assert table.read(text_index.next_job) == JobToIndex(older, ann)
    table.do(text_index.add_pages, JobToIndex(older, ann), {1: ""}, is_last=True)
    assert table.read(text_index.next_job) is None
    assert not table.read(is_behind, ann)


def test_page_that_failed_is_never_missing(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.adopt_page, lease, 1, PageDamaged("Damaged."))
    table.do(table.jobs.adopt_page, lease, 2)
    assert table.read(text_index.next_job) is None
    table.do(table.jobs.finish, lease)
    assert table.read(text_index.missing_pages, uuid, 9) == [(2, lease.token)]


def test_text_that_comes_with_the_end_of_its_job_waits_for_nobody(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    for number in (1, 2):
        table.do(table.jobs.adopt_page, lease, number)
    with transaction(table.sessions(), Begin.WRITE) as session:
        table.jobs.index_text(session, lease, ann, {1: "a goat", 2: ""})
        table.jobs.finish(session, lease, is_indexed=True)
    assert found(table, ann, "goat") == [(uuid, (1,))]
    assert (table.read(text_index.next_job), table.read(text_index.missing_pages, uuid, 9)) == (None, [])


def test_text_of_an_attempt_that_lost_its_job_is_not_added(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.cancel, ann, uuid)
    with pytest.raises(LeaseLost):
        table.do(table.jobs.index_text, lease, ann, {1: "a goat"})
    table.do(table.jobs.delete, ann, uuid)
    with pytest.raises(LeaseLost):
        table.do(table.jobs.index_text, lease, ann, {1: "a goat"})
    assert found(table, ann, "goat") == []


def test_pages_added_twice_are_there_once(table: JobTable, ann: int) -> None:
    uuid = indexed(table, ann, "one goat")
    table.do(text_index.add_pages, JobToIndex(uuid, ann), {1: "another goat", 2: "two goats"}, is_last=True)
    assert found(table, ann, "goat") == [(uuid, (1,))]
    assert found(table, ann, "another") == []


def test_pages_of_a_job_that_is_gone_are_not_added(table: JobTable, ann: int) -> None:
    uuid = finished(table, ann, 1)
    table.do(table.jobs.delete, ann, uuid)
    table.do(text_index.add_pages, JobToIndex(uuid, ann), {1: "goat"}, is_last=True)
    with table.sessions() as session:
        assert session.scalars(select(PageText)).all() == []


def test_search_finds_ones_own_newest_first(table: JobTable, ann: int, bob: int) -> None:
    first = indexed(table, ann, "a goat", "a lamb", "goats and a GOAT")
    second = indexed(table, ann, "the goät")
    others = indexed(table, bob, "a goat")
    assert found(table, ann, "goat") == [(second, (1,)), (first, (1, 3))]
    assert found(table, bob, "goat") == [(others, (1,))]
    assert found(table, ann, "goat", limit=1) == [(second, (1,))]
    place = (table.job(second).created_us, second)
    (older,) = table.read(find_documents, ann, parse_query("goat"), 10, place)
    assert older.job.uuid == first
    assert [(page.number, page.snippet.text) for page in older.pages] == [(1, "a goat"), (3, "goats and a GOAT")]


@pytest.mark.parametrize(
    ("query", "pages"),
    [
        ("goat lamb", (1,)),
        ('"goat lamb"', ()),
        ('"lamb goat"', (1,)),
        ("goat -lamb", (2,)),
        ('goat -"lamb goat"', (2,)),
        ("go*", (1, 2)),
        ('"gray go*"', ()),
        ('"gray go"*', (2,)),
        ("goa", ()),
        ("user_id text", ()),
    ],
)
def test_search_understands_what_people_type(
    table: JobTable, ann: int, bob: int, query: str, pages: tuple[int, ...]
) -> None:
    uuid = indexed(table, ann, "a lamb, goat", "gray goat", "")
    indexed(table, bob, "a lamb, goat", "gray goat")
    assert found(table, ann, query) == ([(uuid, pages)] if pages else [])
    assert table.read(found_pages, ann, uuid, parse_query(query)) == pages
    assert table.read(found_pages, bob, uuid, parse_query(query)) == ()


def test_number_of_a_user_is_no_word(table: JobTable, ann: int) -> None:
    indexed(table, ann, "goat")
    assert found(table, ann, str(ann)) == []


def test_text_that_changed_is_indexed_again(table: JobTable, ann: int) -> None:
    uuid = indexed(table, ann, "goat", "lamb")
    table.do(text_index.index_again, uuid, [2])
    assert (found(table, ann, "goat"), found(table, ann, "lamb")) == ([(uuid, (1,))], [])
    assert [number for number, _ in table.read(text_index.missing_pages, uuid, 9)] == [2]
    table.do(text_index.index_again, uuid)
    assert [number for number, _ in table.read(text_index.missing_pages, uuid, 9)] == [1, 2]


@pytest.mark.sqlite_alone
def test_index_that_is_damaged_can_be_rebuilt(table: JobTable, ann: int) -> None:
    uuid = indexed(table, ann, "goat")
    with table.engine.begin() as connection:
        connection.execute(text("DELETE FROM page_text_index_data WHERE id > 10"))
    table.do(text_index.rebuild)
    assert found(table, ann, "goat") == [(uuid, (1,))]


def bytes_on_disk(file: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))


@pytest.mark.sqlite_alone
def test_text_of_a_deleted_job_is_gone_for_good(table: JobTable, ann: int, database_file: Path) -> None:
    words = [f"quixot{number}" for number in range(200)]
    uuid = indexed(table, ann, *[" ".join(words[at : at + 20]) for at in range(0, 200, 20)])
    kept = indexed(table, ann, "quixotic")
    with table.sessions() as session:
        text_index.empty_log(session)
    assert b"quixot7" in bytes_on_disk(database_file)
    table.do(table.jobs.delete, ann, uuid)
    assert found(table, ann, "quixot7") == []
    removed = table.read(text_index.removals_to_purge)
    assert removed == 10
    is_first = True
    while table.do(text_index.purge_step, is_first=is_first):
        is_first = False
    table.do(text_index.purged, removed)
    assert table.read(text_index.removals_to_purge) is None
    with table.sessions() as session:
        text_index.empty_log(session)
    left = bytes_on_disk(database_file)
    # The index keeps a word as what differs from the one before it: only `quixotic` begins so now.
    assert left.count(b"quixot") == left.count(b"quixotic") > 0
    assert found(table, ann, "quixotic") == [(kept, (1,))]
    with table.engine.connect() as connection:
        connection.execute(text("INSERT INTO page_text_index (page_text_index, rank) VALUES ('integrity-check', 1)"))


@pytest.mark.sqlite_alone
def test_jobs_to_index_are_found_by_an_index(table: JobTable, ann: int) -> None:
    finished(table, ann, 1)
    waiting = select(Job.uuid).where(TEXT_TO_INDEX).order_by(Job.ended_us.desc()).compile(table.engine)
    with table.engine.connect() as connection:
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {waiting}")).all()
    assert "job_text_to_index" in str(plan)


def test_pages_of_a_job_that_was_corrected_meanwhile_are_not_added(table: JobTable, ann: int) -> None:
    uuid = finished(table, ann, 1)
    seen = table.read(text_index.next_job)
    assert seen == JobToIndex(uuid, ann, revision=0)
    table.do(corrections.add, SeenPage(uuid, 1, 0), "ann", WordsCorrection(0, 1, "lamb"), "goat", 1.0)
    table.do(text_index.add_pages, seen, {1: "goat"}, is_last=True)
    assert found(table, ann, "goat") == []
    assert table.read(text_index.next_job) == JobToIndex(uuid, ann, revision=1)


def test_page_that_is_corrected_or_undone_is_indexed_again(table: JobTable, ann: int) -> None:
    uuid = indexed(table, ann, "goat", "goat")
    table.do(corrections.add, SeenPage(uuid, 1, 0), "ann", WordsCorrection(0, 1, "lamb"), "goat", 1.0)
    assert found(table, ann, "goat") == [(uuid, (2,))]
    job = table.read(text_index.next_job)
    assert job == JobToIndex(uuid, ann, revision=1)
    assert [number for number, _ in table.read(text_index.missing_pages, uuid, 9)] == [1]
    table.do(text_index.add_pages, job, {1: "lamb"}, is_last=True)
    assert found(table, ann, "lamb") == [(uuid, (1,))]
    table.do(corrections.undo, SeenPage(uuid, 1, 1), 1, None)
    assert found(table, ann, "lamb") == []
    assert table.read(is_behind, ann)
