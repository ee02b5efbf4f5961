"""What a claim, a job's page and a list of jobs cost with many past jobs behind them.

    python -m benchmarks.queue_size [--few 1000] [--many 1000000] [--server postgresql+psycopg://recto@127.0.0.1:5432/postgres] [--json FILE]

Two databases, one with few and one with many finished jobs of ten users, a hundred waiting ones in both: files of SQLite, or databases that
are made on a server of PostgreSQL and removed again. The operations are timed in turns on the two; the table has medians in microseconds,
before it the plan of every query that the operations made.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, text
from sqlalchemy.orm import Session

from models import JobStatus, User
from recto.database.connections import Begin, connect, transaction, upgrade_schema
from recto.jobs import Jobs, Lease, QueuePolicy, Submission
from recto.settings import load_settings
from recto.views.jobs import JobFilter, get_job, list_jobs

USERS: Final = 10
WAITING: Final = 100
_BATCH: Final = 10_000
_OLD_US: Final = 1_700_000_000_000_000
_STATUSES: Final = (JobStatus.QUEUED, JobStatus.IN_PROGRESS, JobStatus.FINISHED)


class Table:
    """A database with `past` finished jobs, and operations on it."""

    def __init__(self, url: str, past: int, waiting: int = WAITING) -> None:
        self._past = past
        self.engine: Engine = connect(url, 120.0)
        self.jobs = Jobs(QueuePolicy(**load_settings({}).queue.model_dump()))
        upgrade_schema(self.engine)
        empty_bytes = size_bytes(self.engine)
        fill(self.engine, past)
        self.bytes_a_job = (size_bytes(self.engine) - empty_bytes) / past
        for number in range(waiting):
            self.write(
                self.jobs.submit,
                Submission(str(uuid4()), 1 + number % USERS, "letter.png", "image/png", 100_000, _options()),
            )
        self.past_uuid = str(UUID(int=past // 2))
        self._leases: list[Lease] = []

    def write(self, operation: Callable[..., Any], *arguments: Any, begin: Begin = Begin.WRITE) -> Any:
        """In a transaction of its own."""
        with transaction(Session(self.engine), begin) as session:
            return operation(session, *arguments)

    def claim(self) -> None:
        """And hand it back, so that there always is something to claim."""
        claim = self.write(self.jobs.claim_next, "bench", begin=Begin.CLAIM)
        self._leases.append(claim.lease)

    def hand_back(self) -> None:
        """Not timed."""
        for lease in self._leases:
            self.write(self.jobs.hand_back, lease)
        self._leases.clear()

    def job(self) -> None:
        """What a job's page reads."""
        self.write(get_job, 1 + (int(UUID(self.past_uuid)) % USERS), self.past_uuid, begin=Begin.READ)

    def list(self) -> None:
        """The first page of a user's list."""
        self.write(list_jobs, 1, 51, begin=Begin.READ)

    def deep(self) -> None:
        """One from the middle of the list."""
        middle = _OLD_US + self._past // 2 * 1_000_000
        self.write(list_jobs, 1, 51, (middle, "f"), begin=Begin.READ)

    def finished(self) -> None:
        """The same of the finished ones, within a time."""
        middle = _OLD_US + self._past // 2 * 1_000_000
        wanted = JobFilter(frozenset({JobStatus.FINISHED, JobStatus.FAILURE}), _OLD_US, middle + 10_000_000)
        self.write(list_jobs, 1, 51, (middle, "f"), wanted, begin=Begin.READ)

    def unfinished(self) -> None:
        """The jobs that have not ended."""
        wanted = JobFilter(frozenset({JobStatus.QUEUED, JobStatus.IN_PROGRESS}), _OLD_US)
        self.write(list_jobs, 1, 51, None, wanted, begin=Begin.READ)

    def look(self) -> None:
        """What an idle Worker asks."""
        self.write(self.jobs.has_claimable, [], begin=Begin.READ)


