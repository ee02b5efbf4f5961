"""Which jobs the list shows: `?status=`, `?created_after=`, `?created_before=`, `?tag=`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import request

from models import JobStatus
from recto.errors import OptionInvalid
from recto.records.job_details import parse_tags
from recto.views.jobs import JobFilter
from recto.web.openapi.described import Parameter
from recto.web.openapi.option_schema import TAGS_SCHEMA

_NAMES: Final = "|".join(JobStatus)
_STATUS: Final = "status"
_CREATED_AFTER: Final = "created_after"
_CREATED_BEFORE: Final = "created_before"
_TAG: Final = "tag"
_MOMENT: Final = {"type": "string", "format": "date-time", "examples": ["2026-11-23T18:24:02Z"]}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

FILTERS: Final = (
    Parameter(
        _STATUS,
        "Jobs of this status; of several, joined by `+`",
        {"type": "string", "pattern": f"^({_NAMES})([+, ]+({_NAMES}))*$", "examples": ["QUEUED+IN_PROGRESS"]},
    ),
    Parameter(_CREATED_AFTER, "Jobs that were submitted later than this", _MOMENT),
    Parameter(_CREATED_BEFORE, "Jobs that were submitted earlier than this", _MOMENT),
    Parameter(_TAG, "Jobs with this tag; with all of several, each given for itself", TAGS_SCHEMA),
)


def given_filters() -> dict[str, Any]:
    """The filters of the query as they were given. An empty one is none that could be meant: `?status=$UNSET` shall not list all."""
    given: dict[str, Any] = {
        one.name: "+".join(request.args.getlist(one.name)) for one in FILTERS if one.name in request.args
    }
    return given | ({_TAG: request.args.getlist(_TAG)} if _TAG in request.args else {})


def parse_filters(given: dict[str, Any]) -> JobFilter:
    """OptionInvalid, saying what is right, where one is wrong."""
    return JobFilter(
        statuses=frozenset(map(_parse_status, re.split(r"[+,\s]+", given[_STATUS])))
        if _STATUS in given
        else frozenset(),
        created_after_us=_parse_moment(_CREATED_AFTER, given.get(_CREATED_AFTER)),
        created_before_us=_parse_moment(_CREATED_BEFORE, given.get(_CREATED_BEFORE)),
        tags=_parse_tags(given.get(_TAG)),
    )


def _parse_status(given: str) -> JobStatus:
    if given not in JobStatus.__members__:
        raise OptionInvalid(f"There is no status '{given}'. Ask for one or more of: {', '.join(JobStatus)}.")
    return JobStatus(given)


def _parse_tags(given: Sequence[str] | None) -> tuple[str, ...]:
    """An empty tag is one that no job has."""
    return () if given is None else parse_tags(given) or ("",)


def _parse_moment(name: str, given: str | None) -> int | None:
    """Microseconds since 1970. A '+' in a query string arrives as a space."""
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given.replace(" ", "+"))
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError) as error:  # TypeError: it has no zone
        raise OptionInvalid(
            f"'{name}' has to be a time with its zone, such as 2026-11-23T18:24:02Z; it is '{given}'."
        ) from error
