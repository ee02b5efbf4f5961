"""Texts of several kinds and languages pass; what fonts without a mapping make of them does not. All texts are our own."""

import random
import string
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recto.ocr.plausibility import agreement, judge_text
from tests.drawing import LINES

TEXTS = {
    "English": " ".join(LINES),
    "German": "Am frühen Morgen öffnet der Bäcker seinen kleinen Laden, heizt den Ofen und knetet den Teig für das ganze Dorf. "
    "Die Leute kommen von weit her, weil niemand sonst so gutes Brot bäckt.",
    "French": "Chaque matin le boulanger ouvre sa petite boutique, allume le four et pétrit la pâte pour tout le village. "
    "Les gens viennent de loin, car personne d'autre ne fait un si bon pain. "
    "En hiver les fenêtres sont blanches de givre et les enfants y dessinent des étoiles.",
    "Polish": "Każdego ranka piekarz otwiera swój mały sklep, rozpala piec i wyrabia ciasto dla całej wsi. "
    "Ludzie przychodzą z daleka, bo nikt inny nie piecze tak dobrego chleba.",
    "Finnish": "Joka aamu leipuri avaa pienen kauppansa, sytyttää uunin ja vaivaa taikinan koko kylälle. "
    "Ihmiset tulevat kaukaa, koska kukaan muu ei leivo niin hyvää leipää.",
    "Russian": "Каждое утро пекарь открывает свою маленькую лавку, растапливает печь и месит тесто для всей деревни. "
    "Люди приходят издалека, потому что никто другой не печёт такой хороший хлеб.",
    "Greek": "Κάθε πρωί ο φούρναρης ανοίγει το μικρό του μαγαζί, ανάβει τον φούρνο και ζυμώνει για όλο το χωριό. "
    "Οι άνθρωποι έρχονται από μακριά, γιατί κανένας άλλος δεν ψήνει τόσο καλό ψωμί.",
    "Hebrew": "כל בוקר האופה פותח את החנות הקטנה שלו, מדליק את התנור ולש בצק לכל הכפר.",
    "Arabic": "كل صباح يفتح الخباز دكانه الصغير ويشعل الفرن ويعجن العجين لكل القرية.",
    "Chinese": "每天早上面包师打开他的小店，点燃炉子，为全村揉面团。人们从很远的地方来买他的面包。",
    "Japanese": "毎朝パン屋さんは小さな店を開けて、オーブンに火を入れ、村のみんなのために生地をこねます。",
    "Hindi": "हर सुबह बेकर अपनी छोटी दुकान खोलता है, तंदूर जलाता है और पूरे गाँव के लिए आटा गूँधता है।",
}

