"""The pages of a job as clients see them."""

import pytest

from models import JobStatus
from recto.errors import PageCrashed
from recto.ocr.page import Block, Box, Line, Page, Word
from recto.views.jobs import Reason, get_job
from recto.views.pages import find_ended_page, list_ended_pages
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database(long=True)

BOX = Box(0, 0, 10, 10)
QUAD = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))


def page_with(number: int, confidence: float) -> Page:
    word = Word("read", confidence, BOX, QUAD)
    block = Block((Line((word,), BOX, QUAD, 0),), BOX)
    return Page(number, 60, 40, 300.0, ("eng",), "hand 1", (), (block,), "garbled")


def test_pages_are_listed_by_number_however_they_ended(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.adopt_page, lease, 3, page=page_with(3, 0.75))
    table.do(table.jobs.adopt_page, lease, 1, PageCrashed("Page 1 crashed."))
    failed, read = table.read(list_ended_pages, uuid, 10)
    assert (failed.number, failed.reason, failed.confidence) == (1, Reason("page_crashed", "Page 1 crashed."), None)
    assert (read.number, read.reason, read.confidence, read.text_layer) == (3, None, 0.75, "garbled")
    assert read.attempt_token == lease.token
    assert table.read(get_job, ann, uuid).status is JobStatus.IN_PROGRESS


def test_list_goes_on_after_a_number_and_ends_at_the_limit(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    for number in (4, 2, 1, 3):
        table.do(table.jobs.adopt_page, lease, number)
    assert [page.number for page in table.read(list_ended_pages, uuid, 2)] == [1, 2]
    assert [page.number for page in table.read(list_ended_pages, uuid, 2, 2)] == [3, 4]
    assert table.read(list_ended_pages, uuid, 2, 10**30) == []


def test_page_that_has_not_ended_is_not_found(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.adopt_page, table.claim().lease, 1)
    found = table.read(find_ended_page, uuid, 1)
    assert found is not None
    assert found.number == 1
    for number in (0, 2, 10**30):
        assert table.read(find_ended_page, uuid, number) is None