OPERATIONS: Final[dict[str, Callable[[Table], None]]] = {
    "claim": Table.claim,
    "job page": Table.job,
    "job list": Table.list,
    "middle of the list": Table.deep,
    "finished jobs": Table.finished,
    "unfinished jobs": Table.unfinished,
    "look for work": Table.look,
}


def _options() -> dict[str, Any]:
    return {"languages": "eng", "mode": "auto"}


def fill(engine: Engine, past: int) -> None:
    """As ten users have sent them, one a second."""
    with engine.connect() as connection:
        users = [
            {"id": number, "name": f"user {number}", "password_hash": "-", "is_admin": False, "created_us": _OLD_US}
            for number in range(1, USERS + 1)
        ]
        connection.execute(insert(User), users)
        connection.commit()
        if engine.dialect.name == "postgresql":
            _insert_on_server(connection, past)
        else:
            for start in range(0, past, _BATCH):
                _insert(connection, range(start, min(start + _BATCH, past)))
        connection.execute(text("UPDATE change_counter SET value = :value"), {"value": past + 1})
        connection.commit()
    settle(engine)


def settle(engine: Engine) -> None:
    """Let the database write down what it put off, and count what it has, as it does by itself after a while."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")
        else:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def size_bytes(engine: Engine) -> int:
    """What the database takes on the disk."""
    if engine.dialect.name == "sqlite":
        return Path(str(engine.url.database)).stat().st_size
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_database_size(current_database())")))


def _insert_on_server(connection: Connection, past: int) -> None:
    """By statements that count for themselves: a million rows take seconds."""
    for statement in _INSERT_ON_SERVER:
        connection.execute(text(statement), {"last": past - 1, "users": USERS, "old_us": _OLD_US})


def _insert(connection: Connection, numbers: range) -> None:
    jobs = [
        {
            "uuid": str(UUID(int=number)),
            "user": 1 + number % USERS,
            "at": _OLD_US + number * 1_000_000,
            "change": number + 1,
        }
        for number in numbers
    ]
    connection.execute(text(_INSERT_JOB), jobs)
    connection.execute(
        text("INSERT INTO job_page (job_uuid, number, attempt_token) VALUES (:uuid, 1, lower(hex(randomblob(16))))"),
        jobs,
    )
    for place, status in enumerate(_STATUSES):
        entries = [job | {"status": status.value, "place": place, "attempt": min(place, 1)} for job in jobs]
        connection.execute(text(_INSERT_TRANSITION), entries)
    connection.commit()


_INSERT_TRANSITION: Final = "INSERT INTO job_status_transition (job_uuid, status, timestamp, attempt) VALUES (:uuid, :status, :at + :place, :attempt)"
_INSERT_JOB: Final = (
    "INSERT INTO job (uuid, user_id, status, created_us, ended_us, change, file_name, media_type, size_bytes, options, page_count, "
    "pages_done, pages_failed, attempt, not_before_us, result_token) VALUES (:uuid, :user, 'FINISHED', :at, :at + 2, :change, 'letter.png', "
    '\'image/png\', 100000, \'{"languages": "eng", "mode": "auto"}\', 1, 1, 0, 1, 0, lower(hex(randomblob(16))))'
)

_INSERT_ON_SERVER: Final = (
    """
INSERT INTO job (uuid, user_id, status, created_us, ended_us, change, file_name, media_type, size_bytes, options, page_count,
                 pages_done, pages_failed, attempt, not_before_us, result_token)
SELECT '00000000-0000-0000-0000-' || lpad(to_hex(i), 12, '0'), 1 + i % :users, 'FINISHED', :old_us + i * 1000000, :old_us + i * 1000000 + 2,
       i + 1, 'letter.png', 'image/png', 100000, '{"languages": "eng", "mode": "auto"}', 1, 1, 0, 1, 0, md5(i::text)
