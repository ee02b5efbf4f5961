"""Peak memory of every process of a command, from Linux's /proc: what each one ever had in RAM (VmHWM, proc_pid_status(5))."""

import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

_LOOK_S = 0.1


@dataclass(slots=True)
class Watched:
    """How a command ended, how long it took, and the peak of each of its processes in bytes, the command's own first."""

    status: int
    took_s: float
    output: str
    errors: str
    peak_bytes: dict[int, int] = field(default_factory=dict)

    @property
    def own_bytes(self) -> int:
        """Of the command itself."""
        return next(iter(self.peak_bytes.values()), 0)

    @property
    def largest_child_bytes(self) -> int:
        """Of the process that had the most among the others."""
        return max(list(self.peak_bytes.values())[1:], default=0)


def watch(command: list[str], timeout_s: float) -> Watched:
    """Run the command to its end, or kill it after `timeout_s`: the status is then -9."""
    started_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    peaks: dict[int, int] = {process.pid: 0}
    while process.poll() is None:
        for pid in family(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), peak_bytes(pid))
        if time.monotonic() - started_s > timeout_s:
            process.kill()
        try:
            process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            continue
    output, errors = process.communicate()
    return Watched(process.returncode, time.monotonic() - started_s, output, errors, peaks)


def family(pid: int) -> list[int]:
    """The process, its children and theirs."""
    found = [pid]
    for one in found:
        tasks = Path(f"/proc/{one}/task")
        try:
            for task in tasks.iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has ended meanwhile
            continue
    return found


def peak_bytes(pid: int) -> int:
    """The most that the process ever had in RAM; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")] or ["VmHWM: 0 kB"]
    return int(line.split()[1]) * 1024
