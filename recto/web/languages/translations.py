"""The languages of the pages. English stands in the code; the others are catalogues below translations/, read as they are committed.

docs/decisions/0016-translations.md says why there is no compiled catalogue. The API speaks English always.
"""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel import Locale, negotiate_locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, get_locale, gettext

from recto.web.languages.error_sentences import SENTENCES

ENGLISH: Final = "en"
COOKIE: Final = "recto_language"
FOLDER: Final = Path(__file__).parent / "translations"
SCRIPTS: Final = "recto/web/static/js/"
"""Where the words stand that the scripts say, as catalogues name it."""
_IN_ENGLISH: Final = ("/api/", "/docs")
_ENGLISH_FORMATS: Final = "en_GB"
_COUNTED: Final = range(200)
"""Numbers among which every plural form of a language has one."""


class _Catalogues(Domain):  # type: ignore[misc]  # Flask-Babel has no types
    """Flask-Babel's way to the translations, but from the catalogues themselves."""

    def get_translations(self) -> NullTranslations:
        """Those of the language of this request; outside a request none."""
        language = page_language()
        return NullTranslations() if language == ENGLISH else _translations(language)


class _PageLanguages(Babel):  # type: ignore[misc]  # Flask-Babel has no types
    domain_instance = _Catalogues()


def install_translations(app: Flask) -> None:
    """Connect Flask-Babel: `_`, `ngettext` and `pgettext` in templates, and what tells them the language of the page."""
    _PageLanguages(app, default_locale=_ENGLISH_FORMATS, locale_selector=_asked_locale)
    app.jinja_env.globals.update(page_language=page_language, page_languages=languages, script_words=script_words)


@cache
def languages() -> dict[str, str]:
    """Codes of the languages that pages can be had in, and what each calls itself. English is the first."""
    others = sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/messages.po"))
    return {code: Locale.parse(code).get_display_name() or code for code in (ENGLISH, *others)}


def page_language() -> str:
    """The code of the language of this request; English outside one."""
    locale = get_locale()
    return ENGLISH if locale is None or locale.language == ENGLISH else str(locale)


def _asked_locale() -> str:
    """The language that was chosen on a page, else the one that the browser asks for and there is."""
    language = ENGLISH
    if has_request_context() and not request.path.startswith(_IN_ENGLISH):
        chosen = request.cookies.get(COOKIE)
        language = chosen if chosen in languages() else _wanted_by_browser()
    return _ENGLISH_FORMATS if language == ENGLISH else language


def _wanted_by_browser() -> str:
    """The first that there is, also where a country is named that there is not; werkzeug's best match would pass over en-GB for a later de."""
    wanted = [tag.replace("-", "_") for tag, quality in request.accept_languages if quality]
    return negotiate_locale(wanted, list(languages())) or ENGLISH


@cache
def catalogue(language: str) -> Catalog:
    """The catalogue of a language other than English."""
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _translations(language: str) -> Translations:
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


def script_words() -> dict[str, Any] | None:
    """What the scripts say in the language of the page, as js/translate.js wants it; None in English, which they have themselves."""
    language = page_language()
    if language == ENGLISH:
        return None
    return {
        "messages": _script_messages(language),
        "errors": {code: gettext(sentence) for code, sentence in SENTENCES.items()},
    }


@cache
def _script_messages(language: str) -> dict[str, str | dict[str, str]]:
    """By the English words. Of a message with a plural each form, by the name that the CLDR, and so the browser, has for it."""
    spoken = [one for one in catalogue(language) if any(path.startswith(SCRIPTS) for path, _line in one.locations)]
    form_of = _plural_names(language)
    return {(one.id[0] if one.pluralizable else str(one.id)): _forms(one, form_of) for one in spoken}


def _forms(message: Message, form_of: dict[str, int]) -> str | dict[str, str]:
    if not message.pluralizable:
        return str(message.string)
    forms = tuple(message.string or ())
    return {name: forms[form] for name, form in form_of.items()}


def _plural_names(language: str) -> dict[str, int]:
    """The CLDR's name of each plural form and its place in the catalogue."""
    name_of: Callable[[int], str] = Locale.parse(language).plural_form
    place_of: Callable[[int], int] = _translations(language).plural  # gettext makes it of the catalogue's header
    return {name_of(number): place_of(number) for number in _COUNTED}
