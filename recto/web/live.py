"""Jobs live: server-sent events, and the same over a WebSocket. docs/api.md describes them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context
from websockets.frames import CloseCode
from websockets.server import ServerProtocol

from recto.errors import JobNotFound, OptionInvalid, OriginRejected, UpgradeRequired
from recto.records.job_events import is_over
from recto.web import answers
from recto.web.api import MOST_NUMBER, number
from recto.web.login import signed_in
from recto.web.openapi.described import EVENT_STREAM, WAIT, Parameter, Reply, described
from recto.web.services import services
from recto.web.serving.database import read
from recto.web.sign_in.authorisation import Access, access
from recto.web.waiting.following import Ending, Following
from recto.web.waiting.holding import asked_wait_s
from recto.web.waiting.websocket import TAKE_OVER, WebSocket, WebSocketResponse, handshake

_View = TypeVar("_View", bound=Callable[..., Any])

blueprint = Blueprint("live", __name__, url_prefix="/api/v1")
_RETRY_MS: Final = 2000
"""How long an EventSource waits before it comes back."""
_MOST_DIGITS: Final = 18
_JSON: Final = "application/json"
_AFTER: Final = (
    Parameter(
        "after",
        "The `id` of the last event that you have: those after it come",
        {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER, "examples": [4711]},
    ),
    Parameter(
        "Last-Event-ID",
        "The same; a browser's EventSource sends it by itself, and it counts before `after`",
        {"type": "string", "pattern": rf"^[0-9]{{0,{_MOST_DIGITS}}}$", "examples": ["4711"]},
        "header",
    ),
)
_EVENTS: Final = Reply(
    200, "The events, each as it comes; or those that there are, as JSON", (answers.EventList,), event=answers.Event
)
_OPENED: Final = Reply(101, "The WebSocket (RFC 6455) is open: each message is an `Event`, as JSON")
_CODES: Final = {
    Ending.OVER: CloseCode.NORMAL_CLOSURE,
    Ending.LEFT: CloseCode.NORMAL_CLOSURE,
    Ending.STOPPING: CloseCode.GOING_AWAY,
    Ending.SIGNED_OUT: CloseCode.POLICY_VIOLATION,
    Ending.UNAVAILABLE: CloseCode.TRY_AGAIN_LATER,
    Ending.FAULT: CloseCode.INTERNAL_ERROR,
}


def _for_websockets(rule: str) -> Callable[[_View], _View]:
    """The address for handshakes, and once more for requests that are none: without it, werkzeug answers them before anybody is asked who they are."""

    def add(view: _View) -> _View:
        blueprint.add_url_rule(rule, view_func=view, methods=["GET"], websocket=True)
        blueprint.add_url_rule(rule, view_func=view, methods=["GET"])
        return view

    return add


@blueprint.get("/jobs/<uuid:uuid>/events")
@access(Access.READ)
@described(
    _EVENTS,
    Reply(204, "The job has ended, and you have its last event"),
    problems=(JobNotFound, OptionInvalid),
    parameters=(*_AFTER, WAIT),
    tag="Live",
)
def get_job_events(uuid: UUID) -> Response:
    """The events of one job, until it has ended. 204 where nothing follows, which keeps an EventSource from coming back.

    With `Accept: application/json` the next ones alone, up to 100; `?wait=` holds that request until there is one.
    """
    wait_s, following = asked_wait_s(), _follow_job(str(uuid))
    return Response(status=204) if following.is_over else _events(following, wait_s)


@_for_websockets("/jobs/<uuid:uuid>/stream")
@access(Access.READ)
@described(
    _OPENED, problems=(JobNotFound, OptionInvalid, OriginRejected, UpgradeRequired), parameters=_AFTER, tag="Live"
)
def get_job_stream(uuid: UUID) -> Response:
    """The same over a WebSocket, which is closed at the end."""
    return _web_socket(_follow_job(str(uuid)))


@blueprint.get("/events")
@access(Access.READ)
@described(_EVENTS, problems=(OptionInvalid,), parameters=(*_AFTER, WAIT), tag="Live")
def get_events() -> Response:
    """The events of all of the user's jobs. As JSON where that is asked for, as those of one job."""
    return _events(Following(signed_in(), None, asked_after()), asked_wait_s())


@_for_websockets("/stream")
@access(Access.READ)
@described(_OPENED, problems=(OptionInvalid, OriginRejected, UpgradeRequired), parameters=_AFTER, tag="Live")
def get_stream() -> Response:
    """The same over a WebSocket."""
    return _web_socket(Following(signed_in(), None, asked_after()))


def asked_after() -> int | None:
    """The id of the last event that the client has, from `Last-Event-ID` or else the query; None where it has none."""
    asked = number("after", 0, least=0) if "after" in request.args else None  # a wrong one is wrong in any case
    given = request.headers.get("Last-Event-ID", "").strip()
    if not given:
        return asked
    if not (given.isascii() and given.isdecimal() and len(given) <= _MOST_DIGITS):
        raise OptionInvalid("'Last-Event-ID' is not the id of an event. Send the id of the last one that you have.")
    return int(given)


def _follow_job(uuid: str) -> Following:
    """JobNotFound where it is not the user's."""
    user, after = signed_in(), asked_after()
    return Following(user, uuid, after, is_over=read(is_over, user.account.id, uuid, after))


def _events(following: Following, wait_s: float) -> Response:
    """Server-sent, unless the client would rather have JSON."""
    if request.accept_mimetypes.best_match([EVENT_STREAM, _JSON]) == _JSON:
        return answers.answered(following.next_events(wait_s))
    return _server_sent(following)


def _server_sent(following: Following) -> Response:
    response = Response(stream_with_context(_as_lines(following)), mimetype=EVENT_STREAM)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold back what is small
    return response


def _as_lines(following: Following) -> Iterator[str]:
    """https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream"""
    yield f"retry: {_RETRY_MS}\n\n"
    for message in following.messages():
        yield f"id: {message.id}\nevent: {message.name}\ndata: {message.json}\n\n" if message else ": still here\n\n"


def _web_socket(following: Following) -> Response:
    protocol, opening = handshake(request.method, request.path, request.headers)
    _check_origin()
    return WebSocketResponse(partial(_converse, following, protocol, opening))


def _check_origin() -> None:
    """A page from elsewhere may open a WebSocket, and the browser sends the cookie along (RFC 6455, section 10.2)."""
    origin = request.headers.get("Origin", "").lower()
    is_own = origin == f"{request.scheme}://{request.host}".lower() or origin in services().allowed_origins
    if signed_in().secret is not None and not is_own:
        raise OriginRejected(
            "A sign-in of a browser opens WebSockets for Recto's own pages only. Programs send a token instead; "
            "other pages need to be named in server.allowed_origins, and a proxy in server.trusted_proxies."
        )


def _converse(following: Following, protocol: ServerProtocol, opening: bytes) -> None:
    connection = request.environ[TAKE_OVER]()
    connection.send(opening)
    web_socket = WebSocket(connection, protocol, following.leave)
    try:
        for message in following.messages():
            if message:
                web_socket.send(message.json)
            else:
                web_socket.ping()
    except OSError:
        following.leave()  # the client is gone, or takes nothing any more
    finally:
        web_socket.close(_CODES[following.ending], following.ending.value)
