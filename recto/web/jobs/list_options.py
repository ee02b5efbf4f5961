"""Which documents the page's list shows, and in what order: `?status=&since=&tag=&sort=`, and where a further page of it begins."""

import time
from dataclasses import dataclass
from typing import Any, Final

from flask import request
from sqlalchemy.orm import Session

from models import JobStatus
from recto.errors import OptionInvalid
from recto.records.job_details import parse_tags
from recto.views.job_orders import Order, list_in_order
from recto.views.jobs import JobFilter, JobView, list_jobs
from recto.web.api import before, parse_before

DAYS: Final = (1, 7, 30, 365)
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What is in the address. `status`, `since_days` and `tag` are None for all; `place` is where a further page begins."""

    status: JobStatus | None = None
    since_days: int | None = None
    tag: str | None = None
    order: Order = Order.NEWEST
    place: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the list is the one that new documents come to the top of."""
        return self == ListOptions()

    @property
    def is_filtered(self) -> bool:
        """Whether there may be documents that it does not show."""
        return any(value is not None for value in (self.status, self.since_days, self.tag))

    def query(self) -> dict[str, Any]:
        """The address of the first page, without what says nothing."""
        values = {"status": self.status, "since": self.since_days, "tag": self.tag, "sort": self.order}
        return {name: value for name, value in values.items() if value not in (None, Order.NEWEST)}

    def list(self, session: Session, user_id: int, limit: int) -> list[JobView]:
        """The documents, of the page that begins at the place."""
        wanted = JobFilter(
            frozenset({self.status} if self.status else ()),
            None if self.since_days is None else time.time_ns() // 1000 - self.since_days * _DAY_US,
            tags=(self.tag,) if self.tag else (),
        )
        if self.order is Order.NEWEST:
            return list_jobs(session, user_id, limit, parse_before(self.place), wanted)
        return list_in_order(session, user_id, limit, self.order, self.place, wanted)

    def place_after(self, job: JobView) -> str:
        """Where the page after this job begins."""
        return before(job) if self.order is Order.NEWEST else job.uuid


def given_options() -> ListOptions:
    """OptionInvalid where one is wrong. An empty one is none: the form sends those that say nothing, too."""
    given = {name: request.args.get(name, "") for name in ("status", "since", "tag", "sort", "before")}
    if given["status"] not in ("", *JobStatus) or given["sort"] not in ("", *Order):
        raise OptionInvalid("There is no such list. Choose a status and an order from the page.")
    if given["since"] not in ("", *map(str, DAYS)):
        raise OptionInvalid(f"'since' is one of these numbers of days: {', '.join(map(str, DAYS))}.")
    return ListOptions(
        JobStatus(given["status"]) if given["status"] else None,
        int(given["since"]) if given["since"] else None,
        next(iter(parse_tags([given["tag"]])), None),
        Order(given["sort"] or Order.NEWEST),
        given["before"] or None,
    )
