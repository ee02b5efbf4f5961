"""Uploads beside a sweeper that spares nothing for its age: a document is accepted and complete, or refused and gone."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import sessionmaker

from models import Job
from recto.database.connections import connect
from recto.file_storage import volume
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from recto.working.sweeper import Sweeper
from tests.conftest import POLICY
from tests.web.clients import PNG, Program, problem
from tests.web.conftest import Known, left_behind

pytestmark = pytest.mark.each_database(long=True)

STEPS: list[tuple[Any, str]] = [
    (volume, "create_file"),
    (volume, "_flush"),
    (Path, "rename"),
    (volume, "_flush_folder"),
    (volume, "_make_folders_below"),
    (VolumeStorage, "size_bytes"),
    (Jobs, "submit"),
]
"""What an upload is made of, from its first byte on disk to its row: the sweeper comes before and after each of them."""


class Sweeping:
    """Sweeps before or after chosen steps of an upload, by their numbers."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.engine = connect(database_url, busy_timeout_s=0.02)
        self._sweeper = Sweeper(sessionmaker(self.engine), Jobs(POLICY), VolumeStorage(folder), 0.0, is_forced=True)
        self.points = 0
        self.chosen: Callable[[int], bool] = lambda _: False
        self._lock = threading.Lock()

    def sweep(self) -> None:
        for _ in self._sweeper.sweep():
            pass

    def point(self) -> None:
        if self._lock.acquire(blocking=False):  # the sweeper's own steps are none
            try:
                self.points += 1
                if self.chosen(self.points):
                    self.sweep()
            finally:
                self._lock.release()

    def around(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.point()
            result = step(*args, **kwargs)
            self.point()
            return result

        return stepped

    def rows(self) -> list[str]:
        with sessionmaker(self.engine)() as session:
            return [job.uuid for job in session.query(Job)]


@pytest.fixture
def sweeping(app: Flask, ada: Known, folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    sweeping = Sweeping(folder, database_url)
    for owner, name in STEPS:
        monkeypatch.setattr(owner, name, sweeping.around(getattr(owner, name)))
    yield sweeping
    sweeping.engine.dispose()


def upload(program: Program) -> int:
    """Send a document: the status, after a look at what the answer promises."""
    response = program.send_form(PNG, "letter.png")
    if response.status_code != 202:
        problem(response, 503, "storage_unavailable")
    return response.status_code


def check_promises(sweeping: Sweeping, folder: Path, accepted: int) -> None:
    """Every accepted document has its row and all its files; nothing is left of the others."""
    uuids = sweeping.rows()
    assert len(uuids) == accepted
    assert left_behind(folder) == sorted(uuids)
    for uuid in uuids:
        assert (folder / uuid / "document").read_bytes() == PNG
        assert (folder / uuid / "metadata.json").is_file()


def test_sweeper_at_any_step_of_an_upload_tears_nothing(program: Program, folder: Path, sweeping: Sweeping) -> None:
    assert upload(program) == 202
    steps, statuses = sweeping.points, list[int]()
    assert steps > 20
    for number in range(1, steps + 1):
        sweeping.points = 0
        sweeping.chosen = lambda point, number=number: point == number  # type: ignore[misc]
        statuses.append(upload(program))
        check_promises(sweeping, folder, 1 + statuses.count(202))
    assert {202, 503} == set(statuses)


def test_sweeper_at_every_step_of_an_upload_leaves_nothing_half(
    program: Program, folder: Path, sweeping: Sweeping
) -> None:
    sweeping.chosen = lambda _: True
    assert upload(program) == 503
    check_promises(sweeping, folder, 0)


def test_sweeper_beside_uploads_tears_nothing(
    app: Flask, program: Program, ada: Known, folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In threads, without any order."""
    sweeping, stopping = Sweeping(folder, database_url), threading.Event()

    def sweep() -> None:
        while not stopping.is_set():
            sweeping.sweep()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    statuses = [upload(program) for _ in range(40)]
    stopping.set()
    sweeper.join()
    check_promises(sweeping, folder, statuses.count(202))
    sweeping.engine.dispose()
