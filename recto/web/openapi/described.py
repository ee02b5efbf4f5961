"""What an address of the API takes and answers, stated above its view: the OpenAPI document is made from it (document.py).

@blueprint.get("/jobs/<uuid:uuid>")
@access(Access.READ)
@described(Reply(200, "The job", answers.Job), problems=(JobNotFound,), parameters=(WAIT,))
def get_job_status(uuid: UUID) -> ...

What follows from elsewhere is not repeated: the text is the view's docstring, the parts of the path are those of the rule, and the
problems that callers without a right and a service out of order get are those of `@access`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel

from recto.errors import RectoError
from recto.web.answers import Answer

_View = TypeVar("_View", bound=Callable[..., Any])
_DESCRIBED: Final = "recto_description"
EVENT_STREAM: Final = "text/event-stream"
Schema: TypeAlias = dict[str, Any]
"""JSON Schema 2020-12."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no problem. `bodies`: one of them; none for an answer without or with a file, which has `media_types`."""

    status: int
    says: str
    bodies: tuple[type[Answer], ...] = ()
    media_types: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    schema_name: str = ""
    """Of a component that is made from no type, such as the pages that a Worker wrote."""
    json_type: str = "application/json"
    event: type[Answer] | None = None
    """Of an answer that may also come as server-sent events: the data of each."""


@dataclass(frozen=True, slots=True)
class HttpProblem:
    """A problem that HTTP itself knows, and no class of recto/errors.py."""

    status: int
    code: str
    title: str
    says: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of the query, or a header."""

    name: str
    says: str
    schema: Schema
    place: Literal["query", "header"] = "query"
    is_required: bool = False


ProblemKind: TypeAlias = type[RectoError] | HttpProblem


class Takes(Enum):
    """What an address takes in its body, and as options beside it."""

    NOTHING = auto()
    DOCUMENT = auto()
    """A document and the options of its job, as a form or bare."""
    DOCUMENTS = auto()
    """Several documents and the options of all their jobs, as a form."""
    OPTIONS = auto()
    """Options in a form, or in the query."""


@dataclass(frozen=True, slots=True)
class Description:
    """What an address takes and answers."""

    tag: str
    replies: tuple[Reply, ...]
    problems: tuple[ProblemKind, ...]
    parameters: tuple[Parameter, ...]
    takes: Takes
    json_body: type[BaseModel] | None


WAIT: Final = Parameter(
    "wait",
    "Seconds to hold the request at most; cut to `server.max_wait_s`",
    {"type": "number", "minimum": 0, "default": 0, "examples": [30]},
)
IF_NONE_MATCH: Final = Parameter(
    "If-None-Match",
    "`ETag`s of what is there already: then 304",
    {"type": "string", "examples": ['W/"4711"']},
    "header",
)
PREFER: Final = Parameter(
    "Prefer",
    "`wait=SECONDS` (RFC 7240): hold the request until the job ends or the time is up",
    {"type": "string", "examples": ["wait=30"]},
    "header",
)
BAD_REQUEST: Final = HttpProblem(400, "bad_request", "Bad Request", "The request could not be understood.")
NO_ADDRESS: Final = HttpProblem(404, "not_found", "Not Found", "There is nothing at this address.")
BAD_RANGE: Final = HttpProblem(
    416,
    "requested_range_not_satisfiable",
    "Requested Range Not Satisfiable",
    "The `Range` lies beyond the end; `Content-Range` has the length.",
)


def described(
    *replies: Reply,
    problems: tuple[ProblemKind, ...] = (),
    parameters: tuple[Parameter, ...] = (),
    takes: Takes = Takes.NOTHING,
    json_body: type[BaseModel] | None = None,
    tag: str = "Jobs",
) -> Callable[[_View], _View]:
    """Describe a view; `json_body` is the type of one that it takes. Stands below the decorator that gives the view its address."""

    def state(view: _View) -> _View:
        vars(view)[_DESCRIBED] = Description(tag, replies, problems, parameters, takes, json_body)
        return view

    return state


def stated_description(view: Callable[..., Any]) -> Description | None:
    """What is said of a view; None where nothing is. Decorators that use functools.wraps carry it along."""
    return vars(view).get(_DESCRIBED)
