"""How far the estimates of a job's place and time left are from what then happens: a simulated queue, its clock, and the real claims.

    python -m benchmarks.queue_estimates [--jobs 400] [--seeds 3]

Users send documents of unlike lengths, one of them in heaps; pages take unlike times. Simulated Workers claim by recto/jobs.py and take turns as
recto/worker.py does. Estimates are asked for when a job is sent, and every half minute until it ends. Nothing is waited for: it takes seconds.
"""

import argparse
import heapq
import random
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, bindparam, event, update
from sqlalchemy.orm import Session

from models import User, Worker
from recto import workers
from recto.database.connections import Begin, connect, transaction, upgrade_schema
from recto.jobs import Claim, Jobs, QueuePolicy, Submission
from recto.views.jobs import get_job
from recto.views.outlook import TimeLeft, find_before, outlook, recent_pace, seconds_left

_START_US: Final = 1_800_000_000_000_000
_ALWAYS_US: Final = 10**15
_ASK_EVERY_S: Final = 30.0
_OPEN_S: Final = 0.2
_WRITE_S: Final = 0.3
_POLICY: Final = QueuePolicy(10_000_000.0, 60.0, 3, 1.0, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Sent:
    """A document that a user sends at a time in seconds; each of its pages takes one process as long as it says."""

    at_s: float
    user: int
    page_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said of a job: seconds, the range that is shown, its place; and what came: seconds, its place among the jobs that waited then."""

    estimated_s: float
    shown: TimeLeft
    position: int | None
    took_s: float
    taken_as: int


@dataclass(frozen=True, slots=True)
class _Question:
    uuid: str
    at_s: float
    estimated_s: float
    shown: TimeLeft
    position: int | None
    waiting: frozenset[str]


@dataclass(slots=True, eq=False)
class _InHand:
    """A claimed job. `work`: what no process has begun, the last first; `pages_left`: those that have not ended."""

    claim: Claim
    work: list[tuple[str, float]]
    pages_left: int
    running: int = 0


@dataclass(slots=True)
class _Worker:
    name: str
    processes: int
    in_hand: list[_InHand] = field(default_factory=list)
    latest_turn: dict[int, int] = field(default_factory=dict)


class Simulation:
    """Workers on a database of their own, in `file`, and documents that are sent to them."""

    def __init__(self, file: Path, documents: Sequence[Sent], worker_count: int, processes: int) -> None:
        self._engine = connect(f"sqlite:///{file}", 10.0)
        upgrade_schema(self._engine)
        event.listen(self._engine, "connect", _never_flush)
        self._engine.dispose()
        self._now_s = 0.0
        self._jobs = Jobs(_POLICY, self._clock)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order, self._turn = count(), count()
        self._workers = [_Worker(f"w{number}", processes) for number in range(worker_count)]
        self._documents = {str(UUID(int=number)): document for number, document in enumerate(documents)}
        self._waiting: set[str] = set()
        self._taken: list[str] = []
        self._ended_s: dict[str, float] = {}
        self._questions: list[_Question] = []

    def run(self) -> list[Asked]:
        """Until every document is read."""
        self._prepare()
        for uuid, document in self._documents.items():
            self._at(document.at_s, partial(self._send, uuid))
        while self._events:
            self._now_s, _, happen = heapq.heappop(self._events)
            happen()
            for worker in self._workers:
                self._top_up(worker)
        self._engine.dispose()
        places = {uuid: place for place, uuid in enumerate(self._taken)}
        return [self._answered(question, places) for question in self._questions]

    def _answered(self, question: _Question, places: dict[str, int]) -> Asked:
        taken_as = sum(places[uuid] <= places[question.uuid] for uuid in question.waiting)
        took_s = self._ended_s[question.uuid] - question.at_s
        return Asked(question.estimated_s, question.shown, question.position, took_s, taken_as)

    def _prepare(self) -> None:
        with transaction(Session(self._engine), Begin.WRITE) as session:
            for user in sorted({document.user for document in self._documents.values()}):
                session.add(User(id=user, name=f"u{user}", password_hash="-", is_admin=False, created_us=0))  # noqa: S106 - opens nothing
            for worker in self._workers:
                workers.report(session, worker.name, "1", "simulated", ("eng",), worker.processes)
            session.flush()
            session.execute(update(Worker).values(seen_us=Worker.seen_us + _ALWAYS_US))  # none of them dies

    def _clock(self) -> ColumnElement[int]:
        return bindparam(
            None, type_=BigInteger, callable_=lambda: _START_US + round(self._now_s * 1_000_000), unique=True
        )

    def _at(self, at_s: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at_s, next(self._order), happen))

    def _send(self, uuid: str) -> None:
        submission = Submission(uuid, self._documents[uuid].user, "scan.pdf", "application/pdf", 1, {})
        with transaction(Session(self._engine), Begin.WRITE) as session:
            self._jobs.submit(session, submission)
        self._waiting.add(uuid)
        self._ask(uuid)

    def _ask(self, uuid: str) -> None:
        if uuid in self._ended_s:
            return
        with transaction(Session(self._engine), Begin.READ) as session:
            job = get_job(session, self._documents[uuid].user, uuid)
            before, pace = find_before(session, job), recent_pace(session, self._clock())
        said = outlook(job, before, pace)
        if pace.page_s is not None and said.time_left is not None:
            estimated_s, waiting = seconds_left(job, before, pace, pace.page_s), frozenset(self._waiting)
            self._questions.append(_Question(uuid, self._now_s, estimated_s, said.time_left, said.position, waiting))
        self._at(self._now_s + _ASK_EVERY_S, partial(self._ask, uuid))

    def _top_up(self, worker: _Worker) -> None:
        if worker.in_hand and len(worker.in_hand) <= 2 * worker.processes:
            self._claim(worker, [job.claim.user_id for job in worker.in_hand])
        while sum(job.running for job in worker.in_hand) < worker.processes:
            job = self._next_job(worker) or self._claim(worker, [])
            if job is None:
                return
            self._start(worker, job)

    def _next_job(self, worker: _Worker) -> _InHand | None:
        running: dict[int, int] = {}
        for job in worker.in_hand:
            running[job.claim.user_id] = running.get(job.claim.user_id, 0) + job.running
        ready = [job for job in worker.in_hand if job.work]
        return min(
            ready,
            key=lambda job: (running[job.claim.user_id], worker.latest_turn.get(job.claim.user_id, 0)),
            default=None,
        )

    def _claim(self, worker: _Worker, except_users: list[int]) -> _InHand | None:
        if not self._waiting:
            return None
        with transaction(Session(self._engine), Begin.CLAIM) as session:
            claim = self._jobs.claim_next(session, worker.name, except_users)
        if claim is None:
            return None
        self._waiting.remove(claim.lease.job_uuid)
        self._taken.append(claim.lease.job_uuid)
        job = _InHand(claim, [("open", _OPEN_S)], len(self._documents[claim.lease.job_uuid].page_s))
        worker.in_hand.append(job)
        return job

    def _start(self, worker: _Worker, job: _InHand) -> None:
        worker.latest_turn[job.claim.user_id] = next(self._turn)
        what, takes_s = job.work.pop()
        job.running += 1
        self._at(self._now_s + takes_s, partial(self._ended, worker, job, what))

    def _ended(self, worker: _Worker, job: _InHand, what: str) -> None:
        job.running -= 1
        page_s = self._documents[job.claim.lease.job_uuid].page_s
        with transaction(Session(self._engine), Begin.WRITE) as session:
            if what == "open":
                self._jobs.set_page_count(session, job.claim.lease, len(page_s))
                job.work = [("page", takes_s) for takes_s in page_s]
            elif what == "page":
                self._jobs.adopt_page(session, job.claim.lease, job.pages_left)
                job.pages_left -= 1
                job.work += [("write", _WRITE_S)] if not job.pages_left else []
            else:
                self._jobs.finish(session, job.claim.lease)
                worker.in_hand.remove(job)
                self._ended_s[job.claim.lease.job_uuid] = self._now_s


def _never_flush(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


def documents(job_count: int, seed: int, users: int = 6, every_s: float = 12.0) -> list[Sent]:
    """Most have one page, some dozens. One user sends twenty at once, now and then; a page takes 2 s more or less, by document."""
    rng = random.Random(seed)
    sent: list[Sent] = []
    at_s = 0.0
    while len(sent) < job_count:
        at_s += rng.expovariate(1 / every_s)
        is_heap = rng.random() < 0.05
        user = 1 if is_heap else rng.randint(2, users)
        for _ in range(20 if is_heap else 1):
            pages = rng.choices((1, rng.randint(2, 8), rng.randint(20, 60)), (60, 33, 7))[0]
            mean_s = rng.lognormvariate(0.7, 0.4)
            sent.append(Sent(at_s, user, tuple(mean_s * rng.lognormvariate(0, 0.2) for _ in range(pages))))
    return sent[:job_count]


@dataclass(frozen=True, slots=True)
class Summary:
    """Of many questions. Errors as parts of what it took."""

    questions: int
    median_error: float
    within: float
    late: float
    median_place_error: float
    places_kept: float


def summed_up(asked: Sequence[Asked]) -> Summary:
    """Of questions about jobs that took at least five seconds more: below, the estimate says no more than that."""
    errors = [abs(one.estimated_s - one.took_s) / one.took_s for one in asked if one.took_s >= 5]
    placed = [(one.position, one.taken_as) for one in asked if one.position is not None]
    return Summary(
        questions=len(asked),
        median_error=statistics.median(errors),
        within=statistics.mean(one.shown.least_s <= one.took_s <= one.shown.most_s for one in asked),
        late=statistics.mean(one.took_s > one.shown.most_s for one in asked),
        median_place_error=statistics.median(abs(said - came) / came for said, came in placed),
        places_kept=statistics.mean(came <= said for said, came in placed),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    print(
        "workers x processes, seed | asked | median error | within the range | later | median error of place | place kept"
    )
    for worker_count, processes in ((1, 2), (1, 4), (3, 2)):
        for seed in range(1, arguments.seeds + 1):
            every_s = 45.0 / (worker_count * processes)
            with tempfile.TemporaryDirectory() as folder:
                sent = documents(arguments.jobs, seed, every_s=every_s)
                one = summed_up(Simulation(Path(folder) / "queue.db", sent, worker_count, processes).run())
            print(
                f"{worker_count} x {processes}, {seed} | {one.questions:,} | {one.median_error:.0%} | {one.within:.0%} | "
                f"{one.late:.0%} | {one.median_place_error:.0%} | {one.places_kept:.0%}"
            )


if __name__ == "__main__":
    main()
