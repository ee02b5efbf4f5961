"""Servers and clients as processes of a benchmark: their start, their end, and what they use."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent


def start(command: list[str], settings: dict[str, str] | None = None, *, stdin: bool = False) -> subprocess.Popen[str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=outer | (settings or {}),
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stderr=None if stdin else subprocess.PIPE,
        text=True,
    )


def stop(process: subprocess.Popen[str]) -> None:
    """End it, whatever it does."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


@contextmanager
def running(command: list[str], settings: dict[str, str]) -> Iterator[tuple[int, int]]:
    """(port, process id) of a server that says on standard error where it listens. Its further log is read and dropped."""
    process = start(command, settings)
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: None)
    try:
        seen = ""
        for line in process.stderr:
            seen += line
            found = re.search(r"http://[^:]+:(\d+)/", line) if "ready" in line else None
            if found:
                reader = threading.Thread(target=drain, args=(process.stderr,))
                reader.start()
                break
        else:
            raise RuntimeError(f"{' '.join(command)} did not start:\n{seen}")
        yield int(found[1]), process.pid
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        if reader.is_alive():
            reader.join(20)
        stop(process)


def drain(stream: Any) -> None:
    for _ in stream:
        pass


def resident_bytes(pid: int) -> int:
    """proc_pid_statm(5)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def until_idle(pid: int) -> None:
    """Until the server has taken in all that was sent to it: until it uses next to no processor time."""
    used_s = -1.0
    while (now_s := cpu_s(pid)) - used_s > 0.03:
        used_s = now_s
        time.sleep(0.3)


def cpu_s(pid: int) -> float:
    """User and system time, proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
