"""The Backend's sender of webhooks: one thread that waits until something is due, and a thread for each message under way.

It sleeps until the next message is due, or somebody rings: `wake`, when this Backend took in a job, or an attempt that ended. Only while
jobs are unfinished whose end is to be told, it follows the changes of jobs, as waiting requests do. So an idle Backend looks at
nothing. What another Backend left behind when it died for good is found by a look every few minutes.

Under gevent the threads are greenlets; `read` and `write` run what touches the database in the hub's thread pool.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

import recto
from recto.changes import Call, ChangeFeed, Subscription
from recto.database.connections import Begin, transaction
from recto.errors import AddressRefused, NoAnswer
from recto.logs import get_logger
from recto.outbound.exchange import Outbound
from recto.webhooks.deliveries import Attempt, Deliveries, Outcome, Outlook

_log = get_logger(__name__)
_T = TypeVar("_T")
EventBody: TypeAlias = Callable[[Attempt], bytes]
"""The message itself, as JSON."""

TIMEOUT_S: Final = 15.0
"""For all of an attempt, from looking up the name to the head of the answer; what follows the head is not read."""
_AT_ONCE: Final = 8
_LOOK_ANYWAY_S: Final = 300.0
_LOOK_FOR_ROOM_S: Final = 5.0
"""Something is due, and its user has enough under way, by another Backend perhaps."""
_PAUSE_AFTER_FAULT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Connections:
    """The database, and how it is reached from a thread that must not block."""

    engine: Engine
    read: Call[Any]
    write: Call[Any]


class WebhookSender:
    """Sends what is due, from `start` to `stop`. Several may share a database."""

    def __init__(
        self,
        connections: Connections,
        deliveries: Deliveries,
        outbound: Outbound,
        feed: ChangeFeed,
        event_body: EventBody,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._connections = connections
        self._deliveries = deliveries
        self._outbound = outbound
        self._feed = feed
        self._event_body = event_body
        self._timeout_s = timeout_s
        self._bell = Subscription()
        self._is_stopping = False
        self._under_way: set[threading.Thread] = set()
        self._thread = threading.Thread(target=self._run, name="webhook-sender", daemon=True)

    def start(self) -> None:
        """Begin with what is due already, whoever left it."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something new: a job whose end is to be told, a message that is due."""
        self._bell.put(None)

    def stop(self, timeout_s: float) -> None:
        """Begin nothing more and let what is under way end for as long. What does not is sent again later, by whoever is there."""
        self._is_stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()
        until_s = time.monotonic() + timeout_s
        for thread in tuple(self._under_way):
            thread.join(max(0.0, until_s - time.monotonic()))

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                self._turn()
            except Exception:  # noqa: BLE001 - it is logged with all that is known
                _log.exception("webhook_sender_failed")  # and goes on: nobody else sends for this Backend
                self._bell.wait(_PAUSE_AFTER_FAULT_S)

    def _turn(self) -> None:
        if not self._look().is_expecting:
            self._bell.wait(self._send_due())
            return
        with self._feed.everything(self._bell):
            while not self._is_stopping and self._look().is_expecting:
                self._bell.wait(self._send_due())

    def _send_due(self) -> float:
        """Begin as much as there is room for. Gives the seconds until it is time to look again."""
        while not self._is_stopping and len(self._under_way) < _AT_ONCE:
            due_in_s = self._look().due_in_s
            if due_in_s is None or due_in_s > 0:
                return _LOOK_ANYWAY_S if due_in_s is None else min(due_in_s, _LOOK_ANYWAY_S)
            attempt: Attempt | None = self._write(self._deliveries.claim)
            if attempt is None:
                return _LOOK_FOR_ROOM_S
            thread = threading.Thread(target=self._deliver, args=(attempt,), name="webhook", daemon=True)
            self._under_way.add(thread)
            thread.start()
        return _LOOK_ANYWAY_S  # whatever ends, rings

    def _deliver(self, attempt: Attempt) -> None:
        """One attempt. Where its end cannot be written down, the message is due again when the attempt's time is over."""
        try:
            outcome = self._send(attempt)
            status = self._write(partial(_record, self._deliveries, attempt, outcome))
            reason = outcome.error.members.get("reason", outcome.error.code) if outcome.error else None
            _log.info(
                "webhook_sent", id=attempt.id, job=attempt.job.uuid, answer=outcome.status, reason=reason, now=status
            )
        except Exception:  # noqa: BLE001 - it is logged with all that is known
            _log.exception("webhook_attempt_failed", id=attempt.id)
        finally:
            self._under_way.discard(threading.current_thread())
            self.wake()

    def _send(self, attempt: Attempt) -> Outcome:
        body = self._event_body(attempt)
        try:
            with self._outbound.answer("POST", attempt.url, headers(attempt, body), self._timeout_s, body) as answer:
                return Outcome(answer.status)
        except (AddressRefused, NoAnswer) as error:
            return Outcome(None, error)

    def _look(self) -> Outlook:
        outlook: Outlook = self._connections.read(partial(self._in_transaction, Begin.READ, self._deliveries.look))
        return outlook

    def _write(self, operation: Callable[[Session], _T]) -> _T:
        done: _T = self._connections.write(partial(self._in_transaction, Begin.WRITE, operation))
        return done

    def _in_transaction(self, begin: Begin, operation: Callable[[Session], _T]) -> _T:
        with transaction(Session(self._connections.engine), begin) as session:
            return operation(session)


def headers(attempt: Attempt, body: bytes) -> dict[str, str]:
    """Those of a message by Standard Webhooks, signed with each secret that holds. A receiver takes the message if one of them fits."""
    text = body.decode()
    signatures = [Webhook(secret).sign(attempt.id, attempt.started, text) for secret in attempt.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Recto/{recto.__version__}",
        "webhook-id": attempt.id,
        "webhook-timestamp": str(int(attempt.started.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _record(deliveries: Deliveries, attempt: Attempt, outcome: Outcome, session: Session) -> object:
    return deliveries.record(session, attempt, outcome)
