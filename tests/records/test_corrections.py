"""Corrections in the Database: revisions that only grow, who saw what, and undoing."""

from datetime import UTC, datetime

import pytest

from models import PageCorrection
from recto.errors import (
    CorrectionInvalid,
    CorrectionNotFound,
    CorrectionNotLatest,
    JobNotFound,
    PageChanged,
    ResultNotMade,
)
from recto.ocr.corrections import Correction, Corrections, LineCorrection, WordsCorrection
from recto.records import corrections, derivations
from recto.records.corrections import (
    AS_READ,
    MOST_OF_A_PAGE,
    History,
    MadeCorrection,
    Reading,
    SeenPage,
    Standing,
    history,
    parse_entry,
)
from recto.views.jobs import get_job, latest_change
from recto.views.pages import find_ended_page
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database

FIRST, SECOND = WordsCorrection(0, 1, "The"), LineCorrection(1, "second line")

AGAIN = Reading("c" * 32, {"languages": "deu"}, None, [{"name": "deskew", "measured": {"angle_deg": 1.5}}])


def made_there(revision: int, correction: Correction, *, is_undone: bool = False) -> MadeCorrection:
    """What bob corrected where the page was read again."""
    now = datetime(2026, 11, 26, tzinfo=UTC)
    return MadeCorrection(revision, "bob", now, correction, "Tbe", now if is_undone else None)


@pytest.fixture
def uuid(table: JobTable, ann: int) -> str:
    """A finished job of two pages."""
    uuid = table.submit(ann)
    lease = table.claim().lease
    for number in (1, 2):
        table.do(table.jobs.adopt_page, lease, number)
    table.do(table.jobs.finish, lease)
    return uuid


def add(table: JobTable, uuid: str, seen: int, correction: Correction = FIRST, number: int = 1) -> int:
    return table.do(corrections.add, SeenPage(uuid, number, seen), "ann", correction, "Tbe", 0.75)


def test_correction_is_listed_with_its_author_and_what_it_replaced(table: JobTable, uuid: str) -> None:
    assert table.read(history, uuid, 1).made == ()
    assert add(table, uuid, 0) == 1
    found = table.read(history, uuid, 1)
    (made,) = found.made
    assert (found.revision, found.standing) == (1, Standing(None, (FIRST,)))
    assert (made.revision, made.author, made.replaced, made.undone) == (1, "ann", "Tbe", None)
    assert made.what == {"word": 0, "count": 1, "text": "The"}


def test_correction_moves_the_page_and_the_job_on_and_tells_who_waits(table: JobTable, ann: int, uuid: str) -> None:
    before = table.read(latest_change)
    add(table, uuid, 0)
    add(table, uuid, 1, SECOND)
    add(table, uuid, 0, number=2)
    job, page = table.read(get_job, ann, uuid), table.read(find_ended_page, uuid, 1)
    assert page is not None
    assert (job.revision, page.revision, page.confidence) == (3, 2, 0.75)
    assert job.change == table.read(latest_change) == before + 3


def test_correction_of_a_page_that_was_corrected_meanwhile_changes_nothing(
    table: JobTable, ann: int, uuid: str
) -> None:
    add(table, uuid, 0)
    with pytest.raises(PageChanged) as refused:
        add(table, uuid, 0, SECOND)
    assert refused.value.members == {"revision": 1}
    assert table.read(history, uuid, 1).standing == Standing(None, (FIRST,))
    assert table.read(get_job, ann, uuid).revision == 1


def test_corrections_of_a_job_are_those_that_stand_by_page(table: JobTable, uuid: str) -> None:
    add(table, uuid, 0)
    add(table, uuid, 0, SECOND, number=2)
    add(table, uuid, 1, SECOND)
    table.do(corrections.undo, SeenPage(uuid, 1, 2), 2, None)
    found = table.read(corrections.of_job, uuid)
    assert (found.revision, found.of_pages) == (4, {1: Standing(None, (FIRST,)), 2: Standing(None, (SECOND,))})
    assert found.corrections == Corrections(4, {1: (FIRST,), 2: (SECOND,)})


