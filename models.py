"""The schema: users and their tokens and sessions, what they did at the doors, jobs and the log of their statuses, webhooks, Workers that reported.

Times are microseconds since 1970 in UTC, written by the database's own clock (recto/database/connections.py). `migrations/` builds the same
schema step by step; a test compares the two.
"""

from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    event,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from recto.database.after_create import AFTER_CREATE

_RowId = BigInteger().with_variant(Integer, "sqlite")
_QUEUED = text("status = 'QUEUED'")
_IN_PROGRESS = text("status = 'IN_PROGRESS'")
_FINISHED = text("status = 'FINISHED'")
_FAILURE = text("status = 'FAILURE'")
_REUSABLE = text("result_version IS NOT NULL")
_IN_BATCH = text("batch_uuid IS NOT NULL")
_WAITING = text("status = 'WAITING'")
_PENDING = text("status = 'PENDING'")
_UNDER_WAY = text("token IS NOT NULL")
_EXPIRING = text("expires_us IS NOT NULL")
FILES_LEFT: Final = text("NOT files_removed")
"""As the partial index says it: SQLAlchemy writes `~files_removed` as `files_removed = 0` for SQLite, which does not use the index then."""
TEXT_TO_INDEX: Final = text("status = 'FINISHED' AND NOT text_indexed")
"""Likewise."""
PASSING: Final = text("kind <> 'end'")
"""Events that are forgotten a while after their job has ended, as the partial index says it."""


class JobStatus(StrEnum):
    """The four statuses of a job."""

    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    FAILURE = "FAILURE"

    @property
    def is_final(self) -> bool:
        """Whether no other status can follow."""
        return not MAY_FOLLOW[self]


MAY_FOLLOW: Final[dict[JobStatus | None, frozenset[JobStatus]]] = {
    None: frozenset({JobStatus.QUEUED}),
    JobStatus.QUEUED: frozenset({JobStatus.IN_PROGRESS, JobStatus.FAILURE}),
    JobStatus.IN_PROGRESS: frozenset({JobStatus.QUEUED, JobStatus.FINISHED, JobStatus.FAILURE}),
    JobStatus.FINISHED: frozenset(),
    JobStatus.FAILURE: frozenset(),
}
"""Which status may follow which: QUEUED after IN_PROGRESS is a requeue, FAILURE after QUEUED a cancelled or exhausted job."""


class Base(DeclarativeBase):
    """All tables. Independent of Flask, so that the Worker needs no application."""


class User(Base):
    """A person, or a program's owner. Who `is_disabled` cannot sign in, nor can their programs; what they sent is read on.

    `stored_documents` and `stored_bytes` count the documents of the user's jobs and are written with them (recto/jobs.py). The two limits are
    the user's own, in the place of those of the settings; null where there are none. No bytes at all, 0, is no limit. `retention_s`: how long their jobs are
    kept after their ends, 0 for ever; null where the settings' default holds.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    is_admin: Mapped[bool] = mapped_column(Boolean)
    created_us: Mapped[int] = mapped_column(BigInteger)
    is_disabled: Mapped[bool] = mapped_column(Boolean, server_default=false())
    stored_documents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    stored_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    max_stored_bytes: Mapped[int | None] = mapped_column(BigInteger)
    max_unfinished: Mapped[int | None] = mapped_column(Integer)
    retention_s: Mapped[int | None] = mapped_column(BigInteger)


class UserIdentity(Base):
    """Who a user is elsewhere: `subject` at `issuer`, which never changes, as their name there may."""

    __tablename__ = "user_identity"

    issuer: Mapped[str] = mapped_column(String(200), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_us: Mapped[int] = mapped_column(BigInteger)


class UserSession(Base):
    """A sign-in of a browser. The cookie carries the secret, the row only its SHA-256."""

    __tablename__ = "user_session"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_us: Mapped[int] = mapped_column(BigInteger)
    seen_us: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(200))


class ApiToken(Base):
    """A program's key to one user's jobs. Only the SHA-256 is kept; `prefix` lets a person recognise it.

    `scopes` says what it may do, joined by spaces; after `expires_us`, if there is one, it may do nothing.
    """

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_us: Mapped[int] = mapped_column(BigInteger)
    last_used_us: Mapped[int | None] = mapped_column(BigInteger)
    expires_us: Mapped[int | None] = mapped_column(BigInteger)
    scopes: Mapped[str] = mapped_column(String(100), server_default=text("'jobs:read jobs:write'"))


class SignInAttempt(Base):
    """A sign-in that failed a short while ago, or is being checked: rows, so that several Backends count together.

    The name is kept as a SHA-256: what was typed there may have been a password.
    """

    __tablename__ = "sign_in_attempt"

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    name_hash: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    timestamp_us: Mapped[int] = mapped_column("timestamp", BigInteger)

    __table_args__ = (
        Index("sign_in_attempt_on_name", "name_hash", "timestamp"),
        Index("sign_in_attempt_from_address", "address", "timestamp"),
        Index("sign_in_attempt_at", "timestamp"),
    )


class AuditEvent(Base):
    """Who did what to the doors, and from where. Names instead of references: it outlives the users that it speaks of."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    timestamp_us: Mapped[int] = mapped_column("timestamp", BigInteger, index=True)
    action: Mapped[str] = mapped_column(String(30))
    user_name: Mapped[str] = mapped_column(String(100))
    about: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))


