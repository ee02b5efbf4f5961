"""Which result answers for the same document, and what the answer has."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text, update

from models import JobPage
from recto import workers
from recto.errors import JobNotFound, PageTimeout
from recto.file_storage.base import DOCUMENT, METADATA, checkpoint_name, picture_name, result_name
from recto.jobs import DEDUPLICATION, Claim
from recto.ocr.options import Options
from recto.ocr.page import Page, ResultWarning, Step
from recto.records.deduplication import EarlierResult, find_earlier
from tests.conftest import JobTable, new_submission
from tests.query_costs import plans_of

pytestmark = pytest.mark.each_database(long=True)

SHA256 = "5" * 64
OPTIONS = Options(languages=("eng",))
VERSION = "Recto 1, double 1.0"
PAGE = Page(1, 60, 40, 300.0, ("eng",), "double 1.0", (Step("deskew", {"angle_deg": 1.5}),), (), text_layer="used")
OWN, OTHER = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def _worker(table: JobTable) -> None:
    report(table, "one", VERSION)


def report(table: JobTable, name: str, version: str | None) -> None:
    table.do(workers.report, name, "1", "double 1.0", ["eng"], 1, version)


def claim(table: JobTable, user: int, sha256: str = SHA256, options: Options = OPTIONS) -> Claim:
    table.do(table.jobs.submit, replace(new_submission(user, options.stored()), content_sha256=sha256))
    return table.claim()


def read(table: JobTable, user: int, options: Options = OPTIONS, version: str | None = VERSION) -> str:
    """A job of one page that was read; gives the uuid."""
    held = claim(table, user, options=options)
    table.do(table.jobs.set_page_count, held.lease, 1, [ResultWarning(None, "repaired", "It was repaired.")])
    table.do(table.jobs.adopt_page, held.lease, 1, None, PAGE)
    table.do(table.jobs.finish, held.lease, version)
    with table.sessions.begin() as session:  # a page's confidence is that of its words, and PAGE has none
        session.execute(update(JobPage).values(confidence=0.75))
    table.clock.move(1.0)
    return held.lease.job_uuid


def found(table: JobTable, user: int, options: Options = OPTIONS, sha256: str = SHA256) -> EarlierResult | None:
    return table.read(find_earlier, user, sha256, options)


def answer(table: JobTable, user: int, source: str) -> str:
    submission = replace(new_submission(user, OPTIONS.stored()), content_sha256=SHA256)
    table.do(table.jobs.submit_answered, submission, source, OTHER)
    return submission.uuid


def test_latest_result_of_the_document_is_found_with_its_pages(table: JobTable, ann: int) -> None:
    read(table, ann)
    latest = read(table, ann)
    assert found(table, ann) == EarlierResult(latest, table.job(latest).result_token or "", (1,))


def test_other_documents_and_other_users_find_nothing(table: JobTable, ann: int, bob: int) -> None:
    read(table, ann)
    assert found(table, bob) is None
    assert found(table, ann, sha256="6" * 64) is None


def test_result_of_another_living_worker_is_found_and_that_of_a_dead_one_is_not(table: JobTable, ann: int) -> None:
    read(table, ann)
    report(table, "one", "Recto 2, double 1.0")
    assert found(table, ann) is None
    report(table, "two", VERSION)
    assert found(table, ann) is not None
    table.do(workers.sign_off, "two")
    assert found(table, ann) is None


def test_last_worker_counts_where_none_lives(table: JobTable, ann: int) -> None:
    read(table, ann)
    table.do(workers.sign_off, "one")
    assert found(table, ann) is not None


def test_result_with_other_options_is_passed_over(table: JobTable, ann: int) -> None:
    wanted = read(table, ann)
    read(table, ann, Options(languages=("deu",)))
    result = found(table, ann)
    assert result is not None
    assert result.uuid == wanted


def test_search_ends_after_fifty_results_with_other_options(table: JobTable, ann: int) -> None:
    read(table, ann)
    for number in range(50):
        assert found(table, ann) is not None
        read(table, ann, Options(languages=("eng",), pages=str(number + 1)))
    assert found(table, ann) is None


def test_result_without_a_version_answers_for_nothing(table: JobTable, ann: int) -> None:
    uuid = read(table, ann, version=None)
    assert table.job(uuid).result_version is None
    assert found(table, ann) is None
    with pytest.raises(JobNotFound):
        answer(table, ann, uuid)


def test_result_that_lacks_a_page_has_no_version(table: JobTable, ann: int) -> None:
    held = claim(table, ann)
    table.do(table.jobs.adopt_page, held.lease, 1)
    table.do(table.jobs.adopt_page, held.lease, 2, PageTimeout("Too long."))
    table.do(table.jobs.finish, held.lease, VERSION)
    assert table.job(held.lease.job_uuid).result_version is None


def test_result_with_pages_of_an_earlier_attempt_has_no_version(table: JobTable, ann: int) -> None:
    """Another version may have read them."""
    first = claim(table, ann)
    table.do(table.jobs.adopt_page, first.lease, 1)
    table.do(table.jobs.hand_back, first.lease)
    table.do(table.jobs.finish, table.claim().lease, VERSION)
    assert table.job(first.lease.job_uuid).result_version is None


def test_answer_is_a_job_that_went_through_every_status(table: JobTable, ann: int) -> None:
    source = read(table, ann)
    uuid = answer(table, ann, source)
    job, origin = table.job(uuid), table.job(source)
    assert table.statuses(uuid) == ["QUEUED", "IN_PROGRESS", "FINISHED"]
    assert [entry.worker for entry in table.log(uuid)] == [None, DEDUPLICATION, DEDUPLICATION]
    assert (job.attempt, job.result_token, job.lease_token) == (1, OTHER, None)
    assert (job.page_count, job.pages_done, job.pages_failed) == (1, 1, 0)
    assert (job.warnings, job.result_version) == (origin.warnings, VERSION)
    assert (job.deduplicated_from, job.result_created_us) == (source, origin.created_us)
    with table.sessions() as session:
        (page,) = session.scalars(select(JobPage).where(JobPage.job_uuid == uuid))
    assert (page.number, page.attempt_token, page.text_layer, page.confidence) == (1, OTHER, "used", 0.75)
    assert page.preprocessing == [{"name": "deskew", "measured": {"angle_deg": 1.5}}]


def test_answer_of_an_answer_names_the_time_of_the_reading(table: JobTable, ann: int) -> None:
    source = read(table, ann)
    created_us = table.job(source).created_us
    second = answer(table, ann, source)
    table.do(table.jobs.delete, ann, source)
    third = answer(table, ann, second)
    assert (table.job(third).deduplicated_from, table.job(third).result_created_us) == (second, created_us)


def test_answer_from_a_job_of_somebody_else_or_one_that_is_gone_is_refused(table: JobTable, ann: int, bob: int) -> None:
    source = read(table, ann)
    with pytest.raises(JobNotFound):
        answer(table, bob, source)
    table.do(table.jobs.delete, ann, source)
    with pytest.raises(JobNotFound):
        answer(table, ann, source)
    with table.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM job")) == 0


def test_answer_needs_document_pages_and_text_and_takes_all_that_was_made_of_the_reading() -> None:
    earlier = EarlierResult("uuid", OWN, (1, 3))
    listed = [
        DOCUMENT,
        METADATA,
        checkpoint_name(OWN, 1),
        result_name(OWN, "json"),
        picture_name(OWN, 1, "original"),
        result_name(OWN, "pdf", 3),
        checkpoint_name("c" * 32, 2),
    ]
    assert earlier.files(listed, OTHER) == {
        DOCUMENT: DOCUMENT,
        checkpoint_name(OTHER, 1): checkpoint_name(OWN, 1),
        checkpoint_name(OTHER, 3): checkpoint_name(OWN, 3),
        result_name(OTHER, "txt"): result_name(OWN, "txt"),
        result_name(OTHER, "json"): result_name(OWN, "json"),
        picture_name(OTHER, 1, "original"): picture_name(OWN, 1, "original"),
    }


@pytest.mark.sqlite_alone
def test_query_plan_of_the_search_reads_the_partial_index_in_its_order(table: JobTable, ann: int) -> None:
    read(table, ann)
    plans = plans_of(table.engine, lambda: found(table, ann))
    (steps,) = [steps for statement, steps in plans.items() if "content_sha256" in statement]
    assert steps == ["SEARCH job USING INDEX job_to_reuse (user_id=? AND content_sha256=?)"]
