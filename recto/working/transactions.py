"""An operation in a transaction of its own, for work that does many small ones."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar

from sqlalchemy.orm import Session, sessionmaker

from recto.database.connections import Begin, transaction

_P = ParamSpec("_P")
_T = TypeVar("_T")
Operation: TypeAlias = Callable[Concatenate[Session, _P], _T]


class Transactions:
    """Calls an operation with a session, and commits."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def read(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """One that changes nothing."""
        with transaction(self._sessions(), Begin.READ) as session:
            return operation(session, *args, **kwargs)

    def write(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """One that changes something."""
        with transaction(self._sessions(), Begin.WRITE) as session:
            return operation(session, *args, **kwargs)
