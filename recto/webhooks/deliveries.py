"""Messages of webhooks: expected with the job, due by the transaction that ends it, sent by a Backend that holds them, and tried again.

A message is delivered at least once: a Backend that dies while it sends one loses it to the next one after a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, cast
from uuid import uuid4

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CursorResult,
    String,
    Table,
    Update,
    bindparam,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from models import DeliveryStatus, Job, JobStatus, Webhook, WebhookDelivery
from recto.database.connections import Clock, NowMicroseconds, utc
from recto.database.turns import Turn, take_turn
from recto.errors import AddressRefused, DeliveryNotFound, OptionInvalid, RectoError
from recto.views.jobs import JobView, find_job, job_not_found

JOB_FINISHED: Final = "job.finished"
JOB_FAILED: Final = "job.failed"
_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3600.0
STANDARD_PAUSES_S: Final = (
    5.0,
    5 * _MINUTE_S,
    30 * _MINUTE_S,
    *(hours * _HOUR_S for hours in (2, 5, 10, 14, 20, 24)),
)
"""https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Deliverability and reliability"."""
MOST_AT_ONCE_PER_USER: Final = 2
"""Under way at a time: a receiver that hangs holds up its own user's messages, and nobody else's."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message that this Backend may send now. The newest secret comes first."""

    id: str
    token: str
    url: str
    secrets: tuple[str, ...]
    event: str
    timestamp: datetime
    started: datetime
    job: JobView
    retries: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: the HTTP status of the answer, or why there was none."""

    status: int | None
    error: RectoError | None = None

    @property
    def is_received(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_final(self) -> bool:
        """Whether it is no use to try again: it is received, the receiver wants no more, or Recto does not call that address."""
        return self.is_received or self.status == HTTPStatus.GONE or isinstance(self.error, AddressRefused)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What lies before a Backend: whether jobs are unfinished whose end is to be told, and in how many seconds something is due."""

    is_expecting: bool
    due_in_s: float | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A message as its user sees it. `url` is None where the user has no address any more."""

    id: str
    event: str | None
    url: str | None
    status: DeliveryStatus
    attempts: int
    last_attempt: datetime | None
    last_status: int | None
    error_code: str | None
    error_detail: str | None
    next_attempt: datetime | None


def expect(session: Session, job_uuid: str, user_id: int, url: str | None) -> bool:
    """Have the end of a new job told: at `url`, or else at the user's address; False where there is none. OptionInvalid without a secret."""
    values = {"id": f"msg_{uuid4().hex}", "job_uuid": job_uuid, "user_id": user_id, "url": url}
    made = cast(CursorResult[Any], session.execute(_EXPECT, values | {"has_url": url is not None}))
    if url is not None and not made.rowcount:
        raise OptionInvalid(
            "Option 'webhook': there is no secret yet to sign messages with. Make one first: POST /api/v1/webhook/secret."
        )
    return bool(made.rowcount)


def falling_due(now: ColumnElement[int]) -> Update:
    """What `fall_due` runs under that clock: built once, since every job that ends runs it."""
    expected = update(_TABLE).where(_TABLE.c.job_uuid == bindparam("of_job"), _TABLE.c.status == DeliveryStatus.WAITING)
    return expected.values(next_attempt_us=now)


def fall_due(session: Session, due: Update, job_uuid: str, status: JobStatus, timestamp_us: int) -> None:
    """The job has ended: what was expected is to be sent. `due` is `falling_due`."""
    event = JOB_FINISHED if status is JobStatus.FINISHED else JOB_FAILED
    values = {"status": DeliveryStatus.PENDING, "event": event, "timestamp": timestamp_us}
    session.execute(due, values | {"of_job": job_uuid})


def list_of_job(session: Session, user_id: int, job_uuid: str) -> list[DeliveryView]:
    """The messages about one of the user's jobs. JobNotFound."""
    if session.scalar(select(Job.uuid).where(Job.uuid == job_uuid, Job.user_id == user_id)) is None:
        raise job_not_found()
    return [_view(row, url) for row, url in session.execute(_WITH_URL.where(WebhookDelivery.job_uuid == job_uuid))]


