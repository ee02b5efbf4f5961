"""The Backend's sender: real messages to receivers on this machine that answer well, badly, late, without end or not at all."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from standardwebhooks import Webhook

from models import DeliveryStatus
from recto.changes import ChangeFeed
from recto.outbound.exchange import Outbound, resolve
from recto.outbound.guard import Guard, parse_allow_list
from recto.webhooks import deliveries
from recto.webhooks import endpoints as webhooks
from recto.webhooks.deliveries import Attempt, Deliveries, DeliveryView, Outcome
from recto.webhooks.sender import Connections, WebhookSender, headers
from tests.conftest import JobTable, new_submission
from tests.outbound.receiver import Receiver
from tests.patience import wait_until

pytestmark = pytest.mark.each_database(long=True)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAUSES_S = (0.02, 0.04)
PATIENT_S = 600.0
"""Waits for an answer until the receiver is closed: no slow machine is taken for a receiver that does not answer."""
HASTY_S = 1.0


def body_of(attempt: Attempt) -> bytes:
    return json.dumps({"type": attempt.event, "uuid": attempt.job.uuid}).encode()


class Sending:
    """A sender on the database of `table`, with short pauses, and what its users see."""

    def __init__(self, table: JobTable, engine: Engine, timeout_s: float = PATIENT_S) -> None:
        self.table = table
        self.reads = 0
        self.feed = ChangeFeed(engine, 0.005, lambda function: function())
        self.deliveries = Deliveries(PAUSES_S, lease_s=5.0)
        guard = Guard(resolve, parse_allow_list("127.0.0.1"))
        self.sender = WebhookSender(
            Connections(engine, self._read, lambda function: function()),
            self.deliveries,
            Outbound(guard, ssl.create_default_context),
            self.feed,
            body_of,
            timeout_s,
        )

    def close(self) -> None:
        self.feed.stop()
        self.sender.stop(5.0)

    def _read(self, function: Callable[[], Any]) -> Any:
        self.reads += 1
        return function()

    def submit(self, user_id: int, url: str | None) -> str:
        submission = replace(new_submission(user_id), webhook_url=url)
        self.table.do(self.table.jobs.submit, submission)
        return submission.uuid

    def finish(self, user_id: int, url: str | None) -> str:
        uuid = self.submit(user_id, url)
        self.table.do(self.table.jobs.finish, self.table.claim().lease)
        return uuid

    def delivery(self, user_id: int, uuid: str) -> DeliveryView:
        (found,) = self.table.read(deliveries.list_of_job, user_id, uuid)
        return found

    def ended(self, user_id: int, uuid: str) -> DeliveryView:
        final = (DeliveryStatus.DELIVERED, DeliveryStatus.GIVEN_UP)
        wait_until(lambda: self.delivery(user_id, uuid).status in final)
        return self.delivery(user_id, uuid)


def made(table: JobTable, engine: Engine, user_id: int, timeout_s: float) -> Iterator[Sending]:
    """Closed in the end."""
    table.jobs = type(table.jobs)(table.jobs.policy)  # the real clock: threads wait
    table.do(webhooks.set_url, user_id, None)
    sending = Sending(table, engine, timeout_s)
    yield sending
    sending.close()


@pytest.fixture
def sending(table: JobTable, engine: Engine, ann: int) -> Iterator[Sending]:
    yield from made(table, engine, ann, PATIENT_S)


@pytest.fixture
def hasty(table: JobTable, engine: Engine, ann: int) -> Iterator[Sending]:
    """Gives up soon who does not answer."""
    yield from made(table, engine, ann, HASTY_S)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_message_is_sent_once_and_its_signature_holds(sending: Sending, ann: int, receiver: Receiver) -> None:
    secret = sending.table.do(webhooks.new_secret, ann)
    sending.sender.start()
    uuid = sending.finish(ann, receiver.url("ok"))
    sending.sender.wake()
    view = sending.ended(ann, uuid)
    assert (view.status, view.attempts, view.last_status) == (DeliveryStatus.DELIVERED, 1, 204)
    (request,) = receiver.requests
    start, _, body = request.partition(b"\r\n\r\n")
    sent = dict(line.split(": ", 1) for line in start.decode().split("\r\n")[1:])
    assert Webhook(secret).verify(body, sent) == {"type": "job.finished", "uuid": uuid}
    assert sent["webhook-id"] == view.id
    assert sent["Content-Type"] == "application/json"


def test_signature_is_that_of_the_specification() -> None:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, and Svix' own documentation."""
    body = b'{"test": 2432232314}'
    attempt = Attempt(
        id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        token="",
        url="",
        secrets=(SECRET, "whsec_" + "AAAA" * 8),
        event="",
        timestamp=datetime.fromtimestamp(0, UTC),
        started=datetime.fromtimestamp(1614265330, UTC),
        job=None,  # type: ignore[arg-type]  # signing needs none
        retries=0,
    )
    made = headers(attempt, body)
    first, second = made["webhook-signature"].split(" ")
    assert first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert second.startswith("v1,")
    assert made["webhook-timestamp"] == "1614265330"