class Job(Base):
    """One document to read.

    `status`, `reason_*` and `ended_us` cache the latest transition and are written in its transaction; recto/jobs.py is the only
    writer. `change` is the number of the latest write to this job, taken from ChangeCounter. While IN_PROGRESS, the lease says
    which attempt of which Worker owns the job and until when. `result_token` names the attempt whose files are the result.
    `options` hold a document's password in the clear: it is needed as long as the document is, which lies beside it. `warnings` are
    those about the document as a whole, as {"code", "detail"}.

    `content_sha256` is the document's. `result_version` says what has read it (recto/working/result_version.py), where the result may answer for
    the same document again, and is null elsewhere. Of such an answer, `deduplicated_from` is the job that it was copied from, which may be
    gone, and `result_created_us` the time that its results name: when the job was made that was read. `retry_of` is the job whose document
    this one reads again, which may be gone as well. `batch_uuid` is the batch that it was sent in. `request_id` and `trace_parent` (W3C Trace
    Context) are those of the request that made it: what the Worker logs and traces names them. `retention_s` says how long the job is kept after
    its end, null for ever, and `expires_us`, from its end on, until when. `tags` repeat the rows of JobTag, which are written with them
    (recto/records/job_details.py).

    `revision` counts what people have corrected and undone in its pages; result files carry it in their names, so it never goes back.

    `text_indexed` says that every page that was read is a PageText. Whoever sets it back, or removes a PageText, has the page indexed again.
    """

    __tablename__ = "job"

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(11))
    created_us: Mapped[int] = mapped_column(BigInteger)
    ended_us: Mapped[int | None] = mapped_column(BigInteger)
    change: Mapped[int] = mapped_column(BigInteger)

    file_name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    options: Mapped[dict[str, Any]] = mapped_column(JSON)

    page_count: Mapped[int | None] = mapped_column(Integer)
    pages_done: Mapped[int] = mapped_column(Integer)
    pages_failed: Mapped[int] = mapped_column(Integer)

    attempt: Mapped[int] = mapped_column(Integer)
    not_before_us: Mapped[int] = mapped_column(BigInteger)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_worker: Mapped[str | None] = mapped_column(String(100))
    lease_expires_us: Mapped[int | None] = mapped_column(BigInteger)
    result_token: Mapped[str | None] = mapped_column(String(32))
    reason_code: Mapped[str | None] = mapped_column(String(50))
    reason_detail: Mapped[str | None] = mapped_column(Text)
    warnings: Mapped[list[dict[str, str]]] = mapped_column(JSON, server_default=text("'[]'"))

    content_sha256: Mapped[str | None] = mapped_column(String(64))
    result_version: Mapped[str | None] = mapped_column(String(200))
    deduplicated_from: Mapped[str | None] = mapped_column(String(36))
    result_created_us: Mapped[int | None] = mapped_column(BigInteger)
    tags: Mapped[list[str]] = mapped_column(JSON, server_default=text("'[]'"))
    retry_of: Mapped[str | None] = mapped_column(String(36))
    batch_uuid: Mapped[str | None] = mapped_column(String(36))
    text_indexed: Mapped[bool] = mapped_column(Boolean, server_default=false())
    revision: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    request_id: Mapped[str | None] = mapped_column(String(64))
    trace_parent: Mapped[str | None] = mapped_column(String(55))
    retention_s: Mapped[int | None] = mapped_column(BigInteger)
    expires_us: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("status IN ('QUEUED', 'IN_PROGRESS', 'FINISHED', 'FAILURE')", name="job_status_known"),
        CheckConstraint("(status = 'IN_PROGRESS') = (lease_token IS NOT NULL)", name="job_lease_while_in_progress"),
        Index("job_of_user", "user_id", "created_us", "uuid"),
        Index("job_of_user_changed", "user_id", "change"),
        Index("job_changed", "change"),
        Index("job_expiring", "expires_us", sqlite_where=_EXPIRING, postgresql_where=_EXPIRING),
        # Lists by status. Partial, one a status: an index with the status in it would draw the claim's queries away from theirs.
        Index("job_finished", "user_id", "created_us", "uuid", sqlite_where=_FINISHED, postgresql_where=_FINISHED),
        Index("job_failed", "user_id", "created_us", "uuid", sqlite_where=_FAILURE, postgresql_where=_FAILURE),
        # Partial: what claiming and renewing read stays as small as the work in hand, whatever lies behind it.
        Index("job_queued", "user_id", "created_us", "uuid", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
        Index(
            "job_in_progress", "user_id", "lease_expires_us", sqlite_where=_IN_PROGRESS, postgresql_where=_IN_PROGRESS
        ),
        Index("job_of_batch", "batch_uuid", sqlite_where=_IN_BATCH, postgresql_where=_IN_BATCH),
        # Partial as well: an upload writes nothing here, only the end of a reading does.
        Index(
            "job_to_reuse",
            "user_id",
            "content_sha256",
            "created_us",
            sqlite_where=_REUSABLE,
            postgresql_where=_REUSABLE,
        ),
        Index("job_text_to_index", "ended_us", sqlite_where=TEXT_TO_INDEX, postgresql_where=TEXT_TO_INDEX),
    )