class Deliveries:
    """Operations on messages that are due, under one clock. `pauses_s` follow the attempts; after the last, a message is given up."""

    def __init__(
        self, pauses_s: Sequence[float] = STANDARD_PAUSES_S, lease_s: float = 60.0, clock: Clock = NowMicroseconds
    ) -> None:
        """`lease_s` is how long one attempt may take before another Backend may think that its Backend has died."""
        self._pauses_s = tuple(pauses_s)
        self._lease_s = lease_s
        self._clock = clock

    def look(self, session: Session) -> Outlook:
        """What lies ahead. Only reads."""
        is_expecting, next_us, now_us = session.execute(select(_IS_EXPECTING, _NEXT_US, self._clock())).one()
        return Outlook(bool(is_expecting), None if next_us is None else max(0.0, (next_us - now_us) / 1_000_000))

    def claim(self, session: Session) -> Attempt | None:
        """Take the message that has been due for longest, of a user who has not too many under way; None where there is none.

        Those that cannot be sent any more, because the user has no address now, are given up on the way.
        """
        take_turn(session, Turn.DELIVERY)
        while (found := self._take_next(session)) is not None:
            delivery_id, token = found
            attempt = self._attempt(session, delivery_id, token)
            if attempt is not None:
                return attempt
            removed = {"error_code": "webhook_removed", "error_detail": "You have no webhook with an address any more."}
            self._end(
                session, delivery_id, token, {"status": DeliveryStatus.GIVEN_UP, "next_attempt_us": null(), **removed}
            )
        return None

    def record(self, session: Session, attempt: Attempt, outcome: Outcome) -> DeliveryStatus | None:
        """Write down how an attempt ended. Gives the status of the message; None where the attempt was given up meanwhile."""
        values: dict[str, Any] = {
            "last_status": outcome.status,
            "error_code": outcome.error.code if outcome.error else None,
            "error_detail": outcome.error.detail if outcome.error else None,
        }
        if outcome.is_received:
            values |= {"status": DeliveryStatus.DELIVERED, "next_attempt_us": null()}
        elif outcome.is_final or attempt.retries >= len(self._pauses_s):
            values |= {"status": DeliveryStatus.GIVEN_UP, "next_attempt_us": null()}
        else:
            pause_s = self._pauses_s[attempt.retries]
            values |= {"next_attempt_us": self._in(pause_s), "retries": attempt.retries + 1}
        return self._end(session, attempt.id, attempt.token, values)

    def resend(self, session: Session, user_id: int, job_uuid: str, delivery_id: str) -> DeliveryView:
        """Have a message sent at once, with all its retries. One that waits for its job's end, or is under way, stays as it is.

        JobNotFound, DeliveryNotFound.
        """
        found = [one for one in list_of_job(session, user_id, job_uuid) if one.id == delivery_id]
        if not found:
            raise DeliveryNotFound("The job has no such delivery. The list of its deliveries shows those there are.")
        due = {"status": DeliveryStatus.PENDING, "next_attempt_us": self._clock(), "retries": 0}
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.id == delivery_id, WebhookDelivery.status != DeliveryStatus.WAITING)
            .where(WebhookDelivery.token.is_(None) | (WebhookDelivery.next_attempt_us <= self._clock()))
            .values(due)
        )
        row, url = session.execute(_WITH_URL.where(WebhookDelivery.id == delivery_id)).one()
        session.refresh(row)
        return _view(row, url)

    def _take_next(self, session: Session) -> tuple[str, str] | None:
        other = aliased(WebhookDelivery)
        under_way = (
            select(func.count())
            .where(other.user_id == WebhookDelivery.user_id, other.token.is_not(None))
            .where(other.next_attempt_us > self._clock())
            .scalar_subquery()
        )
        due = (
            select(WebhookDelivery.id)
            .where(_IS_PENDING, WebhookDelivery.next_attempt_us <= self._clock(), under_way < MOST_AT_ONCE_PER_USER)
            .order_by(WebhookDelivery.next_attempt_us, WebhookDelivery.id)
            .limit(1)
        )
        token = uuid4().hex
        taken = (
            update(WebhookDelivery)
            .where(WebhookDelivery.id == due.scalar_subquery(), WebhookDelivery.next_attempt_us <= self._clock())
            .values(
                token=token,
                next_attempt_us=self._in(self._lease_s),
                attempts=WebhookDelivery.attempts + 1,
                last_attempt_us=self._clock(),
            )
            .returning(WebhookDelivery.id)
        )
        delivery_id = session.scalar(taken)
        return None if delivery_id is None else (delivery_id, token)

    def _attempt(self, session: Session, delivery_id: str, token: str) -> Attempt | None:
        """The message with all that sending it takes; None where there is no address or secret any more."""
        columns = (WebhookDelivery, Webhook.url, Webhook.secret, Webhook.previous_secret, Webhook.previous_until_us)
        mine = select(*columns, self._clock()).join(Webhook, Webhook.user_id == WebhookDelivery.user_id)
        found = session.execute(mine.where(WebhookDelivery.id == delivery_id)).one_or_none()
        if found is None:
            return None
        row, own_url, secret, previous, previous_until_us, now_us = found
        url, job = row.url or own_url, find_job(session, row.job_uuid)
        if url is None or job is None:
            return None
        secrets = (secret, previous) if previous and now_us < (previous_until_us or 0) else (secret,)
        started, timestamp = utc(now_us), utc(row.timestamp_us or 0)
        return Attempt(row.id, token, url, secrets, row.event or "", timestamp, started, job, row.retries)

    def _end(self, session: Session, delivery_id: str, token: str, values: dict[str, Any]) -> DeliveryStatus | None:
        mine = update(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.token == token)
        status = session.scalar(mine.values({"token": null(), **values}).returning(WebhookDelivery.status))
        return None if status is None else DeliveryStatus(status)

    def _in(self, seconds: float) -> ColumnElement[int]:
        return self._clock() + round(seconds * 1_000_000)


