"""Numbers of changes: every write to a job takes the next one, so that "what changed since N" is one look at an index.

Whoever has taken one holds up all others who write to jobs until the commit. What else a transaction waits for, it locks before.
"""

from typing import Final, cast

from sqlalchemy import CTE, Table, bindparam, select, update
from sqlalchemy.orm import Session

from models import ChangeCounter

_COUNTER: Final = cast(Table, ChangeCounter.__table__).c.value
_TAKE: Final = (
    update(cast(Table, ChangeCounter.__table__)).values(value=_COUNTER + bindparam("count")).returning(_COUNTER)
)
_HOLD: Final = select(_COUNTER).with_for_update()


def next_change(session: Session, count: int = 1) -> int:
    """Take the next numbers; gives the last of them. The counter's row is locked until the commit, so numbers become visible in their order."""
    return cast(int, session.execute(_TAKE, {"count": count}).scalar_one())


def take_change() -> CTE:
    """The same number as a part of one statement, of which it has the column `value`. PostgreSQL alone has such parts."""
    return update(_COUNTER.table).values(value=_COUNTER + 1).returning(_COUNTER).cte("number")


def hold_changes(session: Session) -> None:
    """Let nobody else write to jobs until the commit, without a write."""
    session.execute(_HOLD)
