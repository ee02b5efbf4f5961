"""Accuracy of raw Tesseract and of Recto on page images with ground truth.

    python -m benchmarks.accuracy DATA [--per-set N]

DATA holds folders of NAME.png (or jpg, tif) with NAME.gt.txt beside it, and a file LANG with the Tesseract language. Both systems run as
commands, one page after the other, with nothing left warm between pages. Printed for each folder and system:

CER      edit distance / characters of the truth, all pages together, after NFC and with runs of white space as one space
word F1  F1 over the multiset of words, case and quotation marks folded: blind to reading order, so fair to tables and forms
CPU      seconds a page of the command with its children, start-up included
"""

import argparse
import math
import os
import resource
import subprocess
import sys
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.page_sets import pages_of

ROOT = Path(__file__).parent.parent
SYSTEMS = {
    "tesseract": ("tesseract", "{image}", "-", "-l", "{language}"),
    "recto": (
        sys.executable,
        str(ROOT / "ocr_worker.py"),
        "recognise",
        "{image}",
        "-l",
        "{language}",
        "--processes",
        "1",
    ),
}
FOLDED = str.maketrans("‘’“”„–—ſ", '\'\'"""--s')


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over pages."""

    pages: int = 0
    characters: int = 0
    edits: int = 0
    true_words: int = 0
    read_words: int = 0
    right_words: int = 0
    cpu_s: float = 0.0

    def __add__(self, other: "Score") -> "Score":
        names = self.__slots__
        return Score(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def cer(self) -> float:
        """Character error rate."""
        return self.edits / max(1, self.characters)

    @property
    def word_f1(self) -> float:
        """From 0 to 1."""
        return 2 * self.right_words / max(1, self.true_words + self.read_words)


def normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def words(text: str) -> Counter[str]:
    return Counter(normalised(text).translate(FOLDED).casefold().split())


def edit_distance(first: str, second: str) -> int:
    """Levenshtein's (1966), a row of the table at a time."""
    columns = np.arange(len(second) + 1)
    target = np.array([ord(character) for character in second])
    row = columns.copy()
    for count, character in enumerate(first, start=1):
        replaced = row[:-1] + (target != ord(character))
        below = np.concatenate([[count], np.minimum(row[1:] + 1, replaced)])
        # An insertion costs one a column: the least so far, each less its column.
        row = np.minimum.accumulate(below - columns) + columns
    return int(row[-1])


def children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_page(system: str, image: Path, language: str) -> tuple[str, float]:
    """The text and the CPU seconds; a page that fails counts as empty, and its error is shown."""
    command = [part.format(image=image, language=language) for part in SYSTEMS[system]]
    before = children_cpu_s()
    answer = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "OMP_THREAD_LIMIT": "1"})
    if answer.returncode:
        print(f"{system}: {image.name}: {answer.stderr.decode(errors='replace')[-200:]}", file=sys.stderr)
        return "", children_cpu_s() - before
    return answer.stdout.decode("utf-8", "replace"), children_cpu_s() - before


def score_page(truth: str, text: str, cpu_s: float) -> Score:
    wanted, found = words(truth), words(text)
    return Score(
        pages=1,
        characters=len(normalised(truth)),
        edits=edit_distance(normalised(truth), normalised(text)),
        true_words=wanted.total(),
        read_words=found.total(),
        right_words=(wanted & found).total(),
        cpu_s=cpu_s,
    )


def score_set(folder: Path, most: int) -> dict[str, Score]:
    language = (folder / "LANG").read_text(encoding="utf-8").strip()
    scores = dict.fromkeys(SYSTEMS, Score())
    for image, truth in pages_of(folder, most):
        for system in SYSTEMS:
            scores[system] += score_page(truth, *read_page(system, image, language))
    return scores


def error_ratio(scores: dict[str, Score]) -> float:
    """Recto's word errors by Tesseract's. The small constant keeps a perfect set finite."""
    return (1 - scores["recto"].word_f1 + 1e-4) / (1 - scores["tesseract"].word_f1 + 1e-4)


def table_row(name: str, scores: dict[str, Score]) -> str:
    figures = [
        f"{score.cer:.4f} | {score.word_f1:.4f} | {score.cpu_s / score.pages:.1f} s" for score in scores.values()
    ]
    return f"| {name} | {scores['recto'].pages} | {' | '.join(figures)} | {error_ratio(scores):.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--per-set", type=int, default=0, help="at most this many pages of each folder; 0: all")
    options = parser.parse_args()
    columns = [f"{system} CER | {system} word F1 | {system} CPU" for system in SYSTEMS]
    print(f"| set | pages | {' | '.join(columns)} | word errors by tesseract's |")
    print("|---|" + "--:|" * 8)
    ratios = []
    for language in sorted(options.data.glob("*/LANG")):
        scores = score_set(language.parent, options.per_set)
        if not scores["recto"].pages:
            continue
        ratios.append(error_ratio(scores))
        print(table_row(language.parent.name, scores), flush=True)
    if ratios:
        print(
            f"\nWord errors, geometric mean over the sets: {math.prod(ratios) ** (1 / len(ratios)):.3f} of tesseract's."
        )


if __name__ == "__main__":
    main()
