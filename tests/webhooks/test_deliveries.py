"""Messages of webhooks: when they fall due, who may send them, when they are tried again and when given up. The clock is the test's."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from models import DeliveryStatus
from recto.errors import AddressRefused, DeliveryNotFound, DocumentDamaged, JobNotFound, NoAnswer, OptionInvalid
from recto.webhooks import deliveries
from recto.webhooks import endpoints as webhooks
from recto.webhooks.deliveries import (
    MOST_AT_ONCE_PER_USER,
    STANDARD_PAUSES_S,
    Attempt,
    Deliveries,
    DeliveryView,
    Outcome,
)
from tests.conftest import START_US, JobTable, SetClock, new_submission

pytestmark = pytest.mark.each_database(long=True)

URL = "https://hooks.example.com/recto"
LEASE_S = 60.0
NO_ANSWER = Outcome(None, NoAnswer("The host took too long.", reason="timed_out"))
REFUSED = Outcome(None, AddressRefused("This leads to an address that is not public."))


@pytest.fixture
def due(clock: SetClock) -> Deliveries:
    return Deliveries(clock=clock)


def submit(table: JobTable, user_id: int, url: str | None = None) -> str:
    submission = replace(new_submission(user_id), webhook_url=url)
    table.do(table.jobs.submit, submission)
    return submission.uuid


def end(table: JobTable, user_id: int, count: int = 1) -> list[str]:
    """Submit and finish so many jobs, a second apart."""
    uuids = []
    for _ in range(count):
        uuids.append(submit(table, user_id))
        table.do(table.jobs.finish, table.claim().lease)
        table.clock.move(1)
    return uuids


def delivery(table: JobTable, user_id: int, uuid: str) -> DeliveryView:
    (found,) = table.read(deliveries.list_of_job, user_id, uuid)
    return found


def claim(table: JobTable, due: Deliveries) -> Attempt:
    attempt = table.do(due.claim)
    assert attempt is not None
    return attempt


@pytest.fixture
def secret(table: JobTable, ann: int) -> str:
    made = table.do(webhooks.set_url, ann, URL)
    assert made is not None
    return made


def test_job_of_a_user_without_a_webhook_expects_nothing(table: JobTable, ann: int, due: Deliveries) -> None:
    (uuid,) = end(table, ann)
    assert table.read(deliveries.list_of_job, ann, uuid) == []
    assert table.read(due.look) == deliveries.Outlook(False, None)


def test_outlook_follows_a_message_from_its_job_to_its_receipt(
    table: JobTable, ann: int, due: Deliveries, secret: str
) -> None:
    submit(table, ann)
    assert table.read(due.look) == deliveries.Outlook(True, None)
    assert table.do(due.claim) is None
    table.do(table.jobs.finish, table.claim().lease)
    assert table.read(due.look) == deliveries.Outlook(False, 0.0)
    attempt = claim(table, due)
    assert table.read(due.look) == deliveries.Outlook(False, LEASE_S)
    assert table.do(due.record, attempt, Outcome(204)) is DeliveryStatus.DELIVERED
    assert table.read(due.look) == deliveries.Outlook(False, None)


def test_attempt_has_all_that_sending_takes(table: JobTable, ann: int, due: Deliveries, secret: str) -> None:
    (uuid,) = end(table, ann)
    attempt = claim(table, due)
    assert (attempt.url, attempt.secrets, attempt.event) == (URL, (secret,), "job.finished")
    assert (attempt.job.uuid, attempt.retries) == (uuid, 0)
    assert attempt.timestamp == attempt.job.ended
    assert attempt.id.startswith("msg_")


def test_failure_of_a_job_is_an_event_of_its_own(table: JobTable, ann: int, due: Deliveries, secret: str) -> None:
    submit(table, ann)
    table.do(table.jobs.fail, table.claim().lease, DocumentDamaged("It is damaged."))
    assert claim(table, due).event == "job.failed"


def test_requeue_of_a_job_is_no_end(table: JobTable, ann: int, due: Deliveries, secret: str) -> None:
    submit(table, ann)
    table.do(table.jobs.hand_back, table.claim().lease)
    assert table.read(due.look) == deliveries.Outlook(True, None)


def test_end_that_is_not_committed_leaves_nothing_due(table: JobTable, ann: int, due: Deliveries, secret: str) -> None:
    submit(table, ann)
    lease = table.claim().lease

    def end_and_fail(session: Any) -> None:
        table.jobs.finish(session, lease)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        table.do(end_and_fail)
    assert table.read(due.look) == deliveries.Outlook(True, None)


@pytest.mark.parametrize("outcome", [NO_ANSWER, Outcome(500), Outcome(302), Outcome(404), Outcome(429)])
def test_message_is_tried_again_by_the_schedule_and_then_given_up(
    table: JobTable, ann: int, due: Deliveries, secret: str, outcome: Outcome
) -> None:
    (uuid,) = end(table, ann)
    for number, pause_s in enumerate(STANDARD_PAUSES_S, start=1):
        attempt = claim(table, due)
        table.clock.move(2)
        assert table.do(due.record, attempt, outcome) is DeliveryStatus.PENDING
        assert table.read(due.look).due_in_s == pause_s
        view = delivery(table, ann, uuid)
        assert (view.attempts, view.last_status) == (number, outcome.status)
        assert view.error_code == (outcome.error.code if outcome.error else None)
        table.clock.move(pause_s - 0.001)
        assert table.do(due.claim) is None
        table.clock.move(0.001)
    assert table.do(due.record, claim(table, due), outcome) is DeliveryStatus.GIVEN_UP
    assert table.read(due.look) == deliveries.Outlook(False, None)
    assert delivery(table, ann, uuid).attempts == len(STANDARD_PAUSES_S) + 1 == 10


def test_schedule_is_that_of_standard_webhooks() -> None:
    hour_s = 3600
    assert (5, 300, 1800, *(hours * hour_s for hours in (2, 5, 10, 14, 20, 24))) == STANDARD_PAUSES_S


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome(200), DeliveryStatus.DELIVERED),
        (Outcome(299), DeliveryStatus.DELIVERED),
        (Outcome(410), DeliveryStatus.GIVEN_UP),
        (REFUSED, DeliveryStatus.GIVEN_UP),
    ],
)
def test_outcome_that_is_final_ends_the_message(
    table: JobTable, ann: int, due: Deliveries, secret: str, outcome: Outcome, status: DeliveryStatus
) -> None:
    (uuid,) = end(table, ann)
    assert table.do(due.record, claim(table, due), outcome) is status
    table.clock.move(10 * 24 * 3600)
    assert table.do(due.claim) is None
    assert (delivery(table, ann, uuid).status, delivery(table, ann, uuid).next_attempt) == (status, None)


def test_message_of_a_backend_that_died_is_due_again_for_another(
    table: JobTable, ann: int, due: Deliveries, secret: str
) -> None:
    (uuid,) = end(table, ann)
    first = claim(table, due)
    other = Deliveries(clock=table.clock)
    assert table.do(other.claim) is None
    table.clock.move(LEASE_S)
    second = claim(table, other)
    assert second.id == first.id
    assert table.do(due.record, first, Outcome(500)) is None  # the first wakes up, and changes nothing
    assert delivery(table, ann, uuid).last_status is None
    assert table.do(other.record, second, Outcome(200)) is DeliveryStatus.DELIVERED
    assert delivery(table, ann, uuid).attempts == 2


def test_user_whose_receiver_hangs_holds_up_nobody_else(
    table: JobTable, ann: int, bob: int, due: Deliveries, secret: str
) -> None:
    table.do(webhooks.set_url, bob, URL)
    end(table, ann, MOST_AT_ONCE_PER_USER + 2)
    (of_bob,) = end(table, bob)
    under_way = [claim(table, due) for _ in range(MOST_AT_ONCE_PER_USER)]
    assert {attempt.job.user_id for attempt in under_way} == {ann}
    assert claim(table, due).job.uuid == of_bob
    assert table.do(due.claim) is None
    table.do(due.record, under_way[0], Outcome(200))
    assert claim(table, due).job.user_id == ann


def test_messages_are_sent_in_the_order_in_which_they_fell_due(
    table: JobTable, ann: int, due: Deliveries, secret: str
) -> None:
    uuids = end(table, ann, 3)
    for uuid in uuids:
        attempt = claim(table, due)
        assert attempt.job.uuid == uuid
        table.do(due.record, attempt, Outcome(200))


def test_clock_that_goes_back_leaves_a_new_message_due_at_once(
    table: JobTable, ann: int, due: Deliveries, secret: str
) -> None:
    submit(table, ann)
    claimed = table.claim()
    table.clock.move(-3600)
    table.do(table.jobs.finish, claimed.lease)
    assert table.read(due.look).due_in_s == 0.0
    assert claim(table, due).retries == 0


def test_replaced_secret_signs_for_a_day(table: JobTable, ann: int, due: Deliveries, secret: str) -> None:
    end(table, ann)
    newer = table.do(webhooks.new_secret, ann)
    with table.engine.begin() as connection:  # its end is by the database's own clock
        connection.execute(text("UPDATE webhook SET previous_until_us = :until"), {"until": START_US + 100_000_000})
    attempt = claim(table, due)
    assert attempt.secrets == (newer, secret)
    table.do(due.record, attempt, Outcome(500))
    table.clock.move(100)
    assert claim(table, due).secrets == (newer,)


def test_message_without_an_address_is_given_up_and_the_next_one_sent(
    table: JobTable, ann: int, due: Deliveries, secret: str
) -> None:
    (uuid,) = end(table, ann)
    named = submit(table, ann, "https://hooks.example.org/")
    table.do(table.jobs.finish, table.claim().lease)
    table.do(webhooks.set_url, ann, None)
    assert claim(table, due).job.uuid == named
    view = delivery(table, ann, uuid)
    assert (view.status, view.error_code, view.url) == (DeliveryStatus.GIVEN_UP, "webhook_removed", None)


def test_removed_webhook_ends_what_is_under_way(table: JobTable, ann: int, due: Deliveries, secret: str) -> None:
    (uuid,) = end(table, ann)
    attempt = claim(table, due)
    table.do(webhooks.remove, ann)
    assert table.do(due.record, attempt, Outcome(200)) is None
    assert delivery(table, ann, uuid).status is DeliveryStatus.GIVEN_UP
    assert table.read(webhooks.find, ann) is None


def test_named_address_without_a_secret_is_refused_with_the_whole_job(table: JobTable, ann: int) -> None:
    with pytest.raises(OptionInvalid, match="secret"):
        submit(table, ann, URL)
    with table.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM job")).scalar() == 0


def test_resend_begins_the_schedule_anew_under_the_same_id(
    table: JobTable, ann: int, due: Deliveries, secret: str
) -> None:
    (uuid,) = end(table, ann)
    attempt = claim(table, due)
    table.do(due.record, attempt, Outcome(410))
    view = table.do(due.resend, ann, uuid, attempt.id)
    assert (view.status, view.id, view.attempts) == (DeliveryStatus.PENDING, attempt.id, 1)
    again = claim(table, due)
    assert (again.id, again.retries) == (attempt.id, 0)
    assert table.do(due.record, again, Outcome(500)) is DeliveryStatus.PENDING
    assert table.read(due.look).due_in_s == STANDARD_PAUSES_S[0]


def test_resend_of_a_message_under_way_leaves_it_to_its_attempt(
    table: JobTable, ann: int, due: Deliveries, secret: str
) -> None:
    (uuid,) = end(table, ann)
    attempt = claim(table, due)
    table.do(due.resend, ann, uuid, attempt.id)
    assert table.do(due.claim) is None
    assert table.do(due.record, attempt, Outcome(200)) is DeliveryStatus.DELIVERED


def test_resend_of_what_is_not_there_says_so(table: JobTable, ann: int, bob: int, due: Deliveries, secret: str) -> None:
    (uuid,) = end(table, ann)
    with pytest.raises(DeliveryNotFound):
        table.do(due.resend, ann, uuid, "msg_none")
    with pytest.raises(JobNotFound):
        table.do(due.resend, bob, uuid, delivery(table, ann, uuid).id)


def test_messages_go_with_their_job_and_their_user(table: JobTable, ann: int, due: Deliveries, secret: str) -> None:
    (uuid,) = end(table, ann)
    attempt = claim(table, due)
    table.do(table.jobs.delete, ann, uuid)
    assert table.do(due.record, attempt, Outcome(500)) is None
    with table.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM webhook_delivery")).scalar() == 0


@pytest.mark.sqlite_alone
def test_what_an_idle_backend_asks_reads_partial_indices_alone(table: JobTable, ann: int, due: Deliveries) -> None:
    statements = statements_of(table.engine, lambda: table.read(due.look))
    plans = plans_of(table.engine, statements)
    assert plans
    assert {"webhook_delivery_expected", "webhook_delivery_due"} <= {part for step in plans for part in step.split()}
    assert not [step for step in plans if step.startswith("SCAN webhook_delivery") and "INDEX" not in step]


def statements_of(engine: Engine, action: Any) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    action()
    event.remove(engine, "before_cursor_execute", note)
    return [(statement, parameters) for statement, parameters in seen if "SELECT" in statement]


def plans_of(engine: Engine, statements: list[tuple[str, Any]]) -> list[str]:
    with engine.connect() as connection:
        return [
            str(row[3])
            for statement, parameters in statements
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pauses_s=st.lists(st.floats(0.001, 1000), max_size=4),
    outcomes=st.lists(st.sampled_from([200, 204, 302, 410, 429, 500, None]), min_size=6, max_size=6),
)
def test_any_run_of_outcomes_ends_the_message_as_its_first_final_one_says(
    table: JobTable, ann: int, pauses_s: list[float], outcomes: list[int | None]
) -> None:
    if table.read(webhooks.find, ann) is None:
        table.do(webhooks.set_url, ann, URL)
    due = Deliveries(pauses_s, clock=table.clock)
    (uuid,) = end(table, ann)
    tried: list[int | None] = []
    for status in outcomes:
        attempt = table.do(due.claim)
        if attempt is None:
            break
        tried.append(status)
        table.do(due.record, attempt, NO_ANSWER if status is None else Outcome(status))
        table.clock.move(1001)
    final = next((place for place, status in enumerate(outcomes) if status in (200, 204, 410)), len(outcomes))
    assert tried == outcomes[: min(final, len(pauses_s)) + 1]
    expected = DeliveryStatus.DELIVERED if tried[-1] in (200, 204) else DeliveryStatus.GIVEN_UP
    view = delivery(table, ann, uuid)
    assert (view.status, view.attempts, view.last_status) == (expected, len(tried), tried[-1])