def _view(row: WebhookDelivery, own_url: str | None) -> DeliveryView:
    def moment(timestamp_us: int | None) -> datetime | None:
        return None if timestamp_us is None else utc(timestamp_us)

    return DeliveryView(
        id=row.id,
        event=row.event,
        url=row.url or own_url,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        last_attempt=moment(row.last_attempt_us),
        last_status=row.last_status,
        error_code=row.error_code,
        error_detail=row.error_detail,
        next_attempt=moment(row.next_attempt_us),
    )


_TABLE: Final = cast(Table, WebhookDelivery.__table__)
# Written out in the statements: a bound value would not use the partial indices.
_IS_PENDING: Final = WebhookDelivery.status == literal(DeliveryStatus.PENDING, literal_execute=True)
_IS_WAITING: Final = WebhookDelivery.status == literal(DeliveryStatus.WAITING, literal_execute=True)
_IS_EXPECTING: Final = exists().where(_IS_WAITING)
_NEXT_US: Final = select(func.min(WebhookDelivery.next_attempt_us)).where(_IS_PENDING).scalar_subquery()
_WITH_URL: Final = select(WebhookDelivery, Webhook.url).outerjoin(Webhook, Webhook.user_id == WebhookDelivery.user_id)
_EXPECT: Final = (
    insert(_TABLE)
    .from_select(
        ["id", "job_uuid", "user_id", "url", "status", "attempts", "retries"],
        select(
            bindparam("id", type_=String),
            bindparam("job_uuid", type_=String),
            Webhook.user_id,
            bindparam("url", type_=String),
            literal(DeliveryStatus.WAITING.value),
            literal(0),
            literal(0),
        ).where(
            Webhook.user_id == bindparam("user_id"), bindparam("has_url", type_=Boolean) | Webhook.url.is_not(None)
        ),
    )
    .execution_options(preserve_rowcount=True)
)
"""One statement with every job that is submitted; of a user without a webhook, one look at an index."""
