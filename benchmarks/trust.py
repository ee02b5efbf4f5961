"""How likely it is that a word was read right: fits the weights of recto/ocr/trust.py and shows what they are worth.

    python -m benchmarks.trust DATA [--per-set N] [--plot FILE.svg]

DATA holds folders of NAME.png (or jpg, tif) with NAME.gt.txt beside it, and a file LANG with the Tesseract language. Each page is read once, by
the default engine, without what uses the estimate itself: the second reading and the scraps. A word is right where the page's truth has it;
of words read more often than they stand there, the most confident ones are.

Markdown: the weights fitted on all sets; the log loss on each set, fitted on the others alone; and, set by set, the mean estimate and the
share that is right for each tenth of the estimates. --plot draws the latter.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_sources import Page, folders, set_pages
from benchmarks.reliability_diagram import Dot, write_diagram
from benchmarks.text_scores import words
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits, load_page
from recto.ocr.engines.select import choose_engine
from recto.ocr.options import Options
from recto.ocr.page import Word, words_of
from recto.ocr.reading import Reader, read_image

Floats: TypeAlias = NDArray[np.float64]

STEPS: Final = Options(preprocess=("no-second_reading", "no-scraps")).steps
LEAST_CONFIDENCE: Final = 0.02
RIDGE: Final = 1.0
ROUNDS: Final = 50
BINS: Final = 10
FEWEST: Final = 20
"""A bin of fewer words tells nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The words of one set, a row for each. `features` has shape (n, 7), see `features_of`; `confidence` and `right` have shape (n,)."""

    features: Floats
    confidence: Floats
    right: Floats

    @property
    def without_list(self) -> "Sample":
        """As from an engine that does not say whether its list has a word."""
        return Sample(self.features[:, :5], self.confidence, self.right)


def features_of(word: Word) -> list[float]:
    """Those of recto/ocr/trust.py: constant, logit of the confidence, has_digit, is_short, is_sign; the first two again if listed."""
    confidence = min(max(word.confidence, LEAST_CONFIDENCE), 1 - LEAST_CONFIDENCE)
    logit = float(np.log(confidence / (1 - confidence)))
    letters = [character for character in word.text if character.isalnum()]
    has_digit = any(character.isdigit() for character in letters)
    is_short = 0 < len(letters) <= 2 and not has_digit
    is_listed = bool(word.in_dictionary)
    return [1.0, logit, float(has_digit), float(is_short), float(not letters), float(is_listed), is_listed * logit]


def labels(read: list[Word], truth: str) -> list[bool]:
    """Of each word, whether the truth has it: as often as it stands there, the most confident first."""
    left = words(truth)
    right = [False] * len(read)
    for index in sorted(range(len(read)), key=lambda index: -read[index].confidence):
        found = words(read[index].text)
        right[index] = found <= left
        if right[index]:
            left.subtract(found)
    return right


def sample_of(read: list[Word], right: list[bool]) -> Sample:
    features = np.array([features_of(word) for word in read], dtype=np.float64).reshape(-1, 7)
    return Sample(features, np.array([word.confidence for word in read]), np.array(right, dtype=np.float64))


def read_set(pages: Iterable[Page], reader: Reader) -> Sample:
    read: list[Word] = []
    right: list[bool] = []
    for page in pages:
        image = load_page(DocumentFile(page.image), 1, reader.limits)
        found = list(words_of(read_image(image, tuple(page.language.split("+")), reader, STEPS).blocks))
        read += found
        right += labels(found, page.truth)
        print(f"{page.group} {page.image.name}: {len(found)} words", file=sys.stderr, flush=True)
    return sample_of(read, right)


def fit(samples: Iterable[Sample]) -> Floats:
    """Weights of the features by Newton's method; each set counts as much as any other, however many words it has."""
    taken = list(samples)
    mean_size = sum(len(sample.right) for sample in taken) / len(taken)
    features = np.concatenate([sample.features for sample in taken])
    right = np.concatenate([sample.right for sample in taken])
    share = np.concatenate([np.full(len(sample.right), mean_size / len(sample.right)) for sample in taken])
    weights = np.zeros(features.shape[1])
    for _ in range(ROUNDS):
        estimate = estimates(features, weights)
        slope = features.T @ (share * (right - estimate)) - RIDGE * weights
        bend = (features.T * (share * estimate * (1 - estimate))) @ features + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(bend, slope)
    return weights