PAPERS = {
    "table": "2019 1,204.50 37 % 12.03.\n2020 1,310.00 41 % 14.03.\n2021 980.25 29 % 09.03.\nTotal 3,494.75",
    "contents": "1 Introduction . . . . . . . . 3\n2 Methods .................. 17\n2.1 Samples .............. 19\nIndex ....... 204",
    "formulas": "f(x) = a x^2 + b x + c, where a ≠ 0. Then x = (−b ± √(b² − 4ac)) / 2a, and f'(x) = 2ax + b for all x ∈ ℝ.",
    "code": "def count_pages(file: DocumentFile) -> int:\n    with open_page(file) as pdf:\n        return len(pdf) + self.offset\n",
    "references": "[12] J. Miller, R. Q. Smith. On ovens. J. Bak. Sci. 14(3), pp. 221-229, 1998. doi:10.1000/xyz123",
    "acronyms": "NASA HTTP XML PDF OCR ISBN\nUNESCO WHO ILO BBC CNN NATO\nGmbH AG KG OHG",
    "addresses": "https://example.org/a/b?c=d&e=f#x12 mail@example.com www.example.net/2021/07/xq7z_file.tar.gz",
    "title": "LXXIV",
    "number": "- 12 -",
    "parts": "AB-1200X 4 pcs M8x40 ISO4017 DIN933 A2-70 K7Z44",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_of_any_language_is_fine(text: str) -> None:
    assert judge_text(text, 0) == "fine"


@pytest.mark.parametrize("text", PAPERS.values(), ids=PAPERS)
def test_text_of_few_words_is_fine(text: str) -> None:
    assert judge_text(text, 0) == "fine"


@pytest.mark.parametrize("text", ["", " \n"])
def test_text_without_characters_is_fine(text: str) -> None:
    assert judge_text(text, 0) == "fine"


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_text_with_many_characters_missing_is_garbled(share: float) -> None:
    assert judge_text(TEXTS["English"], share) == "garbled"
    assert judge_text("", share) == "garbled"
    assert judge_text("ab" + "\ufffd\x01\ue000", 0) == "garbled"


def test_text_with_swapped_bytes_is_garbled() -> None:
    assert judge_text("Bread and butter".encode("utf-16-le").decode("utf-16-be"), 0) == "garbled"


def test_text_with_some_characters_missing_is_doubtful() -> None:
    assert judge_text(TEXTS["English"], 0.05) == "doubtful"


def shifted(text: str, places: int) -> str:
    """Every letter moved along the alphabet."""
    moved = {
        letter: alphabet[(index + places) % 26]
        for alphabet in (string.ascii_lowercase, string.ascii_uppercase)
        for index, letter in enumerate(alphabet)
    }
    return "".join(moved.get(letter, letter) for letter in text)


LATIN_TEXTS = ["English", "German", "French", "Polish", "Finnish"]


@pytest.mark.parametrize("language", LATIN_TEXTS)
@pytest.mark.parametrize("places", [3, 10, 13, 19])
def test_text_in_a_shifted_alphabet_is_doubtful(language: str, places: int) -> None:
    assert judge_text(shifted(TEXTS[language], places), 0) == "doubtful"


ALPHABETS = (string.ascii_lowercase, "абвгдежзийклмнопрстуфхцчшщъыьэюя", "αβγδεζηθικλμνξοπρστυφχψω")


@pytest.mark.parametrize("language", [*LATIN_TEXTS, "Russian", "Greek"])
def test_text_with_exchanged_letters_is_nearly_always_doubtful(language: str) -> None:
    verdicts = []
    for seed in range(30):
        exchange = str.maketrans(
            "".join(ALPHABETS), "".join("".join(random.Random(seed).sample(part, len(part))) for part in ALPHABETS)
        )
        text = unicodedata.normalize("NFD", TEXTS[language].lower()).translate(exchange)
        verdicts.append(judge_text(text, 0))
    assert verdicts.count("fine") <= 4


@pytest.mark.parametrize("language", LATIN_TEXTS)
def test_text_with_glyph_numbers_for_letters_is_doubtful(language: str) -> None:
    """What an embedded subset without a mapping gives: the codes of the letters less 29."""
    text = "".join(letter if letter == " " else chr(max(ord(letter) - 29, 33)) for letter in TEXTS[language])
    assert judge_text(text, 0) == "doubtful"


@pytest.mark.parametrize("text", ["7KLV LV WH[W WKDW QRERG\\ FDQ UHDG", '"7+%-', "T h i s i s t e x t s p a c e d"])
def test_short_nonsense_is_doubtful(text: str) -> None:
    assert judge_text(text, 0) == "doubtful"


@pytest.mark.parametrize("language", ["German", "French", "Polish", "Finnish", "Russian", "Greek", "Chinese"])
def test_text_of_the_wrong_code_page_is_not_fine(language: str) -> None:
    assert judge_text(TEXTS[language].encode().decode("latin-1"), 0) != "fine"


def test_cyrillic_text_read_as_latin_1_is_doubtful() -> None:
    assert judge_text(TEXTS["Russian"].encode("cp1251").decode("latin-1"), 0) == "doubtful"


@pytest.mark.parametrize("language", ["English", "German", "French", "Russian"])
def test_text_with_words_from_the_wrong_end_is_doubtful(language: str) -> None:
    assert judge_text(" ".join(word[::-1] for word in TEXTS[language].split()), 0) == "doubtful"


def test_text_with_final_letters_first_is_doubtful() -> None:
    hebrew = "שלום לכולם, האיש הלך עם הילדים אל הים"
    assert judge_text(hebrew, 0) == "fine"
    assert judge_text(" ".join(word[::-1] for word in hebrew.replace(",", "").split()), 0) == "doubtful"


def test_text_of_letters_from_two_alphabets_is_doubtful() -> None:
    # The Cyrillic and Greek letters here look like Latin ones.
    assert judge_text("ϲΒϴΒhab тhе Вrеаd оvеn rеd flоur", 0) == "doubtful"


@settings(deadline=None)
@given(st.text(max_size=400), st.floats(0, 1))
def test_judgement_of_any_text_is_one_of_three(text: str, share: float) -> None:
    assert judge_text(text, share) in ("fine", "doubtful", "garbled")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("", "", 1),
        ("bread", "", 0),
        ("", "... --", 1),
        ("Bread, and (butter)!", "BREAD and butter", 1),
        ("don't", "don\u2019t", 1),
        ("a b c d", "a b x y", 0.5),
        ("the the cat", "the cat", 0.8),
        ("ﬁne", "fine", 1),
        ("面包 师", "面 包师", 1),
    ],
)
def test_agreement_is_the_share_of_common_words(one: str, other: str, expected: float) -> None:
    assert agreement(one, other) == pytest.approx(expected)
    assert agreement(other, one) == pytest.approx(expected)


@given(st.text(), st.text())
def test_agreement_of_any_texts_is_a_share(one: str, other: str) -> None:
    assert 0 <= agreement(one, other) <= 1
    assert agreement(one, one) == 1
