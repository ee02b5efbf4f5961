"""Python imports this at its start where this folder is on PYTHONPATH: the process then lives by a clock that the chaos run sets.

The clock is the machine's plus the seconds that the file CHAOS_CLOCK holds: for `julianday('now')` of SQLite, by which leases, retries
and sessions live, and for `time.time`. The monotonic clock stays as it is, as it does where an administrator sets the time.
"""

import os
import sqlite3
import sqlite3.dbapi2
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_UNIX_EPOCH_JD = 2440587.5
_CLOCK = Path(os.environ["CHAOS_CLOCK"])
_machine_time: Callable[[], float] = time.time
_connect: Callable[..., sqlite3.Connection] = sqlite3.dbapi2.connect


def _time() -> float:
    return _machine_time() + float(_CLOCK.read_text(encoding="ascii"))


def _julianday(moment: str) -> float:
    if moment != "now":
        raise ValueError(f"the clock of the chaos run knows no {moment!r}")
    return _UNIX_EPOCH_JD + _time() / 86400.0


def _connect_by_the_clock(*arguments: Any, **options: Any) -> sqlite3.Connection:
    connection = _connect(*arguments, **options)
    connection.create_function("julianday", 1, _julianday)
    return connection


time.time = _time
for module in (sqlite3, sqlite3.dbapi2):
    vars(module)["connect"] = _connect_by_the_clock