def test_undone_correction_stays_in_the_list_and_its_revision_never_comes_again(table: JobTable, uuid: str) -> None:
    add(table, uuid, 0)
    assert table.do(corrections.undo, SeenPage(uuid, 1, 1), 1, 0.5) == 2
    found = table.read(history, uuid, 1)
    assert (found.revision, found.standing) == (2, AS_READ)
    assert found.made[0].undone is not None
    assert add(table, uuid, 2, SECOND) == 3
    assert table.read(corrections.of_job, uuid).revision == 3


def test_only_the_latest_correction_that_stands_can_be_undone(table: JobTable, uuid: str) -> None:
    add(table, uuid, 0)
    add(table, uuid, 1, SECOND)
    found = table.read(history, uuid, 1)
    assert found.without_latest(2) == Standing(None, (FIRST,))
    with pytest.raises(CorrectionNotLatest, match="beginning with 2"):
        found.without_latest(1)
    for unknown in (0, 3, 10**30):
        with pytest.raises(CorrectionNotFound):
            found.without_latest(unknown)
    table.do(corrections.undo, SeenPage(uuid, 1, 2), 2, None)
    undone = table.read(history, uuid, 1)
    with pytest.raises(CorrectionNotFound):
        undone.without_latest(2)
    assert undone.without_latest(1) == AS_READ


def test_format_that_could_not_be_made_may_be_tried_again_after_a_correction(table: JobTable, uuid: str) -> None:
    table.do(derivations.failed_at_once, uuid, "pdf", "token", ResultNotMade("It could not."))
    table.do(derivations.begin, uuid, "tsv", "other", 60.0)
    add(table, uuid, 0)
    assert table.read(derivations.find, uuid, "pdf") is None
    assert table.read(derivations.find, uuid, "tsv") is not None


def test_page_takes_so_many_corrections_and_no_more(table: JobTable, uuid: str) -> None:
    with pytest.raises(CorrectionInvalid, match="5,000 times"):
        add(table, uuid, MOST_OF_A_PAGE)


def test_another_reading_takes_the_place_of_what_stood_until_it_is_undone(table: JobTable, uuid: str) -> None:
    add(table, uuid, 0)
    read_elsewhere = History(2, (made_there(1, SECOND, is_undone=True), made_there(2, FIRST)))
    assert table.do(corrections.take_reading, SeenPage(uuid, 1, 1), "ann", AGAIN, read_elsewhere, 0.5) == 3
    found = table.read(history, uuid, 1)
    assert (found.revision, found.standing) == (3, Standing(AGAIN, (FIRST,)))
    assert [made.author for made in found.made] == ["ann", "ann", "bob"]
    assert table.read(corrections.of_job, uuid).checkpoints([(1, "own"), (2, "own")]) == [(1, AGAIN.token), (2, "own")]
    assert found.without_latest(3) == Standing(AGAIN, ())
    table.do(corrections.undo, SeenPage(uuid, 1, 3), 3, None)
    table.do(corrections.undo, SeenPage(uuid, 1, 4), 2, 0.75)
    assert table.read(history, uuid, 1).standing == Standing(None, (FIRST,))


def test_page_that_was_read_again_says_what_was_done_to_it_then(table: JobTable, uuid: str) -> None:
    table.do(corrections.take_reading, SeenPage(uuid, 2, 0), "ann", AGAIN, History(0, ()), 0.5)
    first, second = table.read(corrections.pages_standing, uuid)
    assert (first.number, first.steps) == (1, ())
    assert (second.number, second.is_described, len(second.steps)) == (2, True, 1)


def test_corrections_go_with_their_job(table: JobTable, ann: int, uuid: str) -> None:
    add(table, uuid, 0)
    table.do(table.jobs.delete, ann, uuid)
    with table.sessions() as session:
        assert session.query(PageCorrection).count() == 0
    with pytest.raises(JobNotFound):
        add(table, uuid, 1)


@pytest.mark.parametrize("what", [{}, {"text": "x"}, {"word": 0, "text": "x"}, {"line": None, "text": "x"}])
def test_description_of_no_correction_is_refused(what: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Correction"):
        parse_entry(what)
