"""GET /healthz and /readyz."""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from recto.web.serving.database import db
from tests.web.clients import PAGE, Program, problem
from tests.web.conftest import MakeApp
from tests.web.hand_worker import HandWorker


def ready(program: Program, status: int) -> dict[str, Any]:
    response = program.get("/readyz")
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    answer: dict[str, Any] = response.get_json()
    assert answer["status"] == ("ready" if status == 200 else "not ready")
    checks: dict[str, Any] = answer["checks"]
    return checks


def lose_database(app: Flask, folder: Path) -> None:
    with app.app_context():
        db.engine.dispose()
    for file in folder.glob("recto.db*"):
        file.unlink()


def test_healthz_answers_anybody(anybody: Program) -> None:
    response = anybody.get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})
    assert response.headers["Cache-Control"] == "no-store"


def test_healthz_answers_whatever_is_broken(app: Flask, anybody: Program, folder: Path) -> None:
    lose_database(app, folder)
    assert anybody.get("/healthz").status_code == 200


def test_readyz_without_a_worker_is_ready_and_says_so(anybody: Program) -> None:
    checks = ready(anybody, 200)
    assert checks["database"] == checks["file_storage"] == checks["schema"] == {"ok": True}
    assert checks["worker"]["ok"] is False
    assert "None was seen yet" in checks["worker"]["detail"]


def test_readyz_with_a_worker_counts_its_processes(anybody: Program, worker: HandWorker) -> None:
    worker.report("eng")
    assert ready(anybody, 200)["worker"] == {"ok": True, "workers": 1, "processes": 2}


def test_readyz_without_its_database_answers_503(app: Flask, anybody: Program, folder: Path) -> None:
    lose_database(app, folder)
    checks = ready(anybody, 503)
    assert checks["database"]["ok"] is False
    assert "database.url" in checks["database"]["detail"]
    assert str(folder) not in str(checks)
    assert checks["file_storage"] == {"ok": True}


def test_readyz_with_a_storage_that_cannot_be_written_answers_503(anybody: Program, folder: Path) -> None:
    incoming = folder / ".incoming"
    if incoming.exists():
        incoming.rmdir()
    incoming.write_text("a file where the folder should be")
    checks = ready(anybody, 503)
    assert checks["file_storage"]["ok"] is False
    assert "cannot be used" in checks["file_storage"]["detail"]
    assert str(folder) not in str(checks)


def test_readyz_with_a_disk_that_is_nearly_full_is_ready_and_says_so(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(RECTO_FILE_STORAGE_MIN_FREE_BYTES="1000")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(total=9000, used=7500, free=1500))
    check = ready(Program(app), 200)["file_storage"]
    assert check["ok"] is True
    assert "after 500 more bytes" in check["detail"]


def test_readyz_with_the_schema_of_another_version_answers_503(anybody: Program, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "recto.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    checks = ready(anybody, 503)
    assert checks["schema"]["ok"] is False
    assert "schema 9999" in checks["schema"]["detail"]
    assert "db upgrade" in checks["schema"]["detail"]


def test_readyz_with_a_read_only_storage_answers_503(anybody: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert "Read-only file system" in ready(anybody, 503)["file_storage"]["detail"]


def test_readyz_with_a_full_disk_answers_503(make_app: MakeApp) -> None:
    checks = ready(Program(make_app(RECTO_FILE_STORAGE_MIN_FREE_BYTES=str(10**18))), 503)
    assert "bytes are free" in checks["file_storage"]["detail"]
    assert "Delete jobs" in checks["file_storage"]["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_wrong_method_is_a_problem_for_browsers_too(anybody: Program, path: str) -> None:
    problem(anybody.post(path, headers=PAGE), 405, "method_not_allowed")
