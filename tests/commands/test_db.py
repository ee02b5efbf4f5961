import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import CommandLine, JobTable

ROOT = Path(__file__).resolve().parent.parent.parent


def test_db_upgrade_of_a_new_folder_makes_the_database(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = command_line.folder / "new"
    monkeypatch.setenv("RECTO_FILE_STORAGE_PATH", str(folder))
    done = command_line("db", "upgrade")
    assert (done.status, done.out) == (0, "The database has the newest schema.\n")
    assert (folder / "recto.db").exists()
    assert command_line("db", "upgrade").status == 0


def test_db_backup_while_a_writer_writes_copies_every_committed_job(
    command_line: CommandLine, table: JobTable, ann: int
) -> None:
    stopping, submitted = threading.Event(), []

    def write() -> None:
        while not stopping.is_set():
            submitted.append(table.submit(ann))
            table.do(table.jobs.cancel, ann, submitted[-1])

    writer = threading.Thread(target=write)
    writer.start()
    while len(submitted) < 5:
        stopping.wait(0.01)
    before = submitted[:-1]
    done = command_line("db", "backup", str(command_line.folder / "copy.db"))
    stopping.set()
    writer.join()
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Wrote ")
    copy = sqlite3.connect(command_line.folder / "copy.db")
    copied = {uuid for (uuid,) in copy.execute("SELECT uuid FROM job")}
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
    assert set(before) <= copied


def test_db_backup_that_cannot_be_written_says_why(command_line: CommandLine) -> None:
    done = command_line("db", "backup", str(command_line.folder / "nowhere" / "copy.db"))
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: Cannot back up to")


def test_db_backup_of_another_kind_of_database_is_a_wrong_setting(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECTO_DATABASE_URL", "postgresql://host/recto")
    done = command_line("db", "backup", str(command_line.folder / "copy.db"))
    assert (done.status, "SQLite" in done.err) == (78, True)


def test_program_itself_ends_with_the_commands_status(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "ocr_worker.py", "db", "backup", str(tmp_path / "nowhere" / "copy.db")],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "RECTO_FILE_STORAGE_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
