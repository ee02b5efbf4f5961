"""A born-digital PDF taken at its word (`--mode auto`) against the same PDF read from its pixels (`--mode force`).

    python -m benchmarks.text_layers [--pages 50] [--runs 3]

Both run as commands, in turns, start-up included. Printed: the median seconds of each and their ratio, and how far each text agrees with
what was drawn: CER and word F1 as in benchmarks/text_scores.py.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.drawn_documents import page_lines, word_processor_pdf
from benchmarks.text_scores import Score, score_page

ROOT = Path(__file__).resolve().parent.parent
MODES = ("auto", "force")


def read(path: Path, mode: str) -> tuple[str, float]:
    """The text, and the seconds that the command took."""
    started_s = time.monotonic()
    command = [sys.executable, str(ROOT / "ocr_worker.py"), "recognise", str(path), "--mode", mode]
    answer = subprocess.run(command, capture_output=True, check=True)
    return answer.stdout.decode("utf-8"), time.monotonic() - started_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    truths = ["\n".join(page_lines(number)) for number in range(1, options.pages + 1)]
    took_s: dict[str, list[float]] = {mode: [] for mode in MODES}
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = word_processor_pdf(Path(folder) / "born-digital.pdf", options.pages)
        for _ in range(options.runs):
            for mode in MODES:
                texts[mode], seconds = read(path, mode)
                took_s[mode].append(seconds)
    print("| mode | median time | a page | CER | word F1 |\n|---|--:|--:|--:|--:|")
    for mode in MODES:
        pages = texts[mode].split("\f")
        score = sum((score_page(*pair, 0.0) for pair in zip(truths, pages, strict=True)), Score())
        median_s = statistics.median(took_s[mode])
        print(
            f"| {mode} | {median_s:.2f} s | {median_s / options.pages:.3f} s | {score.cer:.4f} | {score.word_f1:.4f} |"
        )
    ratio = statistics.median(took_s["auto"]) / statistics.median(took_s["force"])
    print(f"\nauto takes {ratio:.3f} of the time of force.")


if __name__ == "__main__":
    main()
