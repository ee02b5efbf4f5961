from datetime import UTC, datetime

import pytest

from recto.jobs import Claim, Lease
from recto.ocr.documents import DocumentInfo
from recto.ocr.media_types import ACCEPTED
from recto.working.job_in_hand import JobInHand, Work, WorkKind

WHOLE, OPEN, WRITE = Work(WorkKind.WHOLE), Work(WorkKind.OPEN), Work(WorkKind.WRITE)


def page(number: int) -> Work:
    return Work(WorkKind.PAGE, number)


def new_job(finished: frozenset[int] = frozenset(), media_type: str = "application/pdf", attempt: int = 1) -> JobInHand:
    claim = Claim(Lease("uuid", "token", "one"), 1, attempt, datetime.now(UTC), {}, media_type, finished)
    return JobInHand(claim, 0.0)


def opened_job(page_count: int, finished: frozenset[int] = frozenset()) -> JobInHand:
    job = new_job(finished)
    assert job.next_work() == OPEN
    job.opened(range(1, page_count + 1), DocumentInfo("application/pdf", page_count))
    return job


def test_new_job_has_its_opening_to_do_and_nothing_else() -> None:
    job = new_job()
    assert job.has_work
    assert job.next_work() == OPEN
    assert not job.has_work
    assert job.running == {OPEN}


@pytest.mark.parametrize("media_type", sorted(ACCEPTED))
def test_only_a_document_of_one_page_is_done_in_one_piece_at_first(media_type: str) -> None:
    is_one_page = media_type not in ("application/pdf", "image/tiff")
    assert new_job(media_type=media_type).next_work() == (WHOLE if is_one_page else OPEN)


def test_document_of_which_something_was_done_or_tried_is_done_part_by_part() -> None:
    assert new_job(finished=frozenset([1]), media_type="image/png").next_work() == OPEN
    assert new_job(media_type="image/png", attempt=2).next_work() == OPEN


def test_document_that_was_to_be_done_in_one_piece_is_taken_apart() -> None:
    job = new_job(media_type="image/png")
    job.next_work()
    job.take_apart()
    assert not job.running
    assert job.next_work() == OPEN
    assert not job.has_work


def test_opened_job_gives_its_pages_in_order_and_then_waits_for_them() -> None:
    job = opened_job(2)
    assert [job.next_work(), job.next_work()] == [page(1), page(2)]
    assert not job.has_work
    job.page_ended(2)
    assert not job.has_work
    assert not job.is_ready_to_write
    job.page_ended(1)
    assert job.is_ready_to_write
    assert job.next_work() == WRITE


def test_job_goes_on_from_the_pages_that_were_finished_before() -> None:
    job = opened_job(4, frozenset({1, 3}))
    assert [job.next_work(), job.next_work()] == [page(2), page(4)]


def test_job_whose_pages_were_all_finished_before_is_written_at_once() -> None:
    job = opened_job(2, frozenset({1, 2}))
    assert job.next_work() == WRITE
    assert job.document_page_count == 2


def test_work_that_died_comes_last_and_only_once_more() -> None:
    job = opened_job(2)
    first = job.next_work()
    assert job.try_again(first)
    assert [job.next_work(), job.next_work()] == [page(2), first]
    job.page_ended(2)
    assert not job.try_again(first)
    assert not job.has_work
    job.page_ended(1)
    assert job.next_work() == WRITE


def test_job_is_not_written_while_a_page_waits_for_its_second_chance() -> None:
    job = opened_job(2)
    first, second = job.next_work(), job.next_work()
    job.try_again(first)
    job.page_ended(second.number)
    assert not job.is_ready_to_write


def test_work_that_never_ran_is_first_in_line_again_and_keeps_its_second_chance() -> None:
    job = opened_job(2)
    first = job.next_work()
    job.put_back(first)
    assert job.next_work() == first
    assert job.try_again(first)
