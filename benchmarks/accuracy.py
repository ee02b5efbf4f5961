"""Accuracy of Tesseract, OCRmyPDF and Recto on page images with ground truth.

    python -m benchmarks.accuracy DATA [--degraded] [--drawn] [--ablation] [--per-set N] [--jobs N] [--json FILE]

DATA holds folders of NAME.png (or jpg, tif) with NAME.gt.txt beside it, and a file LANG with the Tesseract language. What is read:

            without an option the sets of DATA
--degraded  the sets of DATA as they are and damaged by families (benchmarks.degradations), each at its strengths
--drawn     pages drawn in code (benchmarks.drawn_pages); needs no DATA

All systems run as commands, with nothing left warm between pages; their start is measured once on a tiny blank page and taken off the CPU
seconds of each page. CER and word F1 are explained in benchmarks.text_scores. --ablation measures Recto alone, with each step of its
preprocessing switched off in turn.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from benchmarks import accuracy_sources
from benchmarks.accuracy_sources import Page
from benchmarks.accuracy_tables import Reading, Readings, ablation_table, figures_table, ratios_table
from benchmarks.degradations import FAMILIES, STRENGTHS
from benchmarks.ocr_systems import ABLATIONS, RECTO, SYSTEMS, Command, chosen_systems, read_page, startup_cpu_s
from benchmarks.text_scores import score_page


def read_and_score(page: Page, system: str, command: Command) -> Reading:
    text, cpu_s, problem = read_page(command, page.image, page.language)
    return Reading(page, system, score_page(page.truth, text, cpu_s), problem)


def read_all(pages: list[Page], systems: dict[str, Command], jobs: int) -> Readings:
    """Every page by every system, so many at a time. The CPU of a process's children is its own, hence processes and not threads."""
    startup_s = {system: startup_cpu_s(command) for system, command in systems.items()}
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [
            pool.submit(read_and_score, page, system, command) for page in pages for system, command in systems.items()
        ]
        for done, _ in enumerate(as_completed(waiting), start=1):
            if done % 100 == 0:
                print(f"{done} of {len(waiting)} readings", file=sys.stderr, flush=True)
    return Readings(tuple(future.result() for future in waiting), startup_s)


def sources(options: argparse.Namespace, scratch: Path) -> Iterator[tuple[str, list[Page]]]:
    """Headings and pages of what was asked for."""
    if options.data is None and (options.degraded or not options.drawn):
        raise SystemExit("Name a folder of scans with their true text, or --drawn, which needs none.")
    if not options.degraded and not options.drawn:
        yield "Sets", accuracy_sources.scanned(options.data, options.per_set)
    if options.degraded:
        families, strengths = options.families.split(","), options.strengths.split(",")
        place = scratch / "degraded"
        heading = f"Degradations, seed {options.seed}"
        yield heading, accuracy_sources.damaged(options.data, place, families, strengths, options.per_set, options.seed)
    if options.drawn:
        place = scratch / "drawn"
        yield f"Drawn pages, seed {options.seed}", accuracy_sources.drawn(place, options.per_set, options.seed)


def report(heading: str, readings: Readings, *, ablation: bool) -> Iterator[str]:
    starts = ", ".join(f"{system} {seconds:.2f} s" for system, seconds in readings.startup_s.items())
    yield f"\n## {heading}\n\nCPU of the start, taken off each page's: {starts}.\n"
    if ablation:
        yield from ablation_table(readings)
    else:
        yield from figures_table(readings)
        yield ""
        yield from ratios_table(readings)
    for reading in readings.all:
        if reading.problem:
            yield f"\n{reading.system} failed on {reading.page.group}, {reading.page.image.name}: {reading.problem}"


def as_json(heading: str, readings: Readings) -> list[dict[str, object]]:
    """A row for each page and system."""
    return [
        {
            "source": heading,
            "set": reading.page.group,
            "page": f"{reading.page.image.parent.name}/{reading.page.image.name}",
            "system": reading.system,
            "startup_s": readings.startup_s[reading.system],
            **{name: getattr(reading.score, name) for name in reading.score.__slots__},
            "problem": reading.problem,
        }
        for reading in readings.all
    ]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--degraded", action="store_true")
    parser.add_argument("--drawn", action="store_true")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--per-set", type=int, default=0, help="at most this many pages of each set or kind; 0: all")
    parser.add_argument("--families", default=",".join(FAMILIES), help="degradations, comma-separated")
    parser.add_argument("--strengths", default=",".join(STRENGTHS), help="of the degradations, comma-separated")
    parser.add_argument("--systems", default="", help=f"comma-separated: {', '.join([*SYSTEMS, *ABLATIONS])}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="pages read at the same time")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn and damaged")
    parser.add_argument("--json", type=Path, help="write every page's figures here")
    return parser.parse_args()


def main() -> None:
    options, rows = parsed(), []
    names = options.systems.split(",") if options.systems else [RECTO, *ABLATIONS] if options.ablation else [*SYSTEMS]
    systems = chosen_systems(names)
    with tempfile.TemporaryDirectory() as scratch:
        for heading, pages in sources(options, Path(scratch)):
            if not pages:
                print(f"\n## {heading}\n\nNo pages: {options.data} has no folder with LANG, NAME.png and NAME.gt.txt.")
                continue
            readings = read_all(pages, systems, options.jobs)
            print(*report(heading, readings, ablation=options.ablation), sep="\n", flush=True)
            rows += as_json(heading, readings)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
