"""Holding a request until something happens: `?wait=SECONDS` and `Prefer: wait=SECONDS` (RFC 7240, section 4.3)."""

import time
from collections.abc import Callable

from flask import request
from werkzeug.http import parse_dict_header

from recto.changes import Deleted
from recto.errors import JobFailed, OptionInvalid
from recto.records.batches import BatchView, get_batch, has_ended
from recto.views.jobs import Changes, JobView, changes_after, get_job, job_not_found
from recto.web.services import services
from recto.web.serving.database import read
from recto.web.waiting.twins import answer_as_twin


def asked_wait_s() -> float:
    """Seconds that the query asks to wait, capped; 0 where it does not ask."""
    return _seconds(request.args.get("wait", "0"))


def preferred_wait_s() -> float | None:
    """Seconds that the Prefer header asks to wait, capped; None where it does not ask, or not understandably.

    A preference is no demand: one that cannot be met is ignored (RFC 7240, section 2).
    """
    preferences = {
        name.lower(): value
        for header in request.headers.getlist("Prefer")
        for name, value in parse_dict_header(header).items()
    }
    wait = preferences.get("wait")
    try:
        return _seconds(wait.partition(";")[0].strip(' "')) if wait is not None else None
    except OptionInvalid:
        return None


def wait_for_end(user_id: int, uuid: str, wait_s: float) -> JobView:
    """The job when it has ended, or as it is when the time is up. One look at the database, however long the wait."""
    return wait_for(user_id, uuid, wait_s, lambda job: job.status.is_final)


def wait_for_another(user_id: int, uuid: str, wait_s: float, is_known: Callable[[JobView], bool]) -> JobView:
    """The job as soon as it is not as the client knows it, also where it has ended; or as it is when the time is up."""
    return wait_for(user_id, uuid, wait_s, lambda job: not is_known(job))


def wait_for(user_id: int, uuid: str, wait_s: float, is_enough: Callable[[JobView], bool]) -> JobView:
    """The job as soon as it is enough, asked at each of its changes; or as it is when the time is up. JobNotFound."""
    if wait_s <= 0:
        return read(get_job, user_id, uuid)
    until = time.monotonic() + wait_s
    with services().feed.job(uuid) as subscription:
        job = read(get_job, user_id, uuid)
        while not is_enough(job) and not services().feed.is_stopping:
            remaining_s = until - time.monotonic()
            if remaining_s <= 0:
                break
            news = subscription.wait(remaining_s)
            if isinstance(news, Deleted):
                raise job_not_found()
            job = news or job
            if news is not None and is_enough(job):
                answer_as_twin(job)
    return job


def wait_for_success(user_id: int, uuid: str, wait_s: float) -> JobView:
    """The same for who wants what the job has made: JobFailed where there will be nothing."""
    job = wait_for_end(user_id, uuid, wait_s)
    if job.reason is not None:
        raise JobFailed(f"The job failed, so it has no result. {job.reason.detail}", reason=job.reason.code)
    return job


def wait_for_change(user_id: int, change: int, wait_s: float) -> Changes:
    """What changed among the user's jobs after `change`; empty when the time is up first."""
    if wait_s <= 0:
        return read(changes_after, change, user_id)
    until = time.monotonic() + wait_s
    with services().feed.user(user_id) as subscription:
        changes = read(changes_after, change, user_id)
        while not (changes.jobs or changes.deleted) and not services().feed.is_stopping:
            remaining_s = until - time.monotonic()
            if remaining_s <= 0:
                break
            if subscription.wait(remaining_s) is not None:
                changes = read(changes_after, change, user_id)
    return changes


def wait_for_batch(user_id: int, uuid: str, wait_s: float) -> BatchView:
    """The batch when all of its jobs have ended, or as it is when the time is up."""
    batch, until = read(get_batch, user_id, uuid), time.monotonic() + wait_s
    if batch.has_ended or wait_s <= 0:
        return batch
    with services().feed.user(user_id) as subscription:
        while not read(has_ended, uuid) and not services().feed.is_stopping:
            remaining_s = until - time.monotonic()
            if remaining_s <= 0:
                break
            subscription.wait(remaining_s)
    return read(get_batch, user_id, uuid)


def _seconds(given: str) -> float:
    try:
        wait_s = float(given)
    except ValueError:
        wait_s = -1.0
    if not 0 <= wait_s < float("inf"):
        raise OptionInvalid(f"'{given}' is no time to wait. Give seconds, such as wait=30.")
    return min(wait_s, services().limits.max_wait_s)
