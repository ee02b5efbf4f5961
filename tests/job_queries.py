"""What is asked about jobs, and done to them, by name: for tests that look at the plans of the queries."""

from collections.abc import Callable

from models import JobStatus
from recto.expired_leases import ExpiryWatch
from recto.records.file_references import FileReferences
from recto.views.jobs import JobFilter, changes_after, changes_wanted, get_job, list_jobs
from tests.conftest import POLICY, START_US, JobTable, new_submission

REFERENCES = FileReferences()
ENDED = {JobStatus.FINISHED, JobStatus.FAILURE}


def wanted(statuses: set[JobStatus]) -> JobFilter:
    return JobFilter(frozenset(statuses), 5, START_US + 5)


ACTIONS: dict[str, Callable[[JobTable, int], object]] = {
    "submit": lambda table, user: table.do(table.jobs.submit, new_submission(user)),
    "claim": lambda table, user: table.claim(),
    "has_claimable": lambda table, user: table.read(table.jobs.has_claimable),
    "list": lambda table, user: table.read(list_jobs, user, 50, (START_US, "f")),
    "job page": lambda table, user: table.read(get_job, user, table.submit(user)),
    "changes": lambda table, user: table.read(changes_after, 0),
    "changes of a user": lambda table, user: table.read(changes_after, 0, user),
    "changes that are wanted": lambda table, user: table.read(changes_wanted, 0, lambda *_: True),
    "still_held": lambda table, user: table.read(table.jobs.still_held, [table.claim().lease]),
    "requeue_expired": lambda table, user: table.do(table.jobs.requeue_expired, [table.claim().lease]),
    "requeue_of_dead": lambda table, user: table.do(table.jobs.requeue_of_dead, [table.claim().lease.worker]),
    "sweep: references": lambda table, user: table.read(REFERENCES.of_jobs, [table.submit(user)]),
    "sweep: next jobs": lambda table, user: table.read(REFERENCES.jobs_after, ""),
    "sweep: has_job": lambda table, user: table.read(REFERENCES.has_job, table.submit(user)),
    "sweep: deletions": lambda table, user: table.read(REFERENCES.deletions_with_files),
    "list of the ended": lambda table, user: table.read(list_jobs, user, 50, (START_US, "f"), wanted(ENDED)),
    "list of the others": lambda table, user: table.read(
        list_jobs, user, 50, (START_US, "f"), wanted(set(JobStatus) - ENDED)
    ),
    "list by tags": lambda table, user: table.read(
        list_jobs, user, 50, (START_US, "f"), JobFilter(frozenset(ENDED), 5, tags=("a", "b"))
    ),
    "list by time": lambda table, user: table.read(list_jobs, user, 50, None, JobFilter(frozenset(), 5, START_US)),
    "expired": lambda table, user: table.read(ExpiryWatch(POLICY, table.clock).expired, 0.0),
    "cancel": lambda table, user: table.do(table.jobs.cancel, user, table.claim().lease.job_uuid),
    "heartbeat": lambda table, user: table.do(table.jobs.heartbeat, [table.claim().lease]),
    "finish": lambda table, user: table.do(table.jobs.finish, table.claim().lease),
    "delete": lambda table, user: table.do(table.jobs.delete, user, table.claim().lease.job_uuid),
}
