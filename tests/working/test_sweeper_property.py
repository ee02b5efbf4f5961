"""Whatever was done and left behind, a sweep removes nothing that a row refers to, and the next one finds nothing to do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recto.database.connections import connect
from recto.file_storage.base import DOCUMENT, METADATA
from recto.working.sweeper import Outcome
from tests.conftest import JobTable, SetClock, sqlite_url
from tests.working.left_behind import DAY_S, FOREIGN, LEFT_BEHIND, World


def referred_files(world: World) -> dict[str, bytes]:
    """The files of jobs that the database refers to, found by other means than the sweeper's."""
    files = world.files()
    with world.table.engine.connect() as connection:
        uuids = set(connection.exec_driver_sql("SELECT uuid FROM job").scalars())
        tokens = {
            (uuid, token)
            for uuid, token in connection.exec_driver_sql(
                "SELECT uuid, lease_token FROM job UNION SELECT uuid, result_token FROM job "
                "UNION SELECT job_uuid, attempt_token FROM job_page"
            )
        }
    return {
        name: content
        for name, content in files.items()
        for uuid, *rest in [name.split("/")]
        if uuid in uuids
        and not name.endswith(".part")
        and (rest[0] in (DOCUMENT, METADATA) or (uuid, "".join(rest[1:2])) in tokens)
    }


def claim_and_lose(world: World) -> None:
    claim = world.start()
    world.table.do(world.table.jobs.hand_back, claim.lease)


def cancel_running(world: World) -> None:
    claim = world.start()
    world.table.do(world.table.jobs.cancel, world.user, claim.lease.job_uuid)


def lose_document(world: World) -> None:
    world.storage.delete(world.submit())


ACTS: Final[list[Callable[[World], object]]] = [
    World.submit,
    World.start,
    lambda world: world.finish(world.start()),
    claim_and_lose,
    cancel_running,
    lose_document,
    *LEFT_BEHIND,
    *FOREIGN[:5],
]


@pytest.fixture(scope="module")
def folders() -> Iterator[Path]:
    with TemporaryDirectory(prefix="recto-test-") as name:
        yield Path(name)


@settings(max_examples=40)
@given(
    acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=8),
    older_than_s=st.sampled_from([0.0, 3600.0, DAY_S]),
    waited_s=st.sampled_from([0.0, 7200.0, 2 * DAY_S]),
    is_forced=st.booleans(),
)
def test_sweep_never_removes_what_a_row_refers_to(
    folders: Path,
    migrated_file: Path,
    acts: list[Callable[[World], object]],
    older_than_s: float,
    waited_s: float,
    is_forced: bool,
) -> None:
    folder = folders / str(uuid4())
    folder.mkdir()
    (folder / "recto.db").write_bytes(migrated_file.read_bytes())
    engine = connect(sqlite_url(folder / "recto.db"), busy_timeout_s=10.0)
    world = World(JobTable(engine, SetClock()), folder / "storage")
    for act in acts:
        act(world)
    world.wait(waited_s)
    referred, foreign = referred_files(world), {n: c for n, c in world.files().items() if n.endswith("notes.txt")}
    world.sweep(older_than_s, is_forced=is_forced)
    left = world.files()
    assert {name: left.get(name) for name in referred | foreign} == referred | foreign
    assert not {found.outcome for found in world.sweep(older_than_s, is_forced=is_forced)} & {
        Outcome.REMOVED,
        Outcome.FAILED,
        Outcome.RESISTED,
    }
    engine.dispose()
