"""The trust benchmark's arithmetic: labels, features, the fit and its tables."""

from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from benchmarks.reliability_diagram import Dot, write_diagram
from benchmarks.trust import estimates, features_of, fit, labels, log_loss, reliability, reliability_table, sample_of
from recto.ocr import trust as weights_in_use
from recto.ocr.layout import quad_of
from recto.ocr.page import Box, Word


def word(text: str, confidence: float = 0.9, *, is_listed: bool | None = False) -> Word:
    box = Box(0, 0, 10, 10)
    return Word(text, confidence, box, quad_of(box), is_listed)


def test_labels_of_a_repeated_word_count_the_most_confident_first() -> None:
    read = [word("the", 0.5), word("The", 0.9), word("cat", 0.2), word("dog", 0.8)]

    assert labels(read, "the\ncat") == [False, True, True, False]


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize("text", ["word", "of", "12", "a1", "—", "don't"])
@pytest.mark.parametrize("confidence", [0.0, 0.3, 1.0])
def test_features_with_the_weights_in_use_give_the_trust_in_use(text: str, confidence: float, is_listed: bool) -> None:
    read = word(text, confidence, is_listed=is_listed)
    base, listed = weights_in_use._NOT_LISTED, weights_in_use._LISTED
    weights = [base.constant, base.confidence, base.has_digit, base.is_short, base.is_sign]
    weights += [listed.constant - base.constant, listed.confidence - base.confidence]

    estimate = estimates(np.array([features_of(read)]), np.array(weights))

    assert estimate[0] == pytest.approx(weights_in_use.trust(read))


def test_fit_of_sets_of_unequal_size_counts_each_the_same() -> None:
    large = sample_of([word("word", 0.5)] * 900, [True] * 900)
    small = sample_of([word("word", 0.5)] * 100, [False] * 100)

    estimate = estimates(large.features[:1], fit([large, small]))

    assert estimate[0] == pytest.approx(0.5)


def test_log_loss_of_even_odds_is_that_of_a_coin() -> None:
    assert log_loss(np.full(4, 0.5), np.array([0.0, 1.0, 1.0, 1.0])) == pytest.approx(np.log(2))


def test_reliability_of_few_words_in_a_bin_leaves_it_out() -> None:
    dots = reliability(np.array([0.95] * 15 + [1.0] * 5 + [0.1] * 19), np.array([1.0] * 10 + [0.0] * 29))

    assert dots[:9] == [None] * 9
    assert dots[9] == Dot(float(np.mean([0.95] * 15 + [1.0] * 5)), 0.5, 20)
    assert list(reliability_table({"one": dots}))[-1] == "| 0.9 to 1.0 | 0.96 → 0.50 (20) |"


def test_diagram_of_two_panels_has_a_line_for_each_set_and_a_dot_for_each_bin(tmp_path: Path) -> None:
    curves: dict[str, list[Dot | None]] = {
        "a & b": [None, Dot(0.5, 0.25, 30)],
        "c": [Dot(0.1, 0.2, 40), Dot(0.9, 1.0, 50)],
    }
    write_diagram(tmp_path / "trust.svg", {"raw": curves, "fitted": curves})

    picture = etree.parse(tmp_path / "trust.svg").getroot()

    tags = [etree.QName(node).localname for node in picture.iter()]
    assert (tags.count("polyline"), tags.count("circle")) == (4, 2 * 3 + 2)
    assert "a & b" in [node.text for node in picture.iter()]
