"""How long jobs are kept: arithmetic, what is recorded, and what is due."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from recto.durations import parse_duration_s
from recto.errors import OptionInvalid, PageDamaged
from recto.jobs import Jobs
from recto.records.retention import (
    FOR_EVER,
    ExpiredJob,
    RetentionPolicy,
    expired_jobs,
    lifetime_s,
    parse_retention,
    set_user_retention,
)
from tests.conftest import POLICY, SECOND_US, JobTable, SetClock, new_submission
from tests.query_costs import add_a_thousand_ended_jobs, instructions_of, plans_of

DAY_S = 86_400
LENGTHS = st.one_of(st.none(), st.integers(0, 10**9))


@pytest.mark.parametrize(
    ("given", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1.5h", 5400), ("30d", 30 * DAY_S), (FOR_EVER, 0)]
)
def test_length_of_time_is_read_as_people_write_it(given: str, seconds: int) -> None:
    assert parse_retention(given) == seconds


@pytest.mark.parametrize(
    "given", ["", "0", "-1", "d", "1w", "0.5s", "99999999d", "9999999999", "1d2h", "١d", "Forever"]
)
def test_what_is_no_length_of_time_is_refused(given: str) -> None:
    with pytest.raises(OptionInvalid, match="retention"):
        parse_retention(given)


@given(asked=LENGTHS, of_user=LENGTHS, default=st.integers(0, 10**9), longest=st.integers(0, 10**9))
def test_job_comes_before_user_before_default_and_nothing_lasts_longer_than_the_longest(
    asked: int | None, of_user: int | None, default: int, longest: int
) -> None:
    result = lifetime_s(asked, of_user, RetentionPolicy(default, longest))
    first = asked if asked is not None else of_user if of_user is not None else default
    if longest:
        assert result is not None
        assert result <= longest
    if not longest or 0 < first <= longest:
        assert result == (first or None)


@given(st.floats(0, 10**8))
def test_age_with_its_unit_is_that_many_of_them(number: float) -> None:
    written = f"{number:.3f}"
    assert parse_duration_s(f"{written}h") == float(written) * 3600


@pytest.fixture
def kept_a_day(engine: Engine, clock: SetClock) -> JobTable:
    """Jobs that are kept for a day, where nobody says otherwise."""
    table = JobTable(engine, clock)
    table.jobs = Jobs(POLICY, clock, RetentionPolicy(default_s=DAY_S, longest_s=7 * DAY_S))
    return table


def submit(table: JobTable, user_id: int, retention_s: int | None = None) -> str:
    submission = replace(new_submission(user_id), retention_s=retention_s)
    table.do(table.jobs.submit, submission)
    return submission.uuid


def due(table: JobTable) -> list[str]:
    return [job.uuid for job in table.read(expired_jobs, 100, table.clock())]


def test_job_is_kept_from_its_end_on_and_not_from_its_beginning(kept_a_day: JobTable, ann: int) -> None:
    uuid = submit(kept_a_day, ann)
    kept_a_day.clock.move(5 * DAY_S)
    assert kept_a_day.job(uuid).expires_us is None
    kept_a_day.do(kept_a_day.jobs.finish, kept_a_day.claim().lease)
    job = kept_a_day.job(uuid)
    assert job.ended_us is not None
    assert job.expires_us == job.ended_us + DAY_S * SECOND_US
    assert due(kept_a_day) == []
    kept_a_day.clock.move(DAY_S + 1)  # transitions of one instant are some microseconds apart
    assert kept_a_day.read(expired_jobs, 100, kept_a_day.clock()) == [ExpiredJob(uuid, ann)]


def test_failed_and_cancelled_jobs_expire_too(kept_a_day: JobTable, ann: int) -> None:
    failed, cancelled = submit(kept_a_day, ann), submit(kept_a_day, ann)
    kept_a_day.do(kept_a_day.jobs.fail, kept_a_day.claim().lease, PageDamaged("It is damaged."))
    for uuid in {failed, cancelled}:
        kept_a_day.do(kept_a_day.jobs.cancel, ann, uuid)
    kept_a_day.clock.move(DAY_S + 1)  # transitions of one instant are some microseconds apart
    assert set(due(kept_a_day)) == {failed, cancelled}


def test_job_that_is_requeued_waits_without_an_end(kept_a_day: JobTable, ann: int) -> None:
    uuid = submit(kept_a_day, ann)
    kept_a_day.do(kept_a_day.jobs.hand_back, kept_a_day.claim().lease)
    assert kept_a_day.job(uuid).expires_us is None


def test_users_length_counts_for_jobs_that_are_made_after_it(kept_a_day: JobTable, ann: int, bob: int) -> None:
    before = submit(kept_a_day, ann)
    kept_a_day.do(set_user_retention, ann, 60)
    after, others, own = submit(kept_a_day, ann), submit(kept_a_day, bob), submit(kept_a_day, ann, 30)
    kept_a_day.do(set_user_retention, ann, None)
    again, for_ever = submit(kept_a_day, ann), submit(kept_a_day, ann, 0)
    lengths = [kept_a_day.job(uuid).retention_s for uuid in (before, after, others, own, again, for_ever)]
    assert lengths == [DAY_S, 60, DAY_S, 30, DAY_S, 7 * DAY_S]


def test_without_a_policy_nothing_expires(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.finish, table.claim().lease)
    assert (table.job(uuid).retention_s, table.job(uuid).expires_us) == (None, None)
    table.clock.move(1000 * DAY_S)
    assert due(table) == []


def test_look_for_what_is_due_reads_its_own_index_however_many_jobs_are_kept(
    kept_a_day: JobTable, engine: Engine, ann: int
) -> None:
    def look(session: object) -> object:
        return expired_jobs(session, 100)  # type: ignore[arg-type]

    before = instructions_of(engine, look)
    add_a_thousand_ended_jobs(kept_a_day, ann)
    assert instructions_of(engine, look) == before
    (plan,) = plans_of(engine, lambda: kept_a_day.read(expired_jobs, 100)).values()
    assert plan == ["SEARCH job USING INDEX job_expiring (expires_us<?)"]
