"""Which leases have expired because their Worker is gone, and not because a clock jumped."""

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from models import Job, JobStatus
from recto.database.connections import Clock, NowMicroseconds
from recto.jobs import Lease, QueuePolicy


class ExpiryWatch:
    """Tells leases whose Worker is gone from leases that merely look expired because the database's clock jumped.

    A suspicious lease, past its expiry or further ahead than any lease can be, must stay unrenewed for one whole renewal
    period, by this process's monotonic clock, before it counts as expired.
    """

    def __init__(self, policy: QueuePolicy, clock: Clock = NowMicroseconds) -> None:
        self._policy = policy
        self._clock = clock
        self._seen: dict[tuple[Lease, int], float] = {}

    def expired(self, session: Session, monotonic_s: float) -> list[Lease]:
        """Leases to hand to `requeue_expired`. Only reads."""
        latest = self._clock() + round(2 * self._policy.lease_s * 1_000_000)
        suspicious = select(Job.uuid, Job.lease_token, Job.lease_worker, Job.lease_expires_us).where(
            Job.status == literal(JobStatus.IN_PROGRESS, literal_execute=True),
            (Job.lease_expires_us < self._clock()) | (Job.lease_expires_us > latest),
        )
        now: dict[tuple[Lease, int], float] = {}
        for uuid, token, worker, expires_us in session.execute(suspicious):
            if token is not None and worker is not None and expires_us is not None:
                key = Lease(uuid, token, worker), expires_us
                now[key] = self._seen.get(key, monotonic_s)
        self._seen = now
        return [lease for (lease, _), since in now.items() if monotonic_s - since >= self._policy.renew_s]
