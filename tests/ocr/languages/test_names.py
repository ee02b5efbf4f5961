import pytest

from recto.ocr.languages.names import (
    SCRIPT_CODES,
    bcp47,
    folded_label,
    is_variant,
    label_of,
    languages_of_script,
    only_tag,
    reads_whole_script,
    script_code,
    script_name,
)


@pytest.mark.parametrize(
    ("language", "tag"),
    [
        ("deu", "de"),
        ("ces", "cs"),
        ("ell", "el"),
        ("grc", "grc"),
        ("nor", "no"),
        ("kmr", "kmr"),
        ("msa", "ms"),
        ("fil", "fil"),
        ("chi_sim", "zh-Hans"),
        ("chi_tra_vert", "zh-Hant"),
        ("srp_latn", "sr-Latn"),
        ("aze_cyrl", "az-Cyrl"),
        ("ita_old", "it"),
        ("frk", "de-Latf"),
        ("deu_latf", "de-Latf"),
        ("Fraktur", "und-Latf"),
        ("script/Fraktur", "und-Latf"),
        ("script/Vietnamese", "vi"),
        ("script/Japanese_vert", "ja"),
    ],
)
def test_tag_of_tesseracts_names_is_the_standards(language: str, tag: str) -> None:
    assert bcp47(language) == tag


@pytest.mark.parametrize("language", ["receipts", "own_deu", "xyz", "model2"])
def test_tag_of_data_with_a_name_of_their_own_is_none(language: str) -> None:
    assert bcp47(language) is None
    assert script_code(language) is None
    assert label_of(language) is None


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("deu", "Latn"),
        ("rus", "Cyrl"),
        ("srp", "Cyrl"),
        ("srp_latn", "Latn"),
        ("grc", "Grek"),
        ("jpn", "Jpan"),
        ("kor", "Kore"),
        ("Fraktur", "Latf"),
        ("script/Latin", "Latn"),
        ("Latin", "Latn"),
        ("script/Vietnamese", "Latn"),
        ("yid", "Hebr"),
        ("pus", "Arab"),
    ],
)
def test_script_of_data_is_what_they_read(language: str, code: str) -> None:
    assert script_code(language) == code


def test_languages_of_han_are_those_that_write_with_it() -> None:
    installed = {"jpn", "chi_sim", "chi_tra", "kor", "eng"}
    assert languages_of_script("Hani", installed) == ("chi_sim", "chi_tra", "jpn")
    assert languages_of_script("Jpan", installed) == ("jpn",)
    assert languages_of_script("Latn", installed) == ("eng",)


@pytest.mark.parametrize("code", sorted(set(SCRIPT_CODES.values())))
def test_every_script_has_a_name_that_leads_back_to_its_code(code: str) -> None:
    assert SCRIPT_CODES[script_name(code)] == code


def test_names_of_scripts_that_cover_several_are_the_plain_ones() -> None:
    assert [script_name(code) for code in ("Latn", "Jpan", "Kore")] == ["Latin", "Japanese", "Korean"]


@pytest.mark.parametrize(
    ("language", "label"), [("deu", "de"), ("fil", "tl"), ("kmr", "ku"), ("chi_tra", "zh"), ("Fraktur", None)]
)
def test_label_of_data_is_the_identifiers(language: str, label: str | None) -> None:
    assert label_of(language) == label


def test_labels_of_dialects_fold_into_the_language_with_data() -> None:
    assert [folded_label(label) for label in ("nn", "yue", "arz", "de")] == ["no", "zh", "ar", "de"]


def test_variants_and_data_of_whole_scripts_are_told_apart() -> None:
    assert [is_variant(name) for name in ("ita_old", "jpn_vert", "ita", "srp_latn")] == [True, True, False, False]
    assert [reads_whole_script(name) for name in ("Fraktur", "script/Latin", "deu")] == [True, True, False]


def test_only_tag_is_that_of_the_one_language() -> None:
    assert only_tag(("deu",)) == "de"
    assert only_tag(("deu", "eng")) is None
    assert only_tag(()) is None
