"""Every error that the client raises on purpose.

    RectoError
    ├── NotReachable        no answer, for as long as the client had patience
    ├── Problem             Recto's answer says what is wrong (RFC 9457); decide by `code`
    │   ├── NotSignedIn     401: the token is unknown, revoked or expired
    │   ├── NotAllowed      403: the token lacks a scope
    │   ├── NotFound        404
    │   ├── JobFailed       409: the result of a job that failed; `code` is job_failed, members["reason"] says why
    │   └── Busy            trying again later may succeed: 429, 502, 503, 504, 507, 409 with Retry-After, and a document
    │                       that did not arrive as it was sent
    ├── UnexpectedAnswer    whatever answered is no Recto
    ├── DigestMismatch      what arrived is not what was sent
    ├── DocumentChanged     the document was written to while it was being sent
    └── WaitTimeout         the job did not end in the time that the caller gave it

The message is a sentence that says what to do next.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

_BUSY: Final = frozenset({429, 502, 503, 504, 507})
_DAMAGED_ON_THE_WAY: Final = frozenset({"content_digest_wrong", "upload_incomplete"})
_PROBLEM_TYPE: Final = "application/problem+json"


class RectoError(Exception):
    """Base of the tree."""


class NotReachable(RectoError):
    """Nothing answers at the address, or connections break off."""


class Problem(RectoError):
    """An answer that says what is wrong. `members` are all of its members, `retry_after_s` when to try again, where it says so."""

    def __init__(self, members: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.members = members
        self.status = int(members["status"])
        self.code = str(members["code"])
        self.title = str(members["title"])
        self.detail = str(members["detail"])
        self.retry_after_s = retry_after_s
        super().__init__(self.detail)


class NotSignedIn(Problem):
    """The token is unknown, revoked or expired."""


class NotAllowed(Problem):
    """The token lacks a scope."""


class NotFound(Problem):
    """No such job, page or file among yours."""


class JobFailed(Problem):
    """The job failed and has no result."""


class Busy(Problem):
    """Recto cannot now; later it may."""


class UnexpectedAnswer(RectoError):
    """The answer is none of Recto's."""


class DigestMismatch(RectoError):
    """What arrived is not what was sent."""


class DocumentChanged(RectoError):
    """The document was written to while it was being sent."""


class WaitTimeout(RectoError):
    """The job did not end in time."""


def problem_from(response: httpx.Response) -> Problem | UnexpectedAnswer:
    """The error that an answer of 400 or more stands for. Its body must have been read."""
    retry_after_s = retry_after(response)
    status = response.status_code
    members = _members(response)
    if members is None:
        if status not in _BUSY:  # a proxy in front of Recto says so in words of its own
            return UnexpectedAnswer(
                f"{response.url.copy_with(query=None)} answered {status} and not as Recto does. Check the address."
            )
        title = HTTPStatus(status).phrase
        members = {"status": status, "code": "busy", "title": title, "detail": f"{title}. Try again later."}
    return _kind(status, members, retry_after_s)(members, retry_after_s)


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of `Retry-After`, which may also be a date (RFC 9110, section 10.2.3); None without one that can be understood."""
    given = response.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _kind(status: int, members: Mapping[str, Any], retry_after_s: float | None) -> type[Problem]:
    is_arriving = status == HTTPStatus.CONFLICT and retry_after_s is not None
    if status in _BUSY or is_arriving or members["code"] in _DAMAGED_ON_THE_WAY:
        return Busy
    if members["code"] == "job_failed":
        return JobFailed
    by_status: dict[int, type[Problem]] = {401: NotSignedIn, 403: NotAllowed, 404: NotFound}
    return by_status.get(status, Problem)


def _members(response: httpx.Response) -> dict[str, Any] | None:
    """The members of a problem that has those that Recto's have; None of anything else."""
    if response.headers.get("Content-Type", "").partition(";")[0].strip() != _PROBLEM_TYPE:
        return None
    try:
        members = json.loads(response.content)
    except ValueError:
        return None
    is_whole = isinstance(members, dict) and {"status", "code", "title", "detail"} <= members.keys()
    return members if is_whole else None
