"""Where the processor time of the running service goes while it reads: one row for each thing that is done, and a flame graph.

    python -m benchmarks.profile [--pages N] [--flame-graph FILE.svg]

Drawn documents as in benchmarks/throughput.py, N pages (24), POSTed until searchable PDF, text and JSON are ready. What Backend and Worker use
is the system's account of their processor time. That of the page processes is divided by what py-spy sees them at, a hundred looks a
second; a look counts for the innermost thing below that its stack is in, and for nothing where the process waits.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.idle import process_name
from benchmarks.process_memory import family
from benchmarks.server_processes import cpu_s
from benchmarks.service import Service
from benchmarks.throughput import draw_documents, through_service
from recto.commands.page_processes import core_count

_CLIENTS: Final = 4
_LOOKS_PER_S: Final = 100
_STOP_S: Final = 60.0
_LINE: Final = re.compile(r"(?P<stack>.*) (?P<looks>\d+)")

THINGS: Final = (
    ("second readings of doubtful lines", ("read_again (recto/ocr/",)),
    ("a second reading of the whole page", ("_cleared_where_better (recto/ocr/", "_turned_attempt (recto/ocr/")),
    ("which way is up (OSD)", ("detect_script (recto/ocr/",)),
    ("the first reading", ("recognise (recto/ocr/engines/",)),
    ("measuring and preparing the page", ("preprocess (recto/ocr/preprocessing/",)),
    ("pixels out of the file", ("load_page (recto/ocr/", "text_layer (recto/ocr/documents.py", "inspect (recto/ocr/")),
    (
        "reading order, places on the original, scraps, page numbers",
        (
            "in_reading_order (recto/ocr/",
            "map_blocks (recto/ocr/",
            "without_scraps (recto/ocr/",
            "with_page_numbers (recto/ocr/",
        ),
    ),
    ("writing the searchable PDF", ("write_pdf (recto/ocr/writers/",)),
    ("writing text and JSON", ("write_text (recto/ocr/writers/", "write_json (recto/ocr/writers/")),
    ("checkpoints of pages", ("page_to_json (recto/ocr/", "page_from_json (recto/ocr/")),
)
"""What a page process does, and by which frames it is known. What stands first lies within what stands behind."""
READING: Final = ("second readings", "a second reading", "which way is up", "the first reading")
_OTHERWISE: Final = "page processes, the rest"
_PAGE_PROCESS: Final = "spawn_main"
_WAITS: Final = ("wait (threading.py", "unix_poll (pebble/", "get (multiprocessing/queues.py", "spawn_main")
"""Frames in which a thread of a page process stands while it waits for work."""


def thing(stack: str) -> str:
    """What a process does that stands there; frames from the outermost to the innermost, divided by semicolons."""
    return next((name for name, frames in THINGS if any(frame in stack for frame in frames)), _OTHERWISE)


def looks(raw: str) -> Iterator[tuple[str, int]]:
    """The stacks of py-spy's format `raw`, with how often each was seen."""
    for line in raw.splitlines():
        found = _LINE.fullmatch(line)
        if found:
            yield found["stack"], int(found["looks"])


def profile(page_count: int, flame_graph: Path | None) -> dict[str, float]:
    """Seconds of processor time by what was done."""
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder:
        raw = Path(folder) / "looks"
        documents = draw_documents(Path(folder) / "drawn", page_count)
        service = Service(Path(folder), core_count())
        try:
            token = service.new_token()
            service.wait_for_worker()
            pids = family(service.process.pid)
            spies = [_spy(service.process.pid, "raw", raw)]
            if flame_graph:
                spies.append(_spy(service.process.pid, "flamegraph", flame_graph))
            before_s = {pid: cpu_s(pid) for pid in pids}
            with ThreadPoolExecutor(_CLIENTS) as clients:
                list(clients.map(partial(through_service, service.address, token), documents))
            used_s: defaultdict[str, float] = defaultdict(float)
            for pid in pids:
                used_s[process_name(pid)] += cpu_s(pid) - before_s[pid]
        finally:
            service.stop()
        for spy in spies:
            _, said = spy.communicate(timeout=_STOP_S)
            if spy.returncode:
                raise SystemExit(f"py-spy could not look into the service: {said.strip()}")
        return used_s | _divided(used_s.pop("page process"), raw.read_text(encoding="utf-8"))


def _divided(used_s: float, raw: str) -> dict[str, float]:
    """The processor time of the page processes by what they did."""
    seen: Counter[str] = Counter()
    for stack, count in looks(raw):
        innermost = stack.rpartition(";")[2]
        if _PAGE_PROCESS in stack and not any(frame in innermost for frame in _WAITS):
            seen[thing(stack)] += count
    return {name: used_s * count / seen.total() for name, count in seen.items()}


def _spy(pid: int, output: str, file: Path) -> "subprocess.Popen[str]":
    command = [
        "--pid",
        str(pid),
        "--subprocesses",
        "--rate",
        str(_LOOKS_PER_S),
        "--format",
        output,
        "--output",
        str(file),
    ]
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("py-spy")), "record", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=24)
    parser.add_argument("--flame-graph", type=Path)
    given = parser.parse_args()
    used_s = profile(given.pages, given.flame_graph)
    total_s = sum(used_s.values())
    print(f"{given.pages} pages, {total_s:.1f} s of processor time\n")
    print("| what is done | share | ms a page |\n|---|---:|---:|")
    for name, seconds in sorted(used_s.items(), key=lambda item: -item[1]):
        print(f"| {name} | {seconds / total_s:.1%} | {1000 * seconds / given.pages:.0f} |")
    reading_s = sum(seconds for name, seconds in used_s.items() if name.startswith(READING))
    print(f"\nThe engine at work: {reading_s / total_s:.0%}.")


if __name__ == "__main__":
    main()
