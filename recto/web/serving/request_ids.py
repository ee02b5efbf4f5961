"""What a request is called, in the log of every program that works for it, and where its trace begins.

A client, or a proxy, may name its request by X-Request-Id; else it gets a name. The answer tells it, every line of the log has it, and so has the job
that the request makes: the Worker's lines name it, and its spans lie below the request's.
"""

import re
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from recto.tracing.spans import Span, Tracing, readable_parent

HEADER: Final = "X-Request-Id"
_READABLE: Final = re.compile(r"[A-Za-z0-9._:+=/@-]{1,64}")
"""What proxies send, and nothing that a log could take for something else."""
_UNTRACED: Final = frozenset({"static", "health.healthz", "health.readyz", "metrics.metrics", None})
"""What is asked for every few seconds, or is nowhere."""


def install_request_ids(app: Flask, tracing: Tracing) -> None:
    """Name every request, and trace those of interest. Call before other hooks are installed: it comes first, and has the last word."""

    def begin() -> None:
        sent = request.headers.get(HEADER, "")
        g.request_id = sent if _READABLE.fullmatch(sent) else uuid4().hex
        clear_contextvars()  # one greenlet serves all requests of a connection
        bind_contextvars(request_id=g.request_id)
        if request.endpoint not in _UNTRACED and request.url_rule is not None:
            g.span = tracing.begin(
                f"{request.method} {request.url_rule.rule}",
                readable_parent(request.headers.get("traceparent")),
                is_request=True,
                http__request__method=request.method,
                http__route=request.url_rule.rule,
                request_id=g.request_id,
            )

    def end(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        end_span(response.status_code)
        return response

    app.before_request(begin)
    app.after_request(end)


def end_span(status_code: int) -> None:
    """The current request was answered so."""
    if span := _span():
        is_fault = status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        span.end(str(status_code) if is_fault else None, http__response__status_code=status_code)


def origin() -> dict[str, Any]:
    """What a job keeps of the request that makes it."""
    span = _span()
    return {"request_id": g.request_id, "trace_parent": span.trace_parent if span else None}


def _span() -> Span | None:
    span: Span | None = g.get("span")
    return span
