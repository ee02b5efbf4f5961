"""Full-text search for programs: /api/v1/search."""

from typing import Final

from flask import Blueprint, Response, request, url_for

from recto.errors import OptionInvalid
from recto.search import FoundDocument, find_documents, is_behind
from recto.text_search.words import MOST_CHARACTERS, parse_query
from recto.web import answers
from recto.web.api import MOST_NUMBER, PLACE, before, number, parse_before
from recto.web.jobs.job_json import job_summary
from recto.web.login import signed_in
from recto.web.openapi.described import Parameter, Reply, described
from recto.web.serving.database import read
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("search", __name__, url_prefix="/api/v1")
_LIMIT: Final = 20
MOST_DOCUMENTS: Final = 100
_PARAMETERS: Final = (
    Parameter(
        "q",
        'Words that all have to be on a page; `"a phrase"`, `-without`, `begin*`. Case and accents make no difference',
        {"type": "string", "maxLength": MOST_CHARACTERS, "examples": ["read"]},
        is_required=True,
    ),
    Parameter(
        "limit",
        "Documents in one answer",
        {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER, "default": _LIMIT, "examples": [10]},
    ),
    PLACE,
)


@blueprint.get("/search")
@access(Access.READ)
@described(
    Reply(200, "What was found", (answers.SearchResults,), headers=("Link",)),
    problems=(OptionInvalid,),
    parameters=_PARAMETERS,
    tag="Search",
)
def search() -> Response:
    """The user's documents with the pages that the words are on, newest first."""
    user_id, given = signed_in().account.id, request.args.get("q", "")
    query, limit = parse_query(given), min(number("limit", _LIMIT, least=1), MOST_DOCUMENTS)
    behind = read(is_behind, user_id)  # asked first: what comes in between the two is found, and not missed
    found = read(find_documents, user_id, query, limit + 1, parse_before(request.args.get("before")))
    following = None
    if len(found) > limit:
        following = url_for("search.search", q=given, before=before(found[limit - 1].job), limit=limit)
    body = answers.SearchResults(
        hits=[_hit(document) for document in found[:limit]], next=following, is_complete=not behind
    )
    return answers.with_next(answers.answered(body), following)


def _hit(document: FoundDocument) -> answers.SearchHit:
    snippets = [
        answers.SearchSnippet(
            page=page.number,
            text=page.snippet.text,
            marks=[answers.Mark(start=start, end=end) for start, end in page.snippet.marks],
        )
        for page in document.pages
    ]
    return answers.SearchHit(job=job_summary(document.job), pages=list(document.page_numbers), snippets=snippets)
