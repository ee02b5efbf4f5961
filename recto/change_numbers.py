"""Numbers of changes: every write to a job takes the next one, so that "what changed since N" is one look at an index."""

from typing import Final, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from models import ChangeCounter

_COUNTER: Final = cast(Table, ChangeCounter.__table__).c.value
_TAKE: Final = (
    update(cast(Table, ChangeCounter.__table__)).values(value=_COUNTER + bindparam("count")).returning(_COUNTER)
)


def next_change(session: Session, count: int = 1) -> int:
    """Take the next numbers; gives the last of them. The counter's row is locked until the commit, so numbers become visible in their order."""
    return cast(int, session.execute(_TAKE, {"count": count}).scalar_one())
