"""Whether short pages are read and blank ones stay blank, and what a blank page costs.

    python -m benchmarks.short_pages [--seed S] [--tessdata FOLDER] [--kinds a,b] [--list]

The pages are drawn in code (benchmarks.drawn_pages.short) and read in this process. A short page counts as read right where its text comes back, white
space aside; its word F1 is that of benchmarks.text_scores. Kinds whose language is not installed are left out, and named. --list tells of each page
that is wrong.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmarks.drawn_pages.short import ShortPage, blank_pages, short_pages
from benchmarks.text_scores import Score, normalised, score_page
from recto.ocr.documents import Limits
from recto.ocr.engines.tesserocr_engine import TesserocrEngine
from recto.ocr.page import PageImage
from recto.ocr.reading import Reader, read_image


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a page; `cpu_s` is the reading's alone."""

    page: ShortPage
    text: str
    score: Score

    @property
    def is_right(self) -> bool:
        """Letter for letter."""
        return normalised(self.text) == normalised(self.page.truth)


def read(page: ShortPage, reader: Reader) -> Outcome:
    started_s = time.process_time()
    reading = read_image(PageImage(page.pixels, float(page.dpi)), (page.language,), reader)
    took_s = time.process_time() - started_s
    text = "\n".join(line.text for block in reading.blocks for line in block.lines)
    return Outcome(page, text, score_page(page.truth, text, took_s))


def table(title: str, outcomes: Iterable[Outcome]) -> str:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.page.kind].append(outcome)
    groups["all"] = list(chain.from_iterable(groups.values()))
    rows = [f"| {title} | pages | right | nothing read | word F1 | CPU a page |", "|---|--:|--:|--:|--:|--:|"]
    for kind, members in groups.items():
        score = sum((member.score for member in members), Score())
        right, nothing = sum(member.is_right for member in members), sum(not member.text.strip() for member in members)
        f1 = f"{score.word_f1:.3f}" if score.true_words else ""
        rows.append(f"| {kind} | {len(members)} | {right} | {nothing} | {f1} | {score.cpu_a_page_s:.2f} s |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tessdata", type=Path, help="Tesseract's data; the system's where it is left out")
    parser.add_argument("--kinds", default="", help="comma-separated; all where it is left out")
    parser.add_argument("--list", action="store_true", help="name the pages that are wrong")
    options = parser.parse_args()
    engine = TesserocrEngine(options.tessdata)
    reader = Reader(engine, Limits(1, 200_000_000), ("eng",))
    kinds = {kind for kind in options.kinds.split(",") if kind}
    left_out: set[str] = set()
    for title, pages in (("short pages", short_pages(options.seed)), ("blank pages", blank_pages(options.seed))):
        outcomes = []
        for page in pages:
            if kinds and page.kind not in kinds:
                continue
            if page.language not in engine.languages():
                left_out.add(f"{page.kind} ({page.language})")
                continue
            outcomes.append(read(page, reader))
            if options.list and not outcomes[-1].is_right:
                print(f"{page.kind}: {page.name}: {page.truth.strip()!r} -> {outcomes[-1].text!r}")
        print(f"\n{table(title, outcomes)}", flush=True)
    if left_out:
        print(f"\nLeft out, since their language is not installed: {', '.join(sorted(left_out))}.")


if __name__ == "__main__":
    main()