def estimates(features: Floats, weights: Floats) -> Floats:
    """Probabilities that words are right."""
    return np.asarray(1 / (1 + np.exp(-features @ weights)))


def left_out_estimates(samples: Mapping[str, Sample]) -> dict[str, Floats]:
    """For the words of each set, by weights fitted on the others alone."""
    return {
        name: estimates(sample.features, fit(other for key, other in samples.items() if key != name))
        for name, sample in samples.items()
    }


def log_loss(estimate: Floats, right: Floats) -> float:
    """The mean of -log of the probability given to what is true, in nats."""
    sure = np.clip(estimate, LEAST_CONFIDENCE / 2, 1 - LEAST_CONFIDENCE / 2)
    return float(-np.mean(right * np.log(sure) + (1 - right) * np.log(1 - sure)))


def reliability(estimate: Floats, right: Floats) -> list[Dot | None]:
    """For each tenth of the estimates its words' mean estimate and share right; None where there are too few."""
    bins = np.minimum((estimate * BINS).astype(int), BINS - 1)
    members = [bins == number for number in range(BINS)]
    return [
        Dot(float(estimate[inside].mean()), float(right[inside].mean()), int(inside.sum()))
        if inside.sum() >= FEWEST
        else None
        for inside in members
    ]


def weight_lines(samples: Mapping[str, Sample]) -> Iterator[str]:
    """As they stand in recto/ocr/trust.py."""
    constant, confidence, *others, listed_constant, listed_confidence = fit(samples.values())
    yield weight_line("_WITHOUT_LIST", fit(sample.without_list for sample in samples.values()))
    yield weight_line("_NOT_LISTED", [constant, confidence, *others])
    yield weight_line("_LISTED", [constant + listed_constant, confidence + listed_confidence, *others])


def weight_line(name: str, weights: Iterable[float]) -> str:
    names = ("constant", "confidence", "has_digit", "is_short", "is_sign")
    given = ", ".join(f"{key}={weight:.2f}" for key, weight in zip(names, weights, strict=True))
    return f"{name}: Final = _Weights({given})"


def loss_table(samples: Mapping[str, Sample]) -> Iterator[str]:
    estimate = left_out_estimates(samples)
    without = left_out_estimates({name: sample.without_list for name, sample in samples.items()})
    yield "| set | words | right | log loss: base rate | confidence | estimate without list | estimate |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for name, sample in samples.items():
        right = sample.right
        guesses = (np.full(len(right), right.mean()), sample.confidence, without[name], estimate[name])
        losses = " | ".join(f"{log_loss(guess, right):.3f}" for guess in guesses)
        yield f"| {name} | {len(right)} | {right.mean():.3f} | {losses} |"


def reliability_table(curves: Mapping[str, list[Dot | None]]) -> Iterator[str]:
    yield f"| estimate | {' | '.join(curves)} |"
    yield "|---|" + "--:|" * len(curves)
    for number, dots in enumerate(zip(*curves.values(), strict=True)):
        cells = (f"{dot.estimate:.2f} → {dot.right:.2f} ({dot.words})" if dot else "" for dot in dots)
        yield f"| {number / BINS:.1f} to {(number + 1) / BINS:.1f} | {' | '.join(cells)} |"


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--per-set", type=int, default=0, help="at most this many pages of each set; 0: all")
    parser.add_argument("--plot", type=Path, help="write the reliability diagram here, as SVG")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    reader = Reader(choose_engine("auto"), Limits(5000, 200_000_000), ("eng",))
    sets = {folder.name: list(set_pages(folder, folder.name, options.per_set)) for folder in folders(options.data)}
    samples = {name: sample for name, pages in sets.items() if len((sample := read_set(pages, reader)).right)}
    if len(samples) < 2:
        raise SystemExit(f"{options.data} has fewer than two sets with words: one is fitted on and another judged by.")
    print(f"{reader.engine_name}, {sum(map(len, sets.values()))} pages\n", *weight_lines(samples), "", sep="\n")
    estimate = left_out_estimates(samples)
    curves = {name: reliability(estimate[name], sample.right) for name, sample in samples.items()}
    raw = {name: reliability(sample.confidence, sample.right) for name, sample in samples.items()}
    print(*loss_table(samples), "", *reliability_table(curves), sep="\n")
    print("\nThe engine's own confidence:\n", *reliability_table(raw), sep="\n")
    if options.plot:
        write_diagram(options.plot, {"The engine's confidence": raw, "Recto's estimate": curves})


if __name__ == "__main__":
    main()
