"""What the system tells of processes by their ids: whether they live, and what they have started."""

import subprocess
import sys
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def lives(pid: int) -> bool:
    """Whether there is such a process and it is no zombie."""
    if sys.platform == "linux":  # where a small system has no ps
        state = _read(pid, "stat").rpartition(b")")[2].split()[:1]
    else:
        listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
        state = listed.stdout.split()[:1]
    return bool(state) and state[0][:1] not in (b"Z", b"X")


def children(pid: int) -> list[int]:
    """The children of a process, whichever thread of it has started them. Linux alone tells, as all below."""
    tasks = _PROC / str(pid) / "task"
    try:
        threads = list(tasks.iterdir())
    except OSError:
        return []  # it has ended
    return [int(child) for thread in threads for child in _read(pid, f"task/{thread.name}/children").split()]


def page_processes(worker: int) -> list[int]:
    """The page processes of a Worker; without multiprocessing's resource tracker."""
    return [pid for pid in children(worker) if "spawn_main" in command_of(pid)]


def command_of(pid: int) -> str:
    """With its arguments; empty for a zombie."""
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()


def environ_of(pid: int) -> list[bytes]:
    """Each variable as NAME=value, as it was when the process began."""
    return _read(pid, "environ").split(b"\0")


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""  # the process has ended, or is somebody else's