class Batch(Base):
    """Documents that were sent in one request. Its jobs name it; what they are and how far, they say themselves."""

    __tablename__ = "batch"

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_us: Mapped[int] = mapped_column(BigInteger)


class JobPage(Base):
    """A page that an attempt finished, adopted under its lease: read into a checkpoint, or given up with an error.

    `attempt_token` names the attempt whose folder holds the checkpoint; a later attempt goes on from here. `text_layer`,
    `confidence` (from 0 to 1, null on a page without words) and `preprocessing` are those of the checkpoint, steps as {"name", "measured"}, for
    those that show them; null where it has none. `revision` counts the corrections and what was undone: who corrects names
    the one that they saw. `corrected_confidence` is that of the page at that revision, where it is above 0.
    """

    __tablename__ = "job_page"

    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    attempt_token: Mapped[str] = mapped_column(String(32))
    text_layer: Mapped[str | None] = mapped_column(String(10))
    confidence: Mapped[float | None] = mapped_column(Double)
    preprocessing: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    error_code: Mapped[str | None] = mapped_column(String(50))
    error_detail: Mapped[str | None] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    corrected_confidence: Mapped[float | None] = mapped_column(Double)


class PageCorrection(Base):
    """A correction of a page by a person. What was read stays as it is; the corrections that stand are applied to it.

    `revision` is the page's that the correction made, and names it. `what` is the correction (recto/ocr/corrections.py) and `replaced` the
    words that were there. `undone_us` is null while it stands: the row stays when it is undone.
    """

    __tablename__ = "page_correction"

    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"), primary_key=True)
    page_number: Mapped[int] = mapped_column(Integer, primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    author: Mapped[str] = mapped_column(String(100))
    created_us: Mapped[int] = mapped_column(BigInteger)
    what: Mapped[dict[str, Any]] = mapped_column(JSON)
    replaced: Mapped[str] = mapped_column(Text)
    undone_us: Mapped[int | None] = mapped_column(BigInteger)


class JobTag(Base):
    """A word that a user has put on a job. Repeats whose the job is and when it was made, so that one index has a list by tag in its order."""

    __tablename__ = "job_tag"

    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(_RowId)
    created_us: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("job_tag_of_user", "user_id", "tag", "created_us", "job_uuid"),)


