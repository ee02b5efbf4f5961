"""Database work of requests: always in the hub's thread pool, because SQLite is C and would block every other greenlet.

Operations return values, never rows, so nothing refers to a session once its transaction has ended, and no request holds a
connection while it waits.
"""

from collections.abc import Callable
from contextvars import copy_context
from typing import Concatenate, ParamSpec, TypeVar

import gevent
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Session

from models import Base
from recto.database import Begin, transaction

_P = ParamSpec("_P")
_T = TypeVar("_T")
Operation = Callable[Concatenate[Session, _P], _T]

db = SQLAlchemy(model_class=Base)


def in_thread(function: Callable[[], _T]) -> _T:
    """Run something that blocks the hub (SQLite, fsync, password hashing) in gevent's thread pool; other greenlets go on.

    The context is copied, so the application context, and with it Flask-SQLAlchemy's session, is the request's.
    """
    result: _T = gevent.get_hub().threadpool.apply(copy_context().run, (function,))
    return result


def read(operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run `operation(session, ...)` in a reading transaction."""
    return in_thread(lambda: run(Begin.READ, operation, *args, **kwargs))


def write(operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run `operation(session, ...)` in a writing transaction; it is committed, durably, when this returns."""
    return in_thread(lambda: run(Begin.WRITE, operation, *args, **kwargs))


def run(begin: Begin, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The same for code that is in the thread pool already."""
    with transaction(db.session(), begin) as session:
        return operation(session, *args, **kwargs)
