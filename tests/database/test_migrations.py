"""The schema that the migrations build is the one that models.py describes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Base
from recto.database.connections import MIGRATIONS_FOLDER, connect, upgrade_schema
from recto.errors import SettingsError
from recto.records.job_events import Progress, events_after
from tests.conftest import sqlite_url

ROOT = Path(__file__).resolve().parents[2]
UPGRADE = """
import sys
from recto.database.connections import connect, upgrade_schema
engine = connect(sys.argv[1], 30.0)
sys.stdin.readline()
upgrade_schema(engine)
"""


def schema(engine: Engine) -> dict[str, str]:
    """Every table, index and trigger with its SQL, less white space, quotes and the order of a table's parts."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    return {name: normalised(sql) for name, sql in rows if name != "alembic_version"}


def normalised(sql: str) -> str:
    plain = re.sub(r"\s+", " ", sql.replace('"', "")).replace("( ", "(").replace(" )", ")")
    if not plain.startswith("CREATE TABLE"):
        return plain
    head, _, body = plain.partition("(")
    parts = re.split(r", (?=[a-z_]+ [A-Z]|PRIMARY|FOREIGN|UNIQUE|CONSTRAINT)", body.removesuffix(")"))
    return f"{head}({', '.join(sorted(parts))})"


def test_migrated_schema_is_the_described_one(engine: Engine, tmp_path: Path) -> None:
    described = connect(sqlite_url(tmp_path / "described.db"), busy_timeout_s=10.0)
    Base.metadata.create_all(described)
    assert schema(engine) == schema(described)
    described.dispose()


def is_of_the_models(name: str | None, kind: str, _parents: object) -> bool:
    """The full-text index and the tables that SQLite keeps it in are no models; the comparison above has them."""
    return not (kind == "table" and name is not None and name.startswith("page_text_index"))


def test_migrated_schema_leaves_alembic_nothing_to_add(engine: Engine) -> None:
    with engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_name": is_of_the_models}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []


def test_upgrade_that_ran_before_changes_nothing(engine: Engine) -> None:
    before = schema(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE change_counter SET value = 7"))
    upgrade_schema(engine)
    assert schema(engine) == before
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, value FROM change_counter")).all() == [(1, 7)]


def test_upgrades_of_several_processes_at_once_all_succeed(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "recto.db")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, url], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:  # all have loaded what they need before the first begins
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    endings = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    assert endings == [("", 0)] * 3
    engine = connect(url, busy_timeout_s=10.0)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
    engine.dispose()


def test_upgrade_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    engine = connect(sqlite_url(tmp_path / "recto.db"), busy_timeout_s=10.0)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE job_page (in_the_way TEXT)"))
    before = schema(engine)
    with pytest.raises(Exception, match="job_page already exists"):
        upgrade_schema(engine)
    assert schema(engine) == before
    engine.dispose()


def test_database_of_a_newer_version_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match=r"schema 9999 of a newer Recto, and there is no way back"):
        upgrade_schema(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_revisions_form_one_line() -> None:
    script = ScriptDirectory(str(MIGRATIONS_FOLDER))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_change_counter_starts_at_zero_and_stays_one_row(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, value FROM change_counter")).all() == [(1, 0)]
        with pytest.raises(IntegrityError, match="change_counter_is_one_row"):
            connection.execute(text("INSERT INTO change_counter VALUES (2, 0)"))


def test_events_of_jobs_that_there_were_are_made_up_in_their_order(tmp_path: Path) -> None:
    engine = connect(sqlite_url(tmp_path / "recto.db"), busy_timeout_s=10.0)
    migrate(engine, "0004")
    with engine.begin() as connection:
        connection.execute(text("UPDATE change_counter SET value = 40"))
        connection.execute(text("INSERT INTO user VALUES (7, 'ann', '-', 0, 1)"))
        connection.execute(
            text(
                "INSERT INTO job (uuid, user_id, status, created_us, ended_us, change, file_name, media_type, size_bytes, options, "
                "page_count, pages_done, pages_failed, attempt, not_before_us, lease_token) "
                "VALUES (:uuid, 7, :status, 10, :ended, 1, 'a', 'b', 1, '{}', 2, 2, 1, 1, 0, :token)"
            ),
            [
                {"uuid": "done", "status": "FINISHED", "ended": 30, "token": None},
                {"uuid": "running", "status": "IN_PROGRESS", "ended": None, "token": "t"},
            ],
        )
        connection.execute(
            text(
                "INSERT INTO job_page (job_uuid, number, attempt_token, error_code) "
                "SELECT uuid, 2, 't', 'x' FROM job UNION ALL SELECT uuid, 1, 't', NULL FROM job"
            )
        )
        connection.execute(
            text(
                "INSERT INTO job_status_transition (job_uuid, status, timestamp, attempt) "
                "SELECT uuid, 'QUEUED', 10, 1 FROM job UNION ALL SELECT uuid, 'IN_PROGRESS', 20, 1 FROM job "
                "UNION ALL SELECT uuid, 'FINISHED', 30, 1 FROM job WHERE ended_us IS NOT NULL"
            )
        )
    upgrade_schema(engine)
    with Session(engine) as session:
        told = {uuid: events_after(session, 7, uuid, 0, 100) for uuid in ("done", "running")}
        assert [event.id for event in events_after(session, 7, None, 40, 100)] == list(range(41, 50))
        assert session.execute(text("SELECT value FROM change_counter")).scalar() == 49
    assert [event.kind.value for event in told["done"]] == ["status", "status", "page", "page", "end"]
    assert [event.kind.value for event in told["running"]] == ["status", "status", "page", "page"]
    assert [event.progress for event in told["done"][2:]] == [Progress(1, 2, 0), Progress(2, 2, 1), Progress(2, 2, 1)]
    engine.dispose()


def migrate(engine: Engine, revision: str) -> None:
    """Bring an empty database to that revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
