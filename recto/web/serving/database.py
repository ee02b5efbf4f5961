"""Database work of requests: always in the hub's thread pool, because SQLite is C and would block every other greenlet.

PostgreSQL's driver would let them go on, but building statements and reading rows takes as long as before, so it has its place here too.

Operations return values, never rows, so nothing refers to a session once its transaction has ended, and no request holds a
connection while it waits.
"""

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from enum import Enum
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import gevent
from flask_sqlalchemy import SQLAlchemy
from gevent.hub import Hub
from gevent.lock import BoundedSemaphore
from sqlalchemy.orm import Session

from models import Base
from recto.database.connections import Begin, transaction

_P = ParamSpec("_P")
_T = TypeVar("_T")
Operation = Callable[Concatenate[Session, _P], _T]

db = SQLAlchemy(model_class=Base)


class Lane(Enum):
    """How many of a hub's ten threads a kind of work may take, so that no kind blocks another."""

    READ = 4
    """What is quick. More at once is slower: threads that compete for the interpreter make arriving clients wait twice as long."""
    DISK = 5
    """What may wait for the disk."""
    WRITE = 1
    """What writes to the database, which lets one write to jobs at a time: who waits for its turn here takes no thread, and does not
    sleep through it as SQLite's busy handler does."""


# One set for each hub: a program has one hub, but tests have one for each of their threads.
_lanes: WeakKeyDictionary[Hub, dict[Lane, BoundedSemaphore]] = WeakKeyDictionary()


def in_thread(function: Callable[[], _T], lane: Lane = Lane.READ) -> _T:
    """Run something that blocks the hub (SQLite, fsync, password hashing) in gevent's thread pool; other greenlets go on.

    The context is copied, so the application context, and with it Flask-SQLAlchemy's session, is the request's.
    """
    # An error is handed over as a value: gevent prints the traceback of one that leaves a thread, expected or not.
    hub = gevent.get_hub()
    lanes = _lanes.setdefault(hub, {kind: BoundedSemaphore(kind.value) for kind in Lane})
    with lanes[lane]:
        outcome: _T | _Raised = hub.threadpool.apply(copy_context().run, (_outcome, function))
    if isinstance(outcome, _Raised):
        raise outcome.error
    return outcome


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


def _outcome(function: Callable[[], _T]) -> _T | _Raised:
    try:
        return function()
    except Exception as error:  # noqa: BLE001 - raised again in the greenlet that waits for it
        return _Raised(error)


def read(operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run `operation(session, ...)` in a reading transaction."""
    return in_thread(lambda: run(Begin.READ, operation, *args, **kwargs))


def write(operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run `operation(session, ...)` in a writing transaction; it is committed, durably, when this returns."""
    return in_thread(lambda: run(Begin.WRITE, operation, *args, **kwargs), Lane.WRITE)


def run(begin: Begin, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The same for code that is in the thread pool already."""
    with transaction(db.session(), begin) as session:
        return operation(session, *args, **kwargs)
