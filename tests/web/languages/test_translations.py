"""The catalogues against what the pages say, and that everything that pages say goes through them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from recto.errors import RectoError
from recto.web.languages.error_sentences import NEVER_ON_A_PAGE, SENTENCES
from recto.web.languages.translations import SCRIPTS, catalogue, languages
from tools.translations import FOLDER, files, untranslated, updated, wanted, written

WEB = FOLDER.parents[1]
TEMPLATES = sorted(path.name for path in (WEB / "templates").glob("*.html") if path.name != "reference.html")
SCRIPT_FILES = sorted((WEB / "static" / "js").rglob("*.js"))
GAP = re.compile(r"%\(\w+\)s|%%|</?\w+[^>]*>")
SAID_AS_IT_IS = {"Recto", "UTC", "UTC:"}
"""The same in every language."""


def strings(message: object) -> tuple[str, ...]:
    return tuple(message) if isinstance(message, (tuple, list)) else (str(message),)


@pytest.mark.parametrize("language", files())
def test_catalogue_has_what_the_pages_say_and_nothing_else(language: str) -> None:
    there = files()[language].read_bytes()
    assert written(updated(there, language)) == there, "Run `make translations` and translate what it names."


@pytest.mark.parametrize("language", files())
def test_catalogue_leaves_no_message_untranslated(language: str) -> None:
    assert untranslated(catalogue(language)) == []


@pytest.mark.parametrize("language", files())
def test_translations_have_the_gaps_and_the_markup_of_the_english_words(language: str) -> None:
    for message in catalogue(language):
        if message.id:
            allowed = [sorted(GAP.findall(one)) for one in strings(message.id)]
            assert all(sorted(GAP.findall(one)) in allowed for one in strings(message.string)), message.id


def test_german_is_set_with_german_quotation_marks_and_spaces() -> None:
    for message in catalogue("de"):
        for words in strings(message.string) if message.id else ():
            plain = re.sub(r"<[^>]*>", "", words)
            assert not re.search(r"[”‚']|\w …|\d [%°]|  ", plain), words
            assert plain.count("„") == plain.count("“"), words
            assert '"' not in plain or message.id == '"a phrase"', words  # what is typed is typed with these


def test_languages_call_themselves_by_their_own_names() -> None:
    assert next(iter(languages().items())) == ("en", "English")
    assert languages()["de"] == "Deutsch"


def test_every_error_has_a_sentence_for_pages_or_is_never_on_one() -> None:
    codes = {cls.code for cls in _errors(RectoError)}
    assert codes - SENTENCES.keys() == NEVER_ON_A_PAGE
    assert SENTENCES.keys() - codes == {
        *("not_found", "method_not_allowed", "bad_request", "document_repaired", "signature_ends")
    }


def _errors(cls: type[RectoError]) -> list[type[RectoError]]:
    return [cls, *(below for direct in cls.__subclasses__() for below in _errors(direct))]


class Words(HTMLParser):
    """Words of a template that stand there without a translation."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._verbatim += tag in ("code", "kbd")
        self.found += [
            value
            for name, value in attrs
            if name in ("aria-label", "placeholder", "title", "alt") and value and _is_said(value)
        ]

    def handle_endtag(self, tag: str) -> None:
        self._verbatim -= tag in ("code", "kbd")

    def handle_data(self, data: str) -> None:
        if not self._verbatim:
            self.found += [word for word in data.split() if _is_said(word)]


def _is_said(word: str) -> bool:
    """Not what is left of an address or an attribute."""
    return re.search(r"[A-Za-z]", word) is not None and word not in SAID_AS_IT_IS and not re.search(r'[/="]', word)


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_says_nothing_past_the_catalogues(name: str) -> None:
    source = (WEB / "templates" / name).read_text(encoding="utf-8")
    for jinja in (
        r"\{#.*?#\}",
        r"\{% block body_class %\}\w*",
        r"\{%-? ?trans\b.*?endtrans ?-?%\}",
        r"\{\{.*?\}\}",
        r"\{%.*?%\}",
    ):
        source = re.sub(jinja, " ", source, flags=re.DOTALL)
    words = Words()
    words.feed(source)
    assert words.found == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_expressions_of_a_template_say_nothing_past_the_catalogues(name: str) -> None:
    """A literal with a capital and a small letter, or with a space between words, that no function of gettext takes."""
    source = (WEB / "templates" / name).read_text(encoding="utf-8")
    source = re.sub(r"\{#.*?#\}|\{%-? ?trans\b.*?endtrans ?-?%\}", " ", source, flags=re.DOTALL)
    inside = " ".join(a or b for a, b in re.findall(r"\{\{(.*?)\}\}|\{%(.*?)%\}", source, re.DOTALL))
    inside = re.sub(r"""\b(_|ngettext|pgettext)\((\s*("[^"]*"|'[^']*'),?)+""", " ", inside)
    literals = re.findall(r'"([^"]*)"', inside)
    assert [words for words in literals if re.match(r"[A-Z][a-z]+|\w+ \w+ \w+", words)] == []


def test_scripts_say_nothing_past_the_catalogues() -> None:
    """What is shown or announced is never a literal, and every sentence that a script asks for is found."""
    found = {
        strings(message.id)[0]
        for message in wanted()
        if any(name.startswith(SCRIPTS) for name, _line in message.locations)
    }
    for path in SCRIPT_FILES:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"""(textContent = |announce\(|"aria-label", )(["'](?!")|`[A-Za-z])""", source), path.name
        asked = re.findall(r'(?<![\w.])(?:_|ngettext)\(\s*"([^"]+)"', source)
        assert set(asked) <= found, path.name
        assert len(asked) == len(re.findall(r"(?<![\w.])(?:_|ngettext)\((?!sentence|one)", source)), path.name


def test_views_flash_nothing_past_the_catalogues() -> None:
    for path in sorted(WEB.rglob("*.py")):
        assert not re.search(r'(flash\(|error = )\s*("|f"[^{])', path.read_text(encoding="utf-8")), path.name


def test_catalogues_lie_where_the_application_looks_for_them() -> None:
    assert Path(FOLDER) == WEB / "languages" / "translations"
    assert set(files()) == set(languages()) - {"en"}
