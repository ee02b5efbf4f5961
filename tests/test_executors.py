"""Page processes for real: what dies, what is killed, and what is left behind."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import pytest

from recto.errors import PageDamaged
from recto.executors import PROCESS_DIED, LocalProcesses
from recto.ocr.documents import Limits
from recto.working.page_tasks import PageProcessSetup, describe_engine
from tests.patience import wait_until
from tests.process_tree import lives

ROOT = Path(__file__).resolve().parent.parent
SETUP = PageProcessSetup("auto", None, Limits(10, 10_000_000), memory_bytes=0, niceness=0, storage=None)
PATIENCE_S = 30.0


def note_and_sleep(file: Path) -> None:
    """Tell the process's id, then hang."""
    _note(file)
    time.sleep(60)


def note_and_compute(file: Path) -> None:
    """Tell the process's id, then be busy in C for minutes, as an engine is: no handler of signals in Python runs meanwhile."""
    _note(file)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**30)


def _note(file: Path) -> None:
    part = file.with_suffix(".part")
    part.write_text(str(os.getpid()))
    part.rename(file)


def die() -> None:
    os._exit(3)


def fail() -> None:
    raise PageDamaged("Page 1 is damaged.", page=1)


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalProcesses]:
    executor = LocalProcesses(1, 100, SETUP)
    yield executor
    executor.stop()


def test_process_is_replaced_after_its_share_of_pages() -> None:
    executor = LocalProcesses(1, 2, SETUP)
    pids = [executor.submit(os.getpid, PATIENCE_S).result() for _ in range(4)]
    executor.stop()
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_process_that_is_killed_while_it_has_nothing_to_do_is_replaced(executor: LocalProcesses) -> None:
    """As the kernel does where memory runs out: pebble gives its whole pool up."""
    pid = executor.submit(os.getpid, PATIENCE_S).result()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not lives(pid))
    time.sleep(0.5)
    assert executor.submit(os.getpid, PATIENCE_S).result() != pid


def test_pool_whose_processes_cannot_start_says_so_each_time() -> None:
    """Tessdata that is not there: no process ever comes up."""
    executor = LocalProcesses(1, 100, replace(SETUP, tessdata=Path("/nowhere")))
    for _ in range(2):
        with pytest.raises((*PROCESS_DIED, CancelledError)):
            executor.submit(describe_engine, PATIENCE_S).result(PATIENCE_S)
    executor.stop()


PARENT = """
import sys, time
from functools import partial
from pathlib import Path
from recto.executors import LocalProcesses
from tests.test_executors import SETUP, note_and_sleep
if __name__ == "__main__":
    executor = LocalProcesses(2, 100, SETUP)
    for name in sys.argv[1:]:
        executor.submit(partial(note_and_sleep, Path(name)), 60.0)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_children_of_a_killed_parent_die_with_it(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    files = [tmp_path / "one", tmp_path / "two"]
    parent = subprocess.Popen(
        [sys.executable, str(program), *map(str, files)], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        wait_until(lambda: all(file.exists() for file in files))
        children = [int(file.read_text()) for file in files]
        assert all(map(lives, children))
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    wait_until(lambda: not any(map(lives, children)), 5.0)
