"""Many at once on one database, each through connections of its own, as several Backends and Workers are: what only one may do, one does."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import sessionmaker

from models import Job, JobEvent, User
from recto import accounts
from recto.database.connections import connect
from recto.errors import (
    IdempotencyKeyInUse,
    JobNotFound,
    LeaseLost,
    NotSignedIn,
    RectoError,
    TooManySignIns,
    UserExists,
    UserHasJobs,
    UserQueueFull,
)
from recto.jobs import Lease, Submission
from recto.records import derivations
from recto.records.idempotency import IdempotencyKeys, KeyedRequest
from recto.records.job_details import change_details
from recto.records.job_events import events_after
from recto.users.sign_ins import SignInLimits, begin_attempt
from recto.views.jobs import changes_after
from recto.web.sign_in.first_admin import ensure_first_admin
from tests.conftest import POLICY, JobTable, new_submission

pytestmark = pytest.mark.each_database
_T = TypeVar("_T")
CROWD = 8


def at_once(table: JobTable, work: Callable[[JobTable, int], _T], crowd: int = CROWD) -> list[_T | Exception]:
    """What `work` gives, or the error that it ends with, for so many that begin in the same moment."""
    start = threading.Barrier(crowd)

    def one(number: int) -> _T | Exception:
        own = JobTable(
            connect(table.engine.url.render_as_string(hide_password=False), 30.0), table.clock, table.jobs.policy
        )
        try:
            own.read(lambda session: session.scalar(select(1)))
            start.wait()
            return work(own, number)
        except (RectoError, IntegrityError) as error:
            return error
        finally:
            own.engine.dispose()

    with ThreadPoolExecutor(crowd) as pool:
        return list(pool.map(one, range(crowd)))


def kinds(outcomes: Sequence[object]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def test_claims_of_many_at_once_give_each_job_to_one_the_oldest_first(table: JobTable, ann: int, bob: int) -> None:
    submitted = []
    for number in range(30):
        table.clock.move(1)
        submitted.append(table.submit((ann, bob)[number % 2]))

    def claim_all(own: JobTable, number: int) -> list[str]:
        claimed = []
        while claim := own.try_claim(str(number)):
            claimed.append(claim.lease.job_uuid)
        return claimed

    outcomes = at_once(table, claim_all)
    claimed = [uuid for uuids in outcomes if isinstance(uuids, list) for uuid in uuids]
    assert sorted(claimed) == sorted(submitted)
    place = {uuid: number for number, uuid in enumerate(submitted)}
    for uuids in outcomes:
        assert isinstance(uuids, list)
        for user in (0, 1):  # of one user, each gets them in their order
            of_user = [place[uuid] for uuid in uuids if place[uuid] % 2 == user]
            assert of_user == sorted(of_user)


def test_same_key_at_once_makes_one_job(table: JobTable, ann: int) -> None:
    keys = IdempotencyKeys(3600, table.clock)
    request = KeyedRequest(ann, "a key", "0" * 64)

    def submit(own: JobTable, _number: int) -> str:
        submission = new_submission(ann)

        def record(session: Any) -> str:
            own.jobs.submit(session, submission)
            keys.record(session, request, submission.uuid)
            return submission.uuid

        return own.do(record)

    outcomes = at_once(table, submit, crowd=50)
    assert kinds(outcomes) == {"str": 1, IdempotencyKeyInUse.__name__: 49}
    (made,) = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert table.read(keys.find, request) == made
    assert table.row(made) is not None


def test_users_queue_at_once_takes_no_more_than_it_may(table: JobTable, ann: int) -> None:
    table.jobs.policy = replace(POLICY, max_unfinished_per_user=5)
    outcomes = at_once(table, lambda own, _: own.submit(ann), crowd=20)
    assert kinds(outcomes) == {"str": 5, UserQueueFull.__name__: 15}


def test_expired_lease_is_taken_away_once(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    outcomes = at_once(table, lambda own, _: own.do(own.jobs.requeue_expired, [lease]))
    assert sum(len(outcome) for outcome in outcomes if isinstance(outcome, list)) == 1
    assert table.statuses(uuid) == ["QUEUED", "IN_PROGRESS", "QUEUED"]


def test_jobs_of_a_dead_worker_are_taken_away_once(table: JobTable, ann: int) -> None:
    uuids = [table.submit(ann) for _ in range(10)]
    for _ in uuids:
        table.claim("dead")
    outcomes = at_once(table, lambda own, _: own.do(own.jobs.requeue_of_dead, ["dead"]))
    taken = [lease.job_uuid for outcome in outcomes if isinstance(outcome, list) for lease in outcome]
    assert sorted(taken) == sorted(uuids)


def test_first_user_is_made_once(table: JobTable, tmp_path: Path) -> None:
    def ensure(own: JobTable, number: int) -> None:
        file = tmp_path / f"password-{number}"
        ensure_first_admin(sessionmaker(own.engine), "admin", "a long password", "http://localhost/", file)

    assert at_once(table, ensure) == [None] * CROWD
    assert table.read(lambda session: session.scalars(select(User.name)).all()) == ["admin"]


def test_user_of_one_name_is_made_once(table: JobTable) -> None:
    outcomes = at_once(table, lambda own, _: own.do(accounts.create_user, "carl", "-"))
    assert kinds(outcomes) == {"int": 1, UserExists.__name__: CROWD - 1}


def test_sign_ins_at_once_are_counted_together(table: JobTable) -> None:
    limits = SignInLimits(per_name=3, per_address=100, window_s=900)
    outcomes = at_once(table, lambda own, _: own.do(begin_attempt, limits, "ann", "203.0.113.7"), crowd=20)
    assert kinds(outcomes) == {"int": 3, TooManySignIns.__name__: 17}


def test_format_is_made_by_one_of_those_who_want_it(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    outcomes = at_once(table, lambda own, _: own.do(derivations.begin, uuid, "pdf", uuid4().hex, 20.0))
    assert Counter(outcomes) == {True: 1, False: CROWD - 1}


def test_user_who_is_removed_while_they_submit_loses_no_job(table: JobTable, ann: int) -> None:
    """Either the job is there and the user stays, or the user is gone and the job was refused."""

    def either(own: JobTable, number: int) -> str:
        if number:
            return own.submit(ann)
        own.do(accounts.delete_user, "ann")
        return "removed"

    outcomes = kinds(at_once(table, either))
    is_there = table.read(accounts.has_user, "ann")
    jobs = table.read(lambda session: session.scalar(select(func.count()).select_from(Job)))
    assert outcomes[UserHasJobs.__name__] == is_there
    assert (outcomes[NotSignedIn.__name__], jobs) == ((0, CROWD - 1) if is_there else (CROWD - 1, 0))


class Mixture:
    """One that does everything, in any order."""

    def __init__(self, own: JobTable, users: Sequence[int], seed: int) -> None:
        self.own = own
        self.users = users
        self.random = random.Random(seed)
        self.leases: list[Lease] = []
        self.unread: dict[Lease, list[int]] = {}
        self.uuids: list[str] = []

    def run(self, steps: int) -> int:
        actions = (self.submit, self.claim, self.claim, self.adopt, self.finish, self.hand_back, self.heartbeat)
        others = (self.cancel, self.delete, self.tag, self.take_away, self.answer)
        for _ in range(steps):
            with suppress(LeaseLost, JobNotFound):
                self.random.choice((*actions, *others))()
        return steps

    def submit(self) -> None:
        self.uuids.append(self.own.submit(self.random.choice(self.users)))

    def claim(self) -> None:
        if claim := self.own.try_claim(str(id(self))):
            self.leases.append(claim.lease)
            self.unread[claim.lease] = sorted({1, 2, 3} - claim.finished_pages)

    def adopt(self) -> None:
        """A page that no earlier attempt has finished, as a Worker does."""
        for lease in self.leases[-1:]:
            if unread := self.unread[lease]:
                self.own.do(self.own.jobs.adopt_page, lease, self.random.choice(unread))

    def finish(self) -> None:
        if self.leases:
            self.own.do(self.own.jobs.finish, self.leases.pop(), "1")

    def hand_back(self) -> None:
        if self.leases:
            self.own.do(self.own.jobs.hand_back, self.leases.pop(0))

    def heartbeat(self) -> None:
        lost = self.own.do(self.own.jobs.heartbeat, self.leases)
        self.leases = [lease for lease in self.leases if lease not in lost]

    def take_away(self) -> None:
        """Of whoever has it."""
        running = select(Job.uuid, Job.lease_token, Job.lease_worker).where(Job.lease_token.is_not(None))
        with self.own.sessions() as session:
            leases = [Lease(uuid, token or "", worker or "") for uuid, token, worker in session.execute(running)]
        self.own.do(self.own.jobs.requeue_expired, self.random.sample(leases, min(3, len(leases))))

    def any_job(self) -> tuple[int, str] | None:
        with self.own.sessions() as session:
            jobs = [(user, uuid) for user, uuid in session.execute(select(Job.user_id, Job.uuid))]
        return self.random.choice(jobs) if jobs else None

    def cancel(self) -> None:
        if job := self.any_job():
            self.own.do(self.own.jobs.cancel, *job)

    def delete(self) -> None:
        if job := self.any_job():
            self.own.do(self.own.jobs.delete, *job)

    def tag(self) -> None:
        if job := self.any_job():
            self.own.do(change_details, *job, tags=[self.random.choice("abc")], file_name="x")

    def answer(self) -> None:
        if job := self.any_job():
            submission: Submission = new_submission(job[0])
            self.own.do(self.own.jobs.submit_answered, submission, job[1], uuid4().hex)


def test_mixture_of_everything_never_waits_for_itself_and_hides_no_change(table: JobTable, ann: int, bob: int) -> None:
    """No deadlock among those who write; who follows by the numbers of changes misses nothing, since they become visible in their order."""
    table.jobs.policy = replace(POLICY, max_unfinished_per_user=10_000, max_unfinished=10_000, max_attempts=100)
    steps = 60
    writing = threading.Event()
    followed: list[tuple[int, str]] = []
    seen_changes: list[int] = []

    def follow() -> None:
        after = change = 0
        while True:
            is_last = not writing.is_set()
            events = table.read(events_after, ann, None, after, 1000)
            after = events[-1].id if events else after
            followed.extend((event.id, event.job_uuid) for event in events)
            reached = table.read(changes_after, change).change
            seen_changes.append(reached)
            change = reached
            if is_last and not events:
                return

    writing.set()
    follower = threading.Thread(target=follow)
    follower.start()
    outcomes = at_once(table, lambda own, number: Mixture(own, (ann, bob), number).run(steps))
    writing.clear()
    follower.join()
    assert outcomes == [steps] * CROWD
    with table.sessions() as session:
        there = session.execute(select(JobEvent.change, JobEvent.job_uuid).where(JobEvent.user_id == ann)).all()
    assert {tuple(row) for row in there} <= set(followed)
    assert seen_changes == sorted(seen_changes)
    for uuid in table.read(lambda session: session.scalars(select(Job.uuid)).all()):
        times = [entry.timestamp_us for entry in table.log(uuid)]
        assert times == sorted(set(times))
        assert table.job(uuid).status == table.log(uuid)[-1].status
