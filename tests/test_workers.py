import pytest
from sqlalchemy import update

from models import Worker
from recto import workers
from recto.workers import installed_languages, list_workers, report, sign_off
from tests.conftest import SECOND_US, JobTable

pytestmark = pytest.mark.each_database(long=True)


def report_as(table: JobTable, name: str, languages: tuple[str, ...] = ("eng", "osd")) -> None:
    table.do(report, name, "1.0", "pytesseract 5.3.0", languages, 2)


def seen_ago(table: JobTable, name: str, seconds: float) -> None:
    with table.sessions() as session:
        session.execute(
            update(Worker).where(Worker.name == name).values(seen_us=Worker.seen_us - round(seconds * SECOND_US))
        )
        session.commit()


def names(table: JobTable) -> list[tuple[str, bool]]:
    return [(worker.name, worker.is_alive) for worker in table.read(list_workers)]


def test_worker_that_reported_is_alive_with_what_it_has(table: JobTable) -> None:
    report_as(table, "one", ("deu", "eng"))
    (worker,) = table.read(list_workers)
    assert (worker.name, worker.engine, worker.languages) == ("one", "pytesseract 5.3.0", ("deu", "eng"))
    assert (worker.version, worker.processes, worker.is_alive) == ("1.0", 2, True)
    assert worker.started == worker.seen


def test_worker_that_reports_again_is_one_row_and_keeps_its_start(table: JobTable) -> None:
    report_as(table, "one")
    seen_ago(table, "one", 10)
    report_as(table, "one", ("fra",))
    (worker,) = table.read(list_workers)
    assert worker.languages == ("fra",)
    assert worker.seen >= worker.started


def test_worker_that_was_not_heard_from_counts_as_gone(table: JobTable) -> None:
    report_as(table, "one")
    report_as(table, "two")
    seen_ago(table, "one", workers.SEEN_WITHIN_S + 1)
    assert names(table) == [("two", True), ("one", False)]


def test_worker_that_signed_off_counts_as_gone_at_once(table: JobTable) -> None:
    report_as(table, "one")
    table.do(sign_off, "one")
    table.do(sign_off, "never seen")
    assert names(table) == [("one", False)]


def test_worker_that_has_been_gone_for_a_month_is_forgotten(table: JobTable) -> None:
    report_as(table, "old")
    seen_ago(table, "old", 31 * 86400)
    report_as(table, "new")
    assert names(table) == [("new", True)]


def test_installed_languages_are_those_of_living_workers_without_osd(table: JobTable) -> None:
    report_as(table, "one", ("eng", "osd"))
    report_as(table, "two", ("deu", "eng"))
    report_as(table, "gone", ("fra",))
    seen_ago(table, "gone", 3600)
    assert installed_languages(table.read(list_workers)) == ("deu", "eng")


def test_installed_languages_without_a_living_worker_are_those_of_the_last_one(table: JobTable) -> None:
    report_as(table, "older", ("deu",))
    report_as(table, "newer", ("fra",))
    seen_ago(table, "older", 7200)
    seen_ago(table, "newer", 3600)
    assert installed_languages(table.read(list_workers)) == ("fra",)


def test_installed_languages_before_any_worker_are_unknown() -> None:
    assert installed_languages([]) == ()
