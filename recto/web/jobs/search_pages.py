"""The search for people: a page with a form and what was found; and where the words stand in the text of a document."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, render_template, request

from recto.errors import OptionInvalid
from recto.search import find_documents, found_pages, is_behind
from recto.text_search.words import Query, Snippet, Term, marks, parse_query, pieces
from recto.web.api import before, parse_before
from recto.web.languages.errors_said import said
from recto.web.login import signed_in
from recto.web.serving.database import read
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("search_pages", __name__)
_LIMIT: Final = 20
_MOST_MARKED: Final = 200
"""Pages of a document whose text is searched for the words: half a millisecond each."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a document's page shows of a search that led to it: the words, what is wrong with them, and the pages they are on."""

    given: str
    problem: str = ""
    page_numbers: tuple[int, ...] = ()
    terms: tuple[Term, ...] = ()


@blueprint.get("/search")
@access(Access.READ)
def search() -> str:
    """The documents that the words are in."""
    user_id, given = signed_in().account.id, request.args.get("q", "").strip()
    query, problem = _parse(given) if given else (None, "")
    behind = read(is_behind, user_id)
    place = parse_before(request.args.get("before"))
    found = read(find_documents, user_id, query, _LIMIT + 1, place) if query else []
    return render_template(
        "search.html",
        given=given,
        problem=problem,
        found=found[:_LIMIT],
        next_before=before(found[_LIMIT - 1].job) if len(found) > _LIMIT else None,
        is_behind=behind,
    )


@blueprint.app_template_filter("snippet_pieces")
def snippet_pieces(snippet: Snippet) -> list[tuple[str, bool]]:
    """A snippet in pieces, each with whether it is a hit."""
    return pieces(snippet.text, snippet.marks)


@blueprint.app_template_filter("text_pieces")
def text_pieces(text: str, terms: Iterable[Term]) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is one of the terms."""
    return pieces(text, marks(text, terms) if terms else ())


def hits_in(user_id: int, uuid: str) -> Hits | None:
    """What is to be shown of `?q=` on the page of a job of the user's; None where the address has none."""
    given = request.args.get("q", "").strip()
    if not given:
        return None
    query, problem = _parse(given)
    if query is None:
        return Hits(given, problem)
    return Hits(given, "", read(found_pages, user_id, uuid, query)[:_MOST_MARKED], query.wanted)


def _parse(given: str) -> tuple[Query | None, str]:
    try:
        return parse_query(given), ""
    except OptionInvalid as error:
        return None, said(error)
