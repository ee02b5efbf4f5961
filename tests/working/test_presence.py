"""Which Workers have died, proven by real processes that die."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recto.errors import StorageUnavailable
from recto.working.presence import Presence

ROOT = Path(__file__).resolve().parents[2]
LIVE = """
import sys
from pathlib import Path
from recto.working.presence import Presence

presence = Presence(Path(sys.argv[1]), sys.argv[2])
print(presence.name, flush=True)
sys.stdin.read()
presence.leave()
"""

StartWorker = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".workers"


@pytest.fixture
def start(folder: Path) -> Iterator[StartWorker]:
    """Starts processes that are present under a name; those that the test leaves are killed."""
    started: list[subprocess.Popen[str]] = []

    def start_one(name: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", LIVE, str(folder), name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def test_killed_worker_is_dead_until_it_is_forgotten(folder: Path, start: StartWorker) -> None:
    process, presence = start("one"), Presence(folder, "two")
    assert presence.dead() == frozenset()
    process.kill()
    process.wait()
    assert presence.dead() == {"one"}
    assert presence.dead() == {"one"}
    presence.forget(frozenset({"one"}))
    assert presence.dead() == frozenset()


def test_halted_worker_is_not_dead(folder: Path, start: StartWorker) -> None:
    """It may wake up and go on: its lease decides."""
    process, presence = start("one"), Presence(folder, "two")
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    assert presence.dead() == frozenset()
    presence.forget(frozenset({"one"}))
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()
    assert presence.dead() == {"one"}


def test_worker_that_stopped_is_not_dead(folder: Path, start: StartWorker) -> None:
    process, presence = start("one"), Presence(folder, "two")
    process.communicate("")
    assert presence.dead() == frozenset()


def test_name_of_a_living_or_dead_worker_is_not_taken_again(folder: Path, start: StartWorker) -> None:
    """A container that is started again gives its Worker the same host name and process id."""
    process = start("one")
    assert Presence(folder, "one").name == "one-2"
    process.kill()
    process.wait()
    presence = Presence(folder, "one")
    assert presence.name == "one-3"
    assert presence.dead() == {"one"}


def test_workers_of_other_systems_prove_nothing(folder: Path, start: StartWorker) -> None:
    process, elsewhere = start("one"), Presence(folder, "two", system="elsewhere")
    process.kill()
    process.wait()
    assert elsewhere.dead() == frozenset()


def test_files_of_an_earlier_start_of_the_machine_are_cleared(folder: Path) -> None:
    living = Presence(folder, "one", system="before")
    (folder / "dead@before").touch()
    Presence(folder, "two")
    assert sorted(path.name.partition("@")[0] for path in folder.iterdir()) == ["one", "two"]
    assert living.name == "one"


def test_folder_that_cannot_be_made_is_storage_unavailable(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(StorageUnavailable, match="Check its rights"):
        Presence(folder, "one")