FROM generate_series(0::bigint, :last) AS i""",
    """
INSERT INTO job_page (job_uuid, number, attempt_token)
SELECT '00000000-0000-0000-0000-' || lpad(to_hex(i), 12, '0'), 1, md5(i::text) FROM generate_series(0::bigint, :last) AS i""",
    """
INSERT INTO job_status_transition (job_uuid, status, timestamp, attempt)
SELECT '00000000-0000-0000-0000-' || lpad(to_hex(i), 12, '0'), s.status, :old_us + i * 1000000 + s.place, least(s.place, 1)
FROM generate_series(0::bigint, :last) AS i CROSS JOIN (VALUES ('QUEUED', 0), ('IN_PROGRESS', 1), ('FINISHED', 2)) AS s(status, place)""",
)


def plans(table: Table) -> Iterator[str]:
    """What each operation asks and how the database finds it."""
    explain = "EXPLAIN QUERY PLAN" if table.engine.dialect.name == "sqlite" else "EXPLAIN"
    asked: list[tuple[str, Any]] = []
    listener = lambda *given: asked.append((given[2], given[3]))  # noqa: E731
    for name, operation in OPERATIONS.items():
        asked.clear()
        event.listen(table.engine, "before_cursor_execute", listener)
        operation(table)
        event.remove(table.engine, "before_cursor_execute", listener)
        yield f"{name}:"
        for statement, parameters in asked[:]:
            if statement.lstrip().startswith(("SELECT", "UPDATE", "WITH")):
                with table.engine.connect() as connection:
                    rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
                    yield from (f"    {row[-1]}" for row in rows)
    table.hand_back()


@contextmanager
def databases(server: str | None, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """URLs of databases of one's own, by those names: files, or made on that server."""
    if server is None:
        with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder:
            yield {name: f"sqlite:///{folder}/{name}.db" for name in names}
        return
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    own = {name: f"recto_bench_{uuid4().hex[:8]}_{name}" for name in names}
    try:
        for name in own.values():
            _on_server(engine, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        yield {
            name: make_url(server).set(database=made).render_as_string(hide_password=False)
            for name, made in own.items()
        }
    finally:
        for name in own.values():
            _on_server(engine, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        engine.dispose()


def _on_server(engine: Engine, statement: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def measure(tables: dict[str, Table], repeats: int) -> dict[str, dict[str, float]]:
    """Median microseconds of each operation on each database."""
    found: dict[str, dict[str, list[float]]] = {name: {size: [] for size in tables} for name in OPERATIONS}
    for _ in range(repeats):
        for name, operation in OPERATIONS.items():
            for size, table in tables.items():
                began_s = time.perf_counter()
                operation(table)
                found[name][size].append(1e6 * (time.perf_counter() - began_s))
                table.hand_back()
    return {name: {size: statistics.median(values) for size, values in sizes.items()} for name, sizes in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument(
        "--server", help="URL of a PostgreSQL database whose user may make others; SQLite where it is left out"
    )
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with databases(given.server, ("few", "many")) as urls:
        tables = {"few": Table(urls["few"], given.few), "many": Table(urls["many"], given.many)}
        print("\n".join(plans(tables["many"])), end="\n\n")
        found = measure(tables, given.repeats)
        for table in tables.values():
            table.engine.dispose()
    print(
        f"| operation | {given.few:,} past jobs, us | {given.many:,} past jobs, us | ratio (aim: 1.3) |\n|---|---:|---:|---:|"
    )
    for name, took_us in found.items():
        print(f"| {name} | {took_us['few']:.0f} | {took_us['many']:.0f} | {took_us['many'] / took_us['few']:.2f} |")
    print(f"\nBytes of database a job of one page: {tables['many'].bytes_a_job:.0f}")
    if given.json:
        given.json.write_text(
            json.dumps(found | {"bytes_a_job": tables["many"].bytes_a_job}, indent=1), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
