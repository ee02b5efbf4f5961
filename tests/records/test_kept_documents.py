from dataclasses import replace

import pytest
from sqlalchemy import Engine

from models import User
from recto.errors import UserStorageFull
from recto.records.kept_documents import Kept, kept_by
from recto.users.administration import UserLimits, set_limits
from tests.conftest import POLICY, JobTable, SetClock, new_submission

pytestmark = pytest.mark.each_database(long=True)


@pytest.fixture
def small(engine: Engine, clock: SetClock) -> JobTable:
    """Where everybody may keep 2,500 bytes: two documents of the tests, and not three."""
    return JobTable(engine, clock, replace(POLICY, max_stored_bytes_per_user=2500))


def test_documents_are_counted_as_they_come_and_go(table: JobTable, ann: int, bob: int) -> None:
    first, _ = table.submit(ann), table.submit(ann)
    assert table.read(kept_by, ann, 0) == Kept(2, 2000, None)
    table.do(table.jobs.delete, ann, first)
    assert table.read(kept_by, ann, 0) == Kept(1, 1000, None)
    assert table.read(kept_by, bob, 0) == Kept(0, 0, None)


def test_document_above_the_limit_is_refused_and_nothing_is_counted(small: JobTable, ann: int, bob: int) -> None:
    uuids = [small.submit(ann), small.submit(ann)]
    with pytest.raises(UserStorageFull, match="Delete some") as caught:
        small.submit(ann)
    assert caught.value.members == {"limit": 2500}
    assert small.read(kept_by, ann, 2500) == Kept(2, 2000, 2500)
    small.submit(bob)
    small.do(small.jobs.delete, ann, uuids[0])
    small.submit(ann)


def test_exact_fit_is_let_in(small: JobTable, ann: int) -> None:
    small.do(small.jobs.submit, replace(new_submission(ann), size_bytes=2500))
    assert small.read(kept_by, ann, 2500) == Kept(1, 2500, 2500)


def test_limit_of_ones_own_takes_the_place_of_everybodys(small: JobTable, ann: int) -> None:
    small.do(set_limits, ann, UserLimits(max_stored_bytes=1000))
    small.submit(ann)
    with pytest.raises(UserStorageFull):
        small.submit(ann)
    small.do(set_limits, ann, UserLimits(max_stored_bytes=0))
    for _ in range(5):
        small.submit(ann)
    assert small.read(kept_by, ann, 2500) == Kept(6, 6000, None)


def test_limits_of_one_user_leave_the_others_alone(table: JobTable, ann: int, bob: int) -> None:
    table.do(set_limits, ann, UserLimits(1, 2))
    with table.sessions() as session:
        other = session.get_one(User, bob)
        assert (other.max_stored_bytes, other.max_unfinished) == (None, None)
