"""What queries cost: their plans, and SQLite's own count of the instructions that it runs for them."""

import sqlite3
from collections.abc import Callable

from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from tests.conftest import START_US, JobTable


def plans_of(engine: Engine, action: Callable[[], object]) -> dict[str, list[str]]:
    """The query plan of every SELECT, UPDATE and DELETE that the action runs."""
    seen: list[tuple[str, tuple[object, ...]]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    plans = {}
    with engine.connect() as connection:
        for statement, parameters in seen:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans[statement] = [row[3] for row in rows]
    return plans


def instructions_of(engine: Engine, query: Callable[[Session], object]) -> int:
    """How many SQLite runs for the query."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(tick, 1)
        with Session(connection) as session:
            query(session)
        driver.set_progress_handler(None, 0)
    return count


def add_a_thousand_ended_jobs(table: JobTable, user_id: int) -> None:
    """By one statement, and older than what a test submits."""
    with table.sessions() as session:
        rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        names = "uuid, user_id, status, created_us, change, file_name, media_type, size_bytes, options, pages_done, pages_failed, attempt, not_before_us"
        values = f"'x' || i, {user_id}, 'FINISHED', {START_US} - i, i, 'f', 'm', 1, '{{}}', 1, 0, 1, 0"
        session.execute(text(f"INSERT INTO job ({names}) {rows} SELECT {values} FROM n"))  # noqa: S608
        session.commit()
