"""How many jobs ended in each hour, and how: counted as they end (recto/jobs.py), for administrators to look back on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from models import JobTally
from recto.database.connections import Clock, NowMicroseconds, utc

HOUR_US: Final = 3_600_000_000
FINISHED: Final = "finished"
ANSWERED: Final = "answered"
"""Of jobs that got the result of an earlier one: nothing was read for them."""
KEPT_HOURS: Final = 24 * 366


@dataclass(frozen=True, slots=True)
class Tally:
    """The jobs that ended in the hour from `hour` on with this outcome, and their pages that were read. A failure's outcome is its code."""

    hour: datetime
    outcome: str
    jobs: int
    pages: int

    @property
    def is_failure(self) -> bool:
        """Whether Recto could not do what was asked. Who cancels a job does not want it any more."""
        return self.outcome not in (FINISHED, ANSWERED, "cancelled")


def count_end(session: Session, ended_us: int, outcome: str, pages: int) -> None:
    """Count a job that ended, in its transaction, which holds the row of ChangeCounter: nobody else counts at the same time."""
    hour_us = ended_us - ended_us % HOUR_US
    counted = session.execute(_COUNT_END, {"in_hour": hour_us, "so": outcome, "read": pages})
    if cast(CursorResult[Any], counted).rowcount:
        return
    session.execute(insert(JobTally).values(hour_us=hour_us, outcome=outcome, jobs=1, pages=pages))
    session.execute(delete(JobTally).where(JobTally.hour_us < hour_us - KEPT_HOURS * HOUR_US))


# Built once, and on the table: every job runs it.
_ROWS: Final = cast(Table, JobTally.__table__)
_COUNT_END: Final = (
    update(_ROWS)
    .where(_ROWS.c.hour_us == bindparam("in_hour"), _ROWS.c.outcome == bindparam("so"))
    .values(jobs=_ROWS.c.jobs + 1, pages=_ROWS.c.pages + bindparam("read"))
)


def list_tallies(session: Session, hours: int, clock: Clock = NowMicroseconds) -> list[Tally]:
    """Those of the last so many hours, with the present one, oldest first. Reads these rows and no others."""
    now_us = session.scalars(select(clock())).one()
    since_us = now_us - now_us % HOUR_US - (hours - 1) * HOUR_US
    rows = session.scalars(
        select(JobTally).where(JobTally.hour_us >= since_us).order_by(JobTally.hour_us, JobTally.outcome)
    )
    return [Tally(utc(row.hour_us), row.outcome, row.jobs, row.pages) for row in rows]