OUTCOMES = {
    "ok": (DeliveryStatus.DELIVERED, 1, 204, None),
    "late": (DeliveryStatus.DELIVERED, 1, 204, None),
    "endless": (DeliveryStatus.DELIVERED, 1, 200, None),
    "fail": (DeliveryStatus.GIVEN_UP, 3, 500, None),
    "busy": (DeliveryStatus.GIVEN_UP, 3, 503, None),
    "missing": (DeliveryStatus.GIVEN_UP, 3, 404, None),
    "redirect": (DeliveryStatus.GIVEN_UP, 3, 302, None),
    "redirect-inside": (DeliveryStatus.GIVEN_UP, 3, 307, None),
    "gone": (DeliveryStatus.GIVEN_UP, 1, 410, None),
    "drip-body": (DeliveryStatus.DELIVERED, 1, 200, None),
    "nonsense": (DeliveryStatus.GIVEN_UP, 3, None, "no_answer"),
    "hang-up": (DeliveryStatus.GIVEN_UP, 3, None, "no_answer"),
    "endless-head": (DeliveryStatus.GIVEN_UP, 3, None, "no_answer"),
}
WITHOUT_END = ("hang", "drip")


@pytest.mark.parametrize("behaviour", OUTCOMES)
def test_receiver_that_behaves_so_ends_the_message_so(
    sending: Sending, ann: int, receiver: Receiver, behaviour: str
) -> None:
    assert outcome(sending, ann, receiver, behaviour) == OUTCOMES[behaviour]


@pytest.mark.parametrize("behaviour", WITHOUT_END)
def test_receiver_without_an_answer_is_given_up(hasty: Sending, ann: int, receiver: Receiver, behaviour: str) -> None:
    assert outcome(hasty, ann, receiver, behaviour) == (DeliveryStatus.GIVEN_UP, 3, None, "no_answer")


def outcome(
    sending: Sending, user_id: int, receiver: Receiver, behaviour: str
) -> tuple[DeliveryStatus, int, int | None, str | None]:
    """How a message to such a receiver ends, each of whose attempts came there under one identifier."""
    sending.sender.start()
    uuid = sending.finish(user_id, receiver.url(behaviour))
    sending.sender.wake()
    view = sending.ended(user_id, uuid)
    assert len(receiver.requests) == view.attempts
    assert len({request.partition(b"webhook-id: ")[2][:36] for request in receiver.requests}) == 1
    return view.status, view.attempts, view.last_status, view.error_code


def test_address_that_is_not_public_is_not_called(sending: Sending, ann: int) -> None:
    sending.sender.start()
    uuid = sending.finish(ann, "http://localhost:9/")  # which the guard learns from the resolver, IPv6 or not
    sending.sender.wake()
    assert sending.ended(ann, uuid).last_status is None
    refused = sending.finish(ann, "http://127.0.0.2/")
    sending.sender.wake()
    view = sending.ended(ann, refused)
    assert (view.status, view.attempts, view.error_code) == (DeliveryStatus.GIVEN_UP, 1, "address_refused")


def test_end_of_a_job_is_heard_of_without_being_woken(sending: Sending, ann: int, receiver: Receiver) -> None:
    """A Worker ends jobs in a process of its own."""
    sending.sender.start()
    uuid = sending.submit(ann, receiver.url("ok"))
    sending.sender.wake()  # as the Backend does when it takes in a job
    wait_until(lambda: sending.feed.waiter_count == 1)
    sending.table.do(sending.table.jobs.finish, sending.table.claim().lease)
    assert sending.ended(ann, uuid).status is DeliveryStatus.DELIVERED
    wait_until(lambda: sending.feed.waiter_count == 0)


