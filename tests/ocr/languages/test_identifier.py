import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.ocr.languages.identifier import (
    chinese_script,
    count_letters,
    group_lines,
    label_probabilities,
    letter_shares,
    script_of_text,
)

GERMAN = "Jeden Morgen öffnet der Bäcker seinen kleinen Laden, heizt den Ofen und knetet Teig für das ganze Dorf."
FRENCH = "Chaque matin le boulanger ouvre sa petite boutique, allume le four et pétrit la pâte pour tout le village."


def test_probabilities_of_a_sentence_are_its_languages() -> None:
    assert label_probabilities(GERMAN)["de"] > 0.9
    assert label_probabilities(FRENCH)["fr"] > 0.9


def test_shares_of_a_text_in_two_languages_are_about_halves() -> None:
    shares = letter_shares([GERMAN, FRENCH])
    assert shares["de"] == pytest.approx(0.5, abs=0.1)
    assert shares["fr"] == pytest.approx(0.5, abs=0.1)


def test_shares_among_given_labels_add_up_to_one() -> None:
    shares = letter_shares([GERMAN, FRENCH], frozenset({"en", "fr"}))
    assert set(shares) == {"en", "fr"}
    assert sum(shares.values()) == pytest.approx(1)


@given(st.lists(st.text("abcdeé 1,.", max_size=120)))
def test_groups_keep_every_letter_in_order(lines: list[str]) -> None:
    def letters(parts: list[str]) -> str:
        return "".join(filter(str.isalpha, "".join(parts)))

    groups = group_lines(lines)
    assert letters(list(groups)) == letters(lines)
    assert all(count_letters(group) >= 80 for group in groups[:-1])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Guten Morgen", "Latn"),
        ("Доброе утро", "Cyrl"),
        ("Καλημέρα", "Grek"),
        ("お早うございます、先生", "Jpan"),
        ("早上好", "Hani"),
        ("좋은 아침", "Kore"),
        ("صباح الخير", "Arab"),
        ("123 + 4 = 127", None),
        ("", None),
    ],
)
def test_script_of_a_text_is_that_of_its_letters(text: str, code: str | None) -> None:
    assert script_of_text(text) == code


def test_chinese_is_told_by_its_characters() -> None:
    assert chinese_script("点燃烤炉为全村人揉面") == "Hans"
    assert chinese_script("點燃烤爐為全村人揉麵") == "Hant"


def test_identifier_is_not_loaded_before_a_text_is_to_be_identified() -> None:
    code = "import sys, recto.ocr.languages.detection; print('py3langid' in sys.modules)"
    root = Path(__file__).parents[3]
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert answer.stdout.strip() == "False"
