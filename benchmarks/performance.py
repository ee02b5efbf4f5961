"""Run the speed benchmarks one after another and write their tables into the documents, between the comments that name them.

    python -m benchmarks.performance [--sample] [--only a,b] [--documents FOLDER] [--page FILE]

--sample takes a few minutes in all and shows the tables without writing them, unless --page names a file; it leaves out what needs a browser.
The tables belong to docs/performance.md, that of the review page to docs/review.md.
"""

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from recto.commands.page_processes import core_count

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "performance.md"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A module of this package, with its arguments for a sample, None where it has none, and for all of it."""

    module: str
    sample: tuple[str, ...] | None
    full: tuple[str, ...] = ()
    takes_documents: bool = False
    page: Path = PAGE


BENCHMARKS: Final = {
    "throughput": Benchmark("throughput", ("--pages", "12", "--rounds", "1"), (), takes_documents=True),
    "profile": Benchmark("profile", ("--pages", "12"), ("--pages", "60")),
    "latency": Benchmark("latency", ("--pages", "60", "--repeats", "16")),
    "waiters": Benchmark("waiters", ("500",), ("2000",)),
    "queue": Benchmark("queue_size", ("--many", "100000", "--repeats", "50")),
    "idle": Benchmark("idle", ("--seconds", "10")),
    "uploads": Benchmark("uploads", ("--documents", "160", "--rounds", "2")),
    "scaling": Benchmark("scaling", None, ("--plot", "docs/images/scaling.svg"), page=ROOT / "docs" / "scaling.md"),
    "first-load": Benchmark("first_load", None),
    "review-page": Benchmark("review_page", None, page=ROOT / "docs" / "review.md"),
}


def run(benchmark: Benchmark, arguments: tuple[str, ...]) -> str:
    """The block for the page: date, command, and what it printed."""
    command = ["python", "-m", f"benchmarks.{benchmark.module}", *arguments]
    print(f"$ {' '.join(command)}", file=sys.stderr, flush=True)
    environ = os.environ | {"PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, *command[1:]], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True
    )
    shown = " ".join("FOLDER" if Path(part).is_dir() else part for part in command)
    return f"`{shown}`, {datetime.now(UTC):%Y-%m-%d}, {core_count()} cores:\n\n{done.stdout.strip()}\n"


def replaced(page: str, name: str, block: str) -> str:
    """The page with another block between the comments of that name. SystemExit where it has none."""
    pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"The page has no place for the table '{name}': <!-- begin {name} --> … <!-- end {name} -->.")
    return pattern.sub(lambda found: f"{found[1]}\n{block}\n{found[2]}", page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--only", default=",".join(BENCHMARKS))
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    for name in given.only.split(","):
        benchmark = BENCHMARKS[name]
        arguments = benchmark.sample if given.sample else benchmark.full
        if arguments is None:
            continue
        page = given.page or (None if given.sample else benchmark.page)
        if benchmark.takes_documents and given.documents:
            arguments = (str(given.documents), *arguments)
        block = run(benchmark, arguments)
        print(f"{block}\n", flush=True)
        if page:
            page.write_text(replaced(page.read_text(encoding="utf-8"), name, block), encoding="utf-8")


if __name__ == "__main__":
    main()