def test_idle_sender_looks_at_nothing(sending: Sending, ann: int, receiver: Receiver) -> None:
    sending.sender.start()
    uuid = sending.finish(ann, receiver.url("ok"))
    sending.sender.wake()
    sending.ended(ann, uuid)
    wait_until(lambda: sending.feed.waiter_count == 0 and sending.reads > 0)
    time.sleep(0.1)
    before = sending.reads
    time.sleep(0.5)
    assert sending.reads == before


def test_what_lay_there_before_the_start_is_sent(sending: Sending, ann: int, receiver: Receiver) -> None:
    uuid = sending.finish(ann, receiver.url("ok"))
    sending.sender.start()
    assert sending.ended(ann, uuid).status is DeliveryStatus.DELIVERED


def test_many_messages_are_each_received_once(sending: Sending, ann: int, receiver: Receiver) -> None:
    uuids = [sending.finish(ann, receiver.url("ok")) for _ in range(20)]
    sending.sender.start()
    assert {sending.ended(ann, uuid).attempts for uuid in uuids} == {1}
    assert len(receiver.requests) == 20


def test_two_backends_share_what_is_due(sending: Sending, engine: Engine, ann: int, receiver: Receiver) -> None:
    other = Sending(sending.table, engine)
    uuids = [sending.finish(ann, receiver.url("ok")) for _ in range(12)]
    sending.sender.start()
    other.sender.start()
    try:
        assert {sending.ended(ann, uuid).attempts for uuid in uuids} == {1}
    finally:
        other.close()
    assert len(receiver.requests) == 12


def test_receiver_that_hangs_holds_up_no_other_user(sending: Sending, ann: int, bob: int, receiver: Receiver) -> None:
    sending.table.do(webhooks.set_url, bob, None)
    hanging = [sending.finish(ann, receiver.url("hang")) for _ in range(6)]
    uuid = sending.finish(bob, receiver.url("ok"))
    sending.sender.start()
    assert sending.ended(bob, uuid).status is DeliveryStatus.DELIVERED
    assert {sending.delivery(ann, one).status for one in hanging} == {DeliveryStatus.PENDING}


def test_resent_message_is_sent_again_under_its_id(sending: Sending, ann: int, receiver: Receiver) -> None:
    sending.sender.start()
    uuid = sending.finish(ann, receiver.url("gone"))
    sending.sender.wake()
    view = sending.ended(ann, uuid)
    receiver.behaviours["gone"] = receiver.behaviours["ok"]
    sending.table.do(sending.deliveries.resend, ann, uuid, view.id)
    sending.sender.wake()
    again = sending.ended(ann, uuid)
    assert (again.status, again.attempts) == (DeliveryStatus.DELIVERED, 2)
    assert all(view.id.encode() in request for request in receiver.requests)


def test_stop_lets_what_is_under_way_end(sending: Sending, ann: int, receiver: Receiver) -> None:
    sending.sender.start()
    uuid = sending.finish(ann, receiver.url("late"))
    sending.sender.wake()
    receiver.wait_for(1)
    sending.sender.stop(5.0)
    assert sending.delivery(ann, uuid).status is DeliveryStatus.DELIVERED
    assert not [thread for thread in threading.enumerate() if thread.name in ("webhook", "webhook-sender")]


def test_stop_of_a_sender_that_was_never_started_returns(sending: Sending) -> None:
    sending.sender.stop(0.0)


def test_fault_is_logged_and_the_next_turn_goes_on(
    sending: Sending, ann: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original = sending.deliveries.record
    lost = sending.finish(ann, receiver.url("ok"))

    def record(session: Any, attempt: Attempt, outcome: Outcome) -> DeliveryStatus | None:
        if attempt.job.uuid == lost:
            raise ArithmeticError("no room")
        return original(session, attempt, outcome)

    monkeypatch.setattr(sending.deliveries, "record", record)
    sending.sender.start()
    receiver.wait_for(1)
    kept = sending.finish(ann, receiver.url("ok"))
    sending.sender.wake()
    assert sending.ended(ann, kept).status is DeliveryStatus.DELIVERED
    assert sending.delivery(ann, lost).status is DeliveryStatus.PENDING  # due again when its attempt's time is over
    logged: list[str] = []

    def is_logged() -> bool:
        logged.append(capsys.readouterr().out)
        return "webhook_attempt_failed" in "".join(logged)

    wait_until(is_logged)
