"""What Recto costs while nobody asks for anything: processor, memory, and the time from start to ready.

    python -m benchmarks.idle [--seconds N] [--json FILE]

Backend and Worker under their supervisor, as `make run` serves them, with one page process for each core.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.process_memory import family
from benchmarks.service import Service
from recto.commands.page_processes import core_count

_SETTLE_S: Final = 8.0
_NAMES: Final = {
    b"recto.supervise": "supervisor",
    b"app.py": "Backend",
    b"ocr_worker.py": "Worker",
    b"spawn_main": "page process",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder:
        began_s = time.monotonic()
        service = Service(Path(folder), core_count())
        ready_s = time.monotonic() - began_s
        try:
            time.sleep(_SETTLE_S)
            pids = family(service.process.pid)
            before_s = {pid: _cpu_s(pid) for pid in pids}
            time.sleep(given.seconds)
            rows = [
                (_name(pid), 100 * (_cpu_s(pid) - before_s[pid]) / given.seconds, _resident_bytes(pid)) for pid in pids
            ]
        finally:
            service.stop()
    print(f"Start to ready: {ready_s:.2f} s (aim: 2)\n\n| process | % of a core | MiB |\n|---|---:|---:|")
    for name, percent, resident_bytes in rows:
        print(f"| {name} | {percent:.2f} | {resident_bytes >> 20} |")
    print(f"\nAll together: {sum(percent for _, percent, _ in rows):.2f} % of a core (aim: 1)")
    if given.json:
        given.json.write_text(json.dumps({"ready_s": ready_s, "processes": rows}, indent=1), encoding="utf-8")


def _cpu_s(pid: int) -> float:
    """User and system time, proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(pid: int) -> int:
    """proc_pid_statm(5)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _name(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return next((name for part, name in _NAMES.items() if part in command), "resource tracker")


if __name__ == "__main__":
    main()
