import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from recto.database.connections import utc
from recto.views.overview import UserQueue, queue_state, worker_states
from recto.workers import report
from tests.conftest import START_US, JobTable, SetClock
from tests.query_costs import add_a_thousand_ended_jobs, instructions_of, plans_of

pytestmark = pytest.mark.each_database(long=True)


def test_queue_is_told_user_by_user_the_longest_first(table: JobTable, clock: SetClock, ann: int, bob: int) -> None:
    table.submit(bob)
    for _ in range(3):
        clock.move(1)
        table.submit(ann)
    claim = table.claim()
    assert claim.user_id == bob
    table.do(table.jobs.set_page_count, claim.lease, 7)
    table.do(table.jobs.adopt_page, claim.lease, 1)
    state = table.read(queue_state)
    oldest = utc(START_US + 1_000_000)
    assert state.users == (UserQueue("ann", 3, oldest, 0, 0), UserQueue("bob", 0, None, 1, 6))
    assert (state.waiting, state.oldest, state.running, state.pages_left) == (3, oldest, 1, 6)


def test_nothing_to_do_is_told_as_that(table: JobTable, ann: int) -> None:
    state = table.read(queue_state)
    assert (state.waiting, state.oldest, state.running, state.users) == (0, None, 0, ())


def test_worker_is_told_with_what_it_has_in_hand(table: JobTable, ann: int, bob: int) -> None:
    for user_id in (ann, bob):
        table.submit(user_id)
    for name in ("one", "two"):
        table.do(report, name, "1", "tesserocr", ("eng",), 2)
    for _ in range(2):
        table.do(table.jobs.set_page_count, table.claim("one").lease, 4)
    states = {state.worker.name: (state.jobs, state.pages_left) for state in table.read(worker_states)}
    assert states == {"one": (2, 8), "two": (0, 0)}


def _both(session: Session) -> object:
    return queue_state(session), worker_states(session)


@pytest.mark.sqlite_alone
def test_what_has_ended_costs_nothing(table: JobTable, engine: Engine, ann: int) -> None:
    table.submit(ann)
    few = instructions_of(engine, _both)
    add_a_thousand_ended_jobs(table, ann)
    assert instructions_of(engine, _both) == few


@pytest.mark.sqlite_alone
def test_queue_reads_the_partial_indices(table: JobTable, engine: Engine) -> None:
    plans = str(plans_of(engine, lambda: table.read(_both)))
    assert "SCAN job USING INDEX job_queued" in plans
    assert "SCAN job USING INDEX job_in_progress" in plans
