"""Unfinished jobs are counted as seldom as the limits allow, and never one too many is taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event

from recto.database.connections import Begin, transaction
from recto.errors import QueueFull, UserQueueFull
from recto.records import unfinished_jobs
from recto.records.change_numbers import next_change
from recto.records.unfinished_jobs import Counted
from tests.conftest import POLICY, JobTable, SetClock, new_submission

pytestmark = pytest.mark.each_database
MOST = 12
NARROW = 3


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished_jobs, "_NARROW", NARROW)


def limited(engine: Engine, clock: SetClock, **most: int) -> JobTable:
    return JobTable(engine, clock, replace(POLICY, **most))


def submit(table: JobTable, user_id: int) -> None:
    """As the Backend does it."""
    table.jobs.committed(table.do(table.jobs.submit, new_submission(user_id)))


@contextmanager
def counts(engine: Engine) -> Iterator[list[str]]:
    """The statements that count."""
    counting: list[str] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "count(*)" in statement:
            counting.append(statement)

    event.listen(engine, "before_cursor_execute", see)
    yield counting
    event.remove(engine, "before_cursor_execute", see)


def test_far_from_the_limits_is_counted_once_and_near_them_each_time(engine: Engine, clock: SetClock) -> None:
    table = limited(engine, clock, max_unfinished_per_user=MOST, max_unfinished=100)
    ann = table.add_user("ann")
    with counts(engine) as counting:
        for _ in range(MOST - NARROW):
            submit(table, ann)
        assert len(counting) == 1
        for _ in range(NARROW):
            submit(table, ann)
        assert len(counting) == 1 + 2 * NARROW
    with pytest.raises(UserQueueFull, match=f"{MOST} unfinished"):
        submit(table, ann)


def test_others_and_other_backends_are_counted_in(engine: Engine, clock: SetClock) -> None:
    table = limited(engine, clock, max_unfinished=MOST)
    other = limited(engine, clock, max_unfinished=MOST)
    ann, bob = table.add_user("ann"), table.add_user("bob")
    submit(table, ann)
    for _ in range(MOST - 1):
        submit(other, bob)
    with pytest.raises(QueueFull):
        submit(table, ann)


def test_ended_jobs_make_room_though_each_change_took_a_number(engine: Engine, clock: SetClock) -> None:
    table = limited(engine, clock, max_unfinished_per_user=MOST)
    ann = table.add_user("ann")
    for _ in range(3 * MOST):
        submit(table, ann)
        table.do(table.jobs.finish, table.claim().lease)


def test_numbers_of_a_transaction_that_was_undone_do_not_hide_jobs(engine: Engine, clock: SetClock) -> None:
    table = limited(engine, clock, max_unfinished_per_user=MOST)
    other = limited(engine, clock, max_unfinished_per_user=MOST)
    ann = table.add_user("ann")

    def undone() -> None:
        with transaction(table.sessions(), Begin.WRITE) as session:
            next_change(session, MOST)  # such as an answered document of a batch takes
            table.jobs.submit(session, new_submission(ann))
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        undone()
    for _ in range(MOST):
        submit(other, ann)
    with pytest.raises(UserQueueFull):
        submit(table, ann)


@pytest.mark.parametrize(
    ("change", "has_room"), [(10, True), (14, True), (15, False), (9, False)], ids=["then", "later", "near", "earlier"]
)
def test_room_is_known_as_long_as_no_limit_can_be_near(change: int, has_room: bool) -> None:
    assert Counted(own=4, of_all=20, change=10).leaves_room(change, MOST, 100) is has_room
