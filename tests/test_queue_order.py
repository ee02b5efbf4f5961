"""How much work a queue holds, for those who start nodes by it. Whose turn it is: tests/test_jobs.py."""

from recto.queue_order import work_left
from tests.conftest import JobTable


def test_waiting_job_counts_as_one_piece_of_work(table: JobTable, ann: int, bob: int) -> None:
    assert table.read(work_left) == 0
    for user_id in (ann, bob, bob):
        table.submit(user_id)
    assert table.read(work_left) == 3


def test_running_job_counts_by_its_pages_that_are_left_and_its_results(table: JobTable, ann: int) -> None:
    table.submit(ann)
    lease = table.claim().lease
    assert table.read(work_left) == 2  # not opened yet
    table.do(table.jobs.set_page_count, lease, 5, ())
    assert table.read(work_left) == 6
    for number in range(1, 6):
        table.do(table.jobs.adopt_page, lease, number)
    assert table.read(work_left) == 1
    table.do(table.jobs.finish, lease, "Recto 1")
    assert table.read(work_left) == 0
