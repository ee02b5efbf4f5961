"""The Worker's second thread: renews the leases while pages are read, reports the Worker, and requeues what others lost or died over."""

import threading
import time
from collections.abc import Callable, Iterable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from recto import __version__, workers
from recto.database.connections import Begin, transaction
from recto.errors import ServiceError
from recto.expired_leases import ExpiryWatch
from recto.jobs import Jobs, Lease
from recto.logs import get_logger
from recto.records import meters
from recto.working.page_tasks import EngineReport
from recto.working.presence import Presence
from recto.working.repeating import RepeatingThread
from recto.working.stage_times import StageTimes

_log = get_logger(__name__)


def requeue_of_dead(sessions: sessionmaker[Session], jobs: Jobs, presence: Presence) -> None:
    """Requeue the jobs of Workers of this machine that have died, however long their leases would still hold."""
    dead = presence.dead()
    if not dead:
        return
    with transaction(sessions(), Begin.WRITE) as session:
        taken = jobs.requeue_of_dead(session, dead)
    presence.forget(dead)
    for lease in taken:
        _log.warning("worker_died", job=lease.job_uuid, worker=lease.worker)


class Heartbeat(RepeatingThread):
    """Beats every `renew_s` until `stop`. Holds the leases that the loop works under."""

    def __init__(
        self,
        name: str,
        sessions: sessionmaker[Session],
        jobs: Jobs,
        engine: EngineReport,
        processes: Callable[[], int],
        presence: Presence | None = None,
    ) -> None:
        """`processes` says how many pages are read at once, as it stands. `presence` tells which Workers have died; without it, their leases expire."""
        super().__init__("heartbeat", first_after_s=jobs.policy.renew_s)
        self._name = name
        self._presence = presence
        self._sessions = sessions
        self._jobs = jobs
        self._engine = engine
        self._processes = processes
        self._watch = ExpiryWatch(jobs.policy)
        self._lock = threading.Lock()
        self._leases: set[Lease] = set()
        self.stage_times = StageTimes()
        """Where the loop puts what its work took: each beat counts it on."""

    @property
    def result_version(self) -> str:
        """What the results of this Worker depend on, as it reports it."""
        return self._engine.result_version

    def start(self) -> None:
        """Report the Worker, then beat in a thread."""
        self.beat(time.monotonic())
        super().start()

    def stop(self) -> None:
        """End the thread and sign the Worker off."""
        super().stop()
        with transaction(self._sessions(), Begin.WRITE) as session:
            workers.sign_off(session, self._name)
        self._count_times()

    def hold(self, lease: Lease) -> None:
        """Renew this lease from now on."""
        with self._lock:
            self._leases.add(lease)

    def release(self, lease: Lease) -> None:
        """The job has ended or is lost."""
        with self._lock:
            self._leases.discard(lease)

    def step(self) -> float:
        """A beat, and the pause after it."""
        try:
            self.beat(time.monotonic())
        except (ServiceError, SQLAlchemyError, OSError) as error:
            _log.warning("heartbeat_failed", error=str(error))  # the next beat comes well before the leases expire
        return self._jobs.policy.renew_s

    def beat(self, monotonic_s: float) -> None:
        """One beat. Leases that turn out to be lost are renewed no more; the loop finds that out by itself."""
        with self._lock:
            held = frozenset(self._leases)
        with transaction(self._sessions(), Begin.WRITE) as session:
            lost = self._jobs.heartbeat(session, held)
            workers.report(
                session,
                self._name,
                __version__,
                self._engine.engine,
                self._engine.languages,
                self._processes(),
                self._engine.result_version,
            )
            taken = self._jobs.requeue_expired(session, self._watch.expired(session, monotonic_s))
        self._forget(lost)
        for lease in taken:
            _log.warning("lease_expired", job=lease.job_uuid, worker=lease.worker)
        if self._presence:
            self._presence.beat()
            requeue_of_dead(self._sessions, self._jobs, self._presence)
        self._count_times()

    def _count_times(self) -> None:
        """In a transaction of its own: what is wrong with it costs no lease."""
        gathered = self.stage_times.take()
        if not gathered.times:
            return
        try:
            with transaction(self._sessions(), Begin.WRITE) as session:
                meters.add_stage_times(session, gathered.times, gathered.total_us)
        except BaseException:
            self.stage_times.put_back(gathered)
            raise

    def _forget(self, leases: Iterable[Lease]) -> None:
        with self._lock:
            self._leases.difference_update(leases)
