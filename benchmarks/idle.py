"""What Recto costs while nobody asks for anything: processor, memory, and the time from start to ready.

    python -m benchmarks.idle [--seconds N] [--json FILE]

Backend and Worker under their supervisor, as `make run` serves them, with one page process for each core.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.process_memory import family
from benchmarks.server_processes import cpu_s, resident_bytes
from benchmarks.service import Service
from recto.commands.page_processes import core_count

_SETTLE_S: Final = 8.0
_STARTS: Final = 9
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
    starts_s = sorted(start_s() for _ in range(_STARTS))
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder:
        service = Service(Path(folder), core_count())
        try:
            time.sleep(_SETTLE_S)
            pids = family(service.process.pid)
            before_s = {pid: cpu_s(pid) for pid in pids}
            time.sleep(given.seconds)
            rows = [
                (process_name(pid), 100 * (cpu_s(pid) - before_s[pid]) / given.seconds, resident_bytes(pid))
                for pid in pids
            ]
        finally:
            service.stop()
    print(
        f"Start to ready: {statistics.median(starts_s):.2f} s (aim: 2), median of {_STARTS} starts, the quickest {starts_s[0]:.2f}, "
        f"the slowest {starts_s[-1]:.2f}\n\n| process | % of a core | MiB |\n|---|---:|---:|"
    )
    for name, percent, memory_bytes in rows:
        print(f"| {name} | {percent:.2f} | {memory_bytes >> 20} |")
    print(f"\nAll together: {sum(percent for _, percent, _ in rows):.2f} % of a core (aim: 1)")
    if given.json:
        given.json.write_text(json.dumps({"starts_s": starts_s, "processes": rows}, indent=1), encoding="utf-8")


def start_s() -> float:
    """Seconds from the start to the first answer, with an empty storage."""
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder:
        began_s = time.monotonic()
        service = Service(Path(folder), core_count())
        took_s = time.monotonic() - began_s
        service.wait_for_worker()
        service.stop()
        return took_s


def process_name(pid: int) -> str:
    """What the process is, of those that Recto has."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return next((name for part, name in _NAMES.items() if part in command), "resource tracker")


if __name__ == "__main__":
    main()