class IdempotencyKey(Base):
    """A key that a user's program sent with a submission, and the job that it made. Written in the job's transaction, gone with the job.

    `fingerprint` is a SHA-256 of what was sent: the same key with something else is refused.
    """

    __tablename__ = "idempotency_key"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"), index=True)
    created_us: Mapped[int] = mapped_column(BigInteger, index=True)


class PageText(Base):
    """What is searched: the text of a page of a FINISHED job, with divided words made whole; empty where the page is blank.

    The index over it is the database's own (recto/database/after_create.py), kept by triggers in the same transaction. `user_id` is the job's: the index
    has it, so that a search does not go through the documents of others.
    """

    __tablename__ = "page_text"

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("page_text_of_job", "job_uuid", "number", unique=True),)


class TextRemoval(Base):
    """One row. How many pages were taken out of the index so far, and at which of these counts the index was last rewritten without them."""

    __tablename__ = "text_removal"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    removed: Mapped[int] = mapped_column(BigInteger)
    purged: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="text_removal_is_one_row"),)


class JobDerivation(Base):
    """A result format or a picture of a page that is being made after its job has ended, or that could not be made.

    Or another reading of a page that is about to be recorded. There is no row for what was made: its file says so. `token` names who makes it, so that one who was given up changes
    nothing; `error_code` is null while it is being made. After `expires_us` the row counts for nothing: whoever made it is
    not heard from any more, or it failed a while ago.
    """

    __tablename__ = "job_derivation"

    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    token: Mapped[str] = mapped_column(String(32))
    expires_us: Mapped[int] = mapped_column(BigInteger)
    error_code: Mapped[str | None] = mapped_column(String(50))
    error_detail: Mapped[str | None] = mapped_column(Text)


class JobStatusTransition(Base):
    """The append-only log. A job's status is that of its latest transition, by (timestamp, id)."""

    __tablename__ = "job_status_transition"

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(11))
    timestamp_us: Mapped[int] = mapped_column("timestamp", BigInteger)
    attempt: Mapped[int] = mapped_column(Integer)
    worker: Mapped[str | None] = mapped_column(String(100))
    reason_code: Mapped[str | None] = mapped_column(String(50))
    reason_detail: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("status IN ('QUEUED', 'IN_PROGRESS', 'FINISHED', 'FAILURE')", name="transition_status_known"),
        Index("job_status_transition_of_job", "job_uuid", "timestamp", unique=True),
    )


class JobEvent(Base):
    """What happened to a job, in order, for those who follow it.

    A status ("status"; "end" for the last), an opened document ("opened"), an ended page ("page"). A while after the end, the end alone
    is left. `change` is the number of the write that it belongs to, and its id for clients: later events have higher ones, of whatever
    job. A status is that of the transition with the same time. The three counts are the job's just after the event.
    """

    __tablename__ = "job_event"

    change: Mapped[int] = mapped_column(_RowId, primary_key=True, autoincrement=False)
    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    timestamp_us: Mapped[int] = mapped_column("timestamp", BigInteger)
    page_number: Mapped[int | None] = mapped_column(Integer)
    page_count: Mapped[int | None] = mapped_column(Integer)
    pages_done: Mapped[int] = mapped_column(Integer)
    pages_failed: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        Index("job_event_of_job", "job_uuid", "change"),
        Index("job_event_of_user", "user_id", "change"),
        # Partial: what is forgotten a while after the end is found without a look at all the ends that stay.
        Index("job_event_to_forget", "timestamp", sqlite_where=PASSING, postgresql_where=PASSING),
    )


class JobTally(Base):
    """How many jobs ended in an hour, and how: "finished", "answered" from an earlier job, or the code of their failure; and their pages that were read.

    Counted when they end, so that a look back over weeks reads some hundred rows, and deleting a job does not change the past.
    """

    __tablename__ = "job_tally"

    hour_us: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(String(50), primary_key=True)
    jobs: Mapped[int] = mapped_column(Integer)
    pages: Mapped[int] = mapped_column(Integer)


