"""`migrate` as its users call it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Job
from recto.database.connections import connect
from recto.file_storage.base import DOCUMENT
from tests.conftest import CommandLine, sqlite_url


def test_everything_is_there_afterwards_with_the_secret(command_line: CommandLine, uuid: str, tmp_path: Path) -> None:
    (command_line.folder / "secret_key").write_bytes(b"0" * 64)
    new = tmp_path / "elsewhere"
    new.mkdir()
    url = sqlite_url(new / "recto.db")
    done = command_line("migrate", "--to-database", url, "--to-storage", str(new), "--json")
    assert (done.status, done.err) == (0, "")
    rows = {row["what"]: row for row in json.loads(done.out)}
    assert {row["equal"] for row in rows.values()} == {"yes"}
    assert (rows["job"]["count"], rows["files"]["count"], rows["files"]["copied"]) == (1, 1, 1)
    assert (new / "secret_key").read_bytes() == b"0" * 64
    assert (new / uuid / DOCUMENT).read_bytes() == b"scan"
    engine = connect(url, busy_timeout_s=10.0)
    with Session(engine) as session:
        assert list(session.scalars(select(Job.uuid))) == [uuid]
    engine.dispose()


@pytest.mark.usefixtures("uuid")
def test_a_file_that_differs_ends_in_an_error_that_names_it(
    command_line: CommandLine, uuid: str, tmp_path: Path
) -> None:
    new = tmp_path / "elsewhere"
    assert command_line("migrate", "--to-storage", str(new)).status == 0
    (new / uuid / DOCUMENT).write_bytes(b"scum")
    done = command_line("migrate", "--to-storage", str(new))
    assert done.status == 1
    assert f"{uuid}: document" in done.out
    assert "Not all of it is equal yet" in done.err
    assert command_line("migrate", "--to-storage", str(new), "--no-compare").status == 0


def test_without_a_place_to_go_to_it_asks_for_one(command_line: CommandLine) -> None:
    done = command_line("migrate")
    assert (done.status, "--to-database URL" in done.err) == (2, True)


@pytest.mark.parametrize("option", ["--to-database", "--to-storage"])
def test_the_place_where_it_is_already_is_refused(command_line: CommandLine, option: str) -> None:
    here = sqlite_url(command_line.folder / "recto.db") if option == "--to-database" else str(command_line.folder)
    done = command_line("migrate", option, here)
    assert (done.status, "that the settings name" in done.err) == (2, True)


def test_a_place_that_is_none_is_told_of(command_line: CommandLine) -> None:
    done = command_line("migrate", "--to-storage", "s4://bucket")
    assert (done.status, "s3://bucket/prefix" in done.err) == (78, True)
    done = command_line("migrate", "--to-database", "mysql://x/y")
    assert (done.status, "Recto does not know" in done.err) == (78, True)
