"""Errors, reasons and warnings as a page says them: in English as they are, in other languages by their codes."""

from flask import Blueprint
from flask_babel import gettext

from recto.errors import RectoError
from recto.views.jobs import Reason, ResultWarning
from recto.web.languages.error_sentences import SENTENCES
from recto.web.languages.translations import ENGLISH, page_language

blueprint = Blueprint("said", __name__)


def sentence_of(code: str, detail: str) -> str:
    """The English detail knows more, so it stands where English is wanted, and for codes that no sentence was written for."""
    if page_language() == ENGLISH or code not in SENTENCES:
        return detail
    sentence: str = gettext(SENTENCES[code])
    return sentence


@blueprint.app_template_filter("said")
def said(what: RectoError | Reason) -> str:
    """The sentence for the reader."""
    return sentence_of(what.code, what.detail)


@blueprint.app_template_filter("said_of_page")
def said_of_page(warning: ResultWarning) -> str:
    """The sentence for the reader, with the page that it concerns."""
    if page_language() == ENGLISH or warning.code not in SENTENCES:
        return warning.sentence
    sentence: str = gettext(SENTENCES[warning.code])
    if warning.page is not None:
        sentence = gettext("Page %(number)s: %(sentence)s", number=warning.page, sentence=sentence)
    return sentence
