"""The rows of one database in another: those that differ are written, those that are gone are removed, and all are compared by checksum.

Each thousand rows are a transaction of their own over there, so what was broken off goes on where it was. The source is read in one snapshot.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Connection, Engine, RowMapping, Table, delete, func, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import (
    AuditEvent,
    Base,
    ChangeCounter,
    Job,
    JobDerivation,
    JobStatusTransition,
    PageText,
    SignInAttempt,
    TextRemoval,
    User,
    Worker,
)
from recto.database.connections import Begin, transaction
from recto.errors import SettingsError
from recto.records.file_references import batches

_LEFT_HERE: Final = frozenset(
    cast(Table, model.__table__) for model in (Worker, SignInAttempt, JobDerivation, PageText, TextRemoval)
)
"""What is true of the old place alone: who is at work there. The index of words is made anew by the Workers of the new one."""
_ADDED_TO_ALONE: Final = frozenset(cast(Table, model.__table__) for model in (JobStatusTransition, AuditEvent))
"""Their rows never change: the database refuses it."""
_MADE_ANEW: Final[Mapping[Any, Any]] = {Job.__table__.c.text_indexed: False}
"""Columns that begin over there with a value of their own."""
_AT_ONCE: Final = 1000
_SUM_BYTES: Final = 32

Values: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class MovedTable:
    """What became of a table: its rows, how many of them had to be written or removed, and the checksums of both sides.

    A checksum is the sum of the SHA-256 of all rows, in hexadecimal digits: it does not depend on their order.
    """

    name: str
    rows: int
    written: int
    removed: int
    checksum: str
    checksum_there: str

    @property
    def is_equal(self) -> bool:
        """Whether the new table holds what the old one did."""
        return self.checksum == self.checksum_there


def copy_rows(source: Engine, target: Engine) -> Iterator[MovedTable]:
    """Make the target's tables equal to the source's, parents first. Both have the newest schema.

    SettingsError where the target is in use, or another Recto's: nothing is changed there.
    """
    with Session(source) as reading, transaction(reading, Begin.READ) as session:
        here = session.connection()
        _be_patient(here)
        _check_target(here, target)
        tables = [table for table in Base.metadata.sorted_tables if table not in _LEFT_HERE]
        removed = {table: _remove_gone(here, target, table) for table in tables}
        for table in tables:
            yield _copy_table(here, target, table, removed[table])


def _be_patient(here: Connection) -> None:
    """While the other side is written, and read back, this one has nothing to do: PostgreSQL would end it (recto/database/connections.py)."""
    if here.dialect.name == "postgresql":
        here.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def _check_target(here: Connection, target: Engine) -> None:
    users = cast(Table, User.__table__)
    counter = select(cast(Table, ChangeCounter.__table__).c.value)
    with target.connect() as there:
        known = set(map(tuple, here.execute(select(users.c.id, users.c.name, users.c.created_us))))
        strangers = [
            row.name
            for row in there.execute(select(users.c.id, users.c.name, users.c.created_us))
            if tuple(row) not in known
        ]
        is_used = there.scalar(select(func.count()).select_from(cast(Table, Worker.__table__)))
        is_newer = there.scalars(counter).one() > here.scalars(counter).one()
    if is_used or is_newer:
        raise SettingsError(
            "The new database has been in use already: what was done there would be lost. Name an empty one, or go on with that one."
        )
    if strangers:
        raise SettingsError(
            f"The new database has users of its own, such as '{strangers[0]}', and would lose them. Name an empty one."
        )


def _remove_gone(here: Connection, target: Engine, table: Table) -> int:
    """Remove what the source has no more. What belonged to it goes with it."""
    key = tuple_(*table.primary_key.columns)
    removed = 0
    with target.connect() as reading:
        keys = [tuple(row) for row in reading.execute(select(*table.primary_key.columns))]
    for some in batches(keys):
        left = set(map(tuple, here.execute(select(*table.primary_key.columns).where(key.in_(some)))))
        gone = [one for one in some if one not in left]
        if gone:
            with target.begin() as there:
                removed += there.execute(delete(table).where(key.in_(gone))).rowcount
    return removed


def _copy_table(here: Connection, target: Engine, table: Table, removed: int) -> MovedTable:
    rows = written = total = 0
    for some in _read(here, table):
        written += _write_different(target, table, some)
        rows += len(some)
        total = _added(total, map(_digest, some.values()))
    _go_on_counting(target, table)
    with target.connect() as there:
        total_there = reduce(_added, (map(_digest, some.values()) for some in _read(there, table)), 0)
    return MovedTable(table.name, rows, written, removed, _hexadecimal(total), _hexadecimal(total_there))


def _read(connection: Connection, table: Table) -> Iterator[dict[Key, Values]]:
    """All rows by their keys, some at a time."""
    with connection.execution_options(yield_per=_AT_ONCE).execute(select(table)) as result:
        for some in result.mappings().partitions():
            yield _by_key(table, some)


def _by_key(table: Table, rows: Iterable[RowMapping]) -> dict[Key, Values]:
    keys = [column.name for column in table.primary_key.columns]
    new = {column.name: value for column, value in _MADE_ANEW.items() if column.table is table}
    values = [dict(row) | new for row in rows]
    return {tuple(one[key] for key in keys): one for one in values}


def _write_different(target: Engine, table: Table, rows: Mapping[Key, Values]) -> int:
    """Write those of the rows that are not there, or otherwise; how many they were."""
    key = tuple_(*table.primary_key.columns)
    with target.begin() as there:
        old = _by_key(table, there.execute(select(table).where(key.in_(list(rows)))).mappings())
        different = [values for key, values in rows.items() if key not in old or _digest(old[key]) != _digest(values)]
        if different:
            there.execute(_upsert(target, table), different)
    return len(different)


def _upsert(target: Engine, table: Table) -> Any:
    """Rows are written over those with the same key. https://docs.sqlalchemy.org/en/20/dialects/postgresql.html#insert-on-conflict-upsert"""
    insert = (sqlite if target.dialect.name == "sqlite" else postgresql).insert(table)
    keys = set(table.primary_key.columns)
    changing = {column.name: insert.excluded[column.name] for column in table.columns if column not in keys}
    if table in _ADDED_TO_ALONE or not changing:
        return insert.on_conflict_do_nothing()
    return insert.on_conflict_do_update(index_elements=list(keys), set_=changing)


def _go_on_counting(target: Engine, table: Table) -> None:
    """Let PostgreSQL give the next row an id that none has."""
    column = table.autoincrement_column
    if target.dialect.name != "postgresql" or column is None:
        return
    with target.begin() as there:
        highest = there.scalar(select(func.max(column)))
        sequence = there.scalar(select(func.pg_get_serial_sequence(f'"{table.name}"', column.name)))
        if highest is not None and sequence is not None:
            there.execute(text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})


def _digest(values: Values) -> int:
    """Of a row. A NUL counts as what PostgreSQL has in its place (recto/database/connections.py)."""
    shown = json.dumps(
        [value.replace("\0", "\ufffd") if isinstance(value, str) else value for _, value in sorted(values.items())],
        sort_keys=True,
    )
    return int.from_bytes(hashlib.sha256(shown.encode()).digest())


def _added(total: int, digests: Iterable[int]) -> int:
    return (total + sum(digests)) % (1 << 8 * _SUM_BYTES)


def _hexadecimal(total: int) -> str:
    return f"{total:0{2 * _SUM_BYTES}x}"
