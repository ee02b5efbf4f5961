"""Requests that ask the same in the same words, and are woken by the same news: the application answers one, its twins get the same bytes.

A thousand clients may wait for one document. What lies between the news and an answer, from the view to the last header, takes a third of a
millisecond each, and they are answered one after another. See docs/decisions/0021-twins-are-answered-alike.md.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import gevent
from flask import Flask, current_app, g, request
from gevent.event import AsyncResult

from recto.logs import get_logger
from recto.views.jobs import JobView
from recto.web.serving.metrics import count_answer
from recto.web.serving.request_ids import HEADER, end_span

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = get_logger(__name__)
SEND: Final = "recto.send"
"""Where a request's environment has the function that sends a whole answer, headers and all, to who speaks HTTP/1.1."""
_KEY: Final = "recto_twins"
_LEADS: Final = "recto.leads"
_LIVES_S: Final = 0.5
"""An answer holds as long as the look at who is still signed in (held_requests.py), which the first one had."""
_PATIENCE_S: Final = 1.0
"""A first one that takes longer, since a format has to be made, is not waited for."""
_MOST_BYTES: Final = 256 * 1024
_OF_EACH: Final = frozenset({"HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT"})
_ASKED_BY: Final = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "wsgi.url_scheme")
Question: TypeAlias = tuple[Any, ...]


class Answered(BaseException):
    """The client of the current request has its answer. Ends the request: nothing but the server's handler catches it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the first one got: bytes up to the header that names the request, bytes from its end on."""

    status_code: int
    head: bytes
    body: bytes

    def named(self, request_id: str) -> bytes:
        return b"%b%b: %b\r\n\r\n%b" % (self.head, HEADER.encode(), request_id.encode(), self.body)


class Twins:
    """WSGI middleware, around the application alone: keeps for a moment what was answered to those who were woken."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._answers: OrderedDict[Question, tuple[float, AsyncResult[_Answer | None]]] = OrderedDict()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle one request."""
        begun: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            begun[:] = status, headers
            return start_response(status, headers, exc_info)

        answer = None
        try:
            result = self._app(environ, start)
            if _LEADS in environ and _may_be_shared(*begun):
                result, answer = _kept(result, *begun)
            return result
        finally:
            if made := environ.pop(_LEADS, None):
                made.set(answer)

    def first(self, question: Question, environ: "WSGIEnvironment") -> "AsyncResult[_Answer | None] | None":
        """None for the first one who asks this; for the others, where its answer will be."""
        now_s = time.monotonic()
        while self._answers and next(iter(self._answers.values()))[0] < now_s - _LIVES_S:
            self._answers.popitem(last=False)
        if known := self._answers.get(question):
            return known[1]
        made: AsyncResult[_Answer | None] = AsyncResult()
        environ[_LEADS] = made
        self._answers[question] = now_s, made
        return None


def install_twins(app: Flask) -> None:
    """Call before anything else is put around the application."""
    twins = Twins(app.wsgi_app)
    app.extensions[_KEY] = twins
    app.wsgi_app = twins  # type: ignore[method-assign]


def answer_as_twin(job: JobView) -> None:
    """Called where a held request is woken by what it waited for. Raises Answered where a twin has its answer already, or will in a moment."""
    send = request.environ.get(SEND)
    if send is None or request.method != "GET" or request.environ["SERVER_PROTOCOL"] != "HTTP/1.1":
        return
    made = cast(Twins, current_app.extensions[_KEY]).first((job.uuid, job.change, *_question()), request.environ)
    answer = made.get(timeout=_PATIENCE_S) if made is not None and made.wait(_PATIENCE_S) else None
    if answer is None:
        return
    send(answer.named(g.request_id))
    gevent.sleep(0)  # the other twins first: what follows, no client waits for
    end_span(answer.status_code)
    count_answer(answer.status_code)
    _log.debug("answered_as_twin", status=answer.status_code)
    raise Answered


def _question() -> Question:
    """Everything that the answer may depend on."""
    environ = request.environ
    headers = (item for item in environ.items() if item[0].startswith("HTTP_") and item[0] not in _OF_EACH)
    return (*(environ.get(name) for name in _ASKED_BY), *sorted(headers))


def _may_be_shared(status: str, headers: list[tuple[str, str]]) -> bool:
    """Whether the answer's length is known and small, it sets no cookie, and tells of no fault, which others may not meet."""
    names = {name.lower(): value for name, value in headers}
    is_short = int(names.get("content-length", _MOST_BYTES)) < _MOST_BYTES
    return is_short and "set-cookie" not in names and status[0] < "5"


def _kept(result: Iterable[bytes], status: str, headers: list[tuple[str, str]]) -> tuple[Iterable[bytes], _Answer]:
    body = b"".join(result)
    close = getattr(result, "close", None)
    if close is not None:
        close()
    shared = [(name, value) for name, value in headers if name != HEADER]
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in shared), f"Date: {formatdate(usegmt=True)}"]
    return [body], _Answer(int(status[:3]), ("\r\n".join(lines) + "\r\n").encode("latin-1"), body)