class JobDeletion(Base):
    """That a job was deleted, so that waiting clients, Workers and the sweeper learn of it. Nothing of its content stays."""

    __tablename__ = "job_deletion"

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    timestamp_us: Mapped[int] = mapped_column("timestamp", BigInteger)
    change: Mapped[int] = mapped_column(BigInteger)
    files_removed: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (
        Index("job_deletion_of_user_changed", "user_id", "change"),
        Index("job_deletion_changed", "change"),
        Index("job_deletion_files_left", "uuid", sqlite_where=FILES_LEFT, postgresql_where=FILES_LEFT),
    )


class ChangeCounter(Base):
    """One row. Every write to a job takes the next number, so that "what changed since N" is one look at an index."""

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="change_counter_is_one_row"),)


class Webhook(Base):
    """Where a user is told of the end of jobs, unless a job names an address of its own, and what such messages are signed with.

    The secrets are kept as they are: a signature cannot be made from a hash. Until `previous_until_us`, messages are signed with the
    `previous_secret` as well.
    """

    __tablename__ = "webhook"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    url: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(100))
    previous_secret: Mapped[str | None] = mapped_column(String(100))
    previous_until_us: Mapped[int | None] = mapped_column(BigInteger)
    created_us: Mapped[int] = mapped_column(BigInteger)


class DeliveryStatus(StrEnum):
    """What becomes of a webhook's message: it waits for its job's end, is to be sent, was received, or is sent no more."""

    WAITING = "WAITING"
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    GIVEN_UP = "GIVEN_UP"


class WebhookDelivery(Base):
    """A webhook's message about the end of a job: made with the job, due by the transaction that ends it, gone with it.

    `id` is the message's own, the same however often it is sent. `url` is null where it goes to the user's address, as that is when it is
    sent. `attempts` counts all, `retries` those since it fell due, which say how long the next pause is. While a Backend sends it,
    `token` says which attempt that is; one that is not heard from any more is due again at `next_attempt_us`. `error_*` say what was
    wrong with the latest attempt, `last_status` the HTTP status that it was answered with.
    """

    __tablename__ = "webhook_delivery"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    job_uuid: Mapped[str] = mapped_column(ForeignKey("job.uuid", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    url: Mapped[str | None] = mapped_column(Text)
    event: Mapped[str | None] = mapped_column(String(20))
    timestamp_us: Mapped[int | None] = mapped_column("timestamp", BigInteger)
    status: Mapped[str] = mapped_column(String(9))
    attempts: Mapped[int] = mapped_column(Integer)
    retries: Mapped[int] = mapped_column(Integer)
    next_attempt_us: Mapped[int | None] = mapped_column(BigInteger)
    token: Mapped[str | None] = mapped_column(String(32))
    last_attempt_us: Mapped[int | None] = mapped_column(BigInteger)
    last_status: Mapped[int | None] = mapped_column(Integer)
    error_code: Mapped[str | None] = mapped_column(String(50))
    error_detail: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint(
            "status IN ('WAITING', 'PENDING', 'DELIVERED', 'GIVEN_UP')", name="webhook_delivery_status_known"
        ),
        CheckConstraint(
            "(status = 'PENDING') = (next_attempt_us IS NOT NULL)", name="webhook_delivery_time_while_pending"
        ),
        Index("webhook_delivery_of_job", "job_uuid"),
        # Partial: what a Backend looks at stays as small as what is still to be done.
        Index("webhook_delivery_expected", "user_id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("webhook_delivery_due", "next_attempt_us", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("webhook_delivery_under_way", "user_id", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
    )


class Meter(Base):
    """A number that is counted on in the transaction of what it counts (recto/records/meters.py): metrics read it instead of counting rows."""

    __tablename__ = "meter"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    label: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class Worker(Base):
    """A Worker process as it last reported. Installed languages, and what a result depends on, reach the Backend through here."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    version: Mapped[str] = mapped_column(String(50))
    engine: Mapped[str] = mapped_column(String(100))
    languages: Mapped[list[str]] = mapped_column(JSON)
    result_version: Mapped[str | None] = mapped_column(String(200))
    processes: Mapped[int] = mapped_column(Integer)
    started_us: Mapped[int] = mapped_column(BigInteger)
    seen_us: Mapped[int] = mapped_column(BigInteger)


for _table, _dialect, _statement in AFTER_CREATE:
    _ddl = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
    event.listen(Base.metadata.tables[_table] if _table else Base.metadata, "after_create", _ddl)
