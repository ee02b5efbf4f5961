"""The schema that the migrations build is the one that models.py describes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from models import Base
from recto.database import MIGRATIONS_FOLDER, connect, upgrade_schema
from tests.conftest import sqlite_url

ROOT = Path(__file__).resolve().parent.parent
UPGRADE = """
import sys
from recto.database import connect, upgrade_schema
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


def test_migrated_schema_leaves_alembic_nothing_to_add(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
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


def test_revisions_form_one_line() -> None:
    script = ScriptDirectory(str(MIGRATIONS_FOLDER))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_change_counter_starts_at_zero_and_stays_one_row(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, value FROM change_counter")).all() == [(1, 0)]
        with pytest.raises(IntegrityError, match="change_counter_is_one_row"):
            connection.execute(text("INSERT INTO change_counter VALUES (2, 0)"))
