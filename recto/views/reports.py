"""Reports for administrators, and the backup: read straight from the database, a SQLite one with sqlite-utils.

Rows are dictionaries of plain values, ready for a table or for JSON. Times are ISO 8601 in UTC.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from sqlalchemy import URL, make_url, text
from sqlalchemy.orm import Session
from sqlite_utils import Database

from recto.database.connections import Begin, connect, transaction, utc
from recto.errors import RectoError, SettingsError

Row: TypeAlias = dict[str, Any]
_PATIENCE_S: Final = 10.0

_JOBS: Final = """
SELECT job.uuid, "user".name AS "user", status, job.created_us AS created, file_name, size_bytes,
       pages_done, page_count, pages_failed, attempt, lease_worker AS worker, reason_code AS reason
FROM job JOIN "user" ON "user".id = job.user_id
WHERE (CAST(:status AS TEXT) IS NULL OR status = :status) AND (CAST(:user AS TEXT) IS NULL OR "user".name = :user)
ORDER BY job.created_us DESC, job.uuid DESC LIMIT :limit
"""
_USERS: Final = """
SELECT id, name, CASE WHEN is_admin THEN 1 ELSE 0 END AS is_admin, created_us AS created,
       (SELECT count(*) FROM job WHERE user_id = "user".id) AS jobs
FROM "user" ORDER BY name
"""
_TOKENS: Final = """
SELECT api_token.id, "user".name AS "user", api_token.name, prefix, scopes, api_token.created_us AS created,
       expires_us AS expires, last_used_us AS last_used
FROM api_token JOIN "user" ON "user".id = user_id
WHERE (CAST(:user AS TEXT) IS NULL OR "user".name = :user) ORDER BY api_token.id
"""

_AUDIT: Final = """
SELECT "timestamp" AS time, action, user_name AS "user", about, address FROM audit_event
WHERE CAST(:user AS TEXT) IS NULL OR user_name = :user OR about = :user OR about LIKE :about ESCAPE '!'
ORDER BY id DESC LIMIT :limit
"""
_TIMES: Final = frozenset({"created", "expires", "last_used", "time"})
"""Columns that are microseconds in the database."""


def list_jobs(url: str, status: str | None, user: str | None, limit: int) -> list[Row]:
    """Jobs of everybody, newest first: what an administrator may know of them, not what they contain."""
    return _rows(url, _JOBS, {"status": status, "user": user, "limit": limit})


def list_users(url: str) -> list[Row]:
    """Users by name, with the number of their jobs."""
    return _rows(url, _USERS, {})


def list_tokens(url: str, user: str | None) -> list[Row]:
    """API tokens, of one user or of all, with the start that lets a person recognise them."""
    return _rows(url, _TOKENS, {"user": user})


def list_audit(url: str, user: str | None, limit: int) -> list[Row]:
    """The latest events of the audit log, of everybody, or of what a user did and of what was done to them."""
    escaped = (user or "").replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return _rows(url, _AUDIT, {"user": user, "about": f"{escaped}: %", "limit": limit})


def back_up(database: Path, target: Path) -> int:
    """Copy the database, whole and consistent, while others write to it (SQLite's online backup). Returns the copy's bytes.

    The copy appears under its name when it is complete and has passed an integrity check; RectoError where it does not.
    """
    if target.resolve() == database.resolve():
        raise RectoError(f"{target} is the database itself. Name another file for the copy.")
    part = target.with_name(f".{target.name}.part")
    if not target.parent.is_dir():
        raise RectoError(f"Cannot back up to {target}: there is no folder {target.parent}. Make it first.")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)  # it holds password hashes
        with _opened(database) as source, closing(sqlite3.connect(part)) as copy:
            source.conn.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a WAL beside it
            verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise RectoError(
                f"The copy is not sound: {verdict}. The database itself may be damaged; do not delete older backups."
            )
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise RectoError(f"Cannot back up to {target}: {error}. Check the folder and its free space.") from error
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def database_file(url: str) -> Path:
    """The file of a SQLite URL; SettingsError for PostgreSQL, which has a backup of its own, with its command."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        place = URL.create("postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query)
        raise SettingsError(
            "This command copies SQLite databases in files, and database.url names a server. `ocr_worker.py backup FOLDER` backs up that as well, "
            f"with the documents; its own tool the rows alone: pg_dump --format=custom --file=recto.dump {place}. docs/how-to/backup.md has both."
        )
    return Path(parsed.database).resolve()


def iso(timestamp_us: int | None) -> str | None:
    """A time of the database, to the second, in ISO 8601."""
    if timestamp_us is None:
        return None
    return f"{utc(timestamp_us):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def _opened(database: Path) -> Iterator[Database]:
    opened = Database(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True))
    try:
        yield opened
    finally:
        opened.close()


def _rows(url: str, sql: str, values: dict[str, Any]) -> list[Row]:
    found = (
        _rows_of_file(database_file(url), sql, values)
        if url.startswith("sqlite")
        else _rows_of_server(url, sql, values)
    )
    return [{name: iso(value) if name in _TIMES else value for name, value in row.items()} for row in found]


def _rows_of_file(database: Path, sql: str, values: dict[str, Any]) -> list[Row]:
    with _opened(database) as opened:
        return list(opened.query(sql, values))


def _rows_of_server(url: str, sql: str, values: dict[str, Any]) -> list[Row]:
    """StorageUnavailable where it does not answer."""
    engine = connect(url, _PATIENCE_S)
    try:
        with transaction(Session(engine), Begin.READ) as session:
            return [dict(row) for row in session.execute(text(sql), values).mappings()]
    finally:
        engine.dispose()
