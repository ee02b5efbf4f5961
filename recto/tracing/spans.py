"""Traces from upload to result, where they are asked for: spans that OpenTelemetry takes, or nothing at all.

    POST /api/v1/jobs            the Backend's request, below the caller's own span where it sends a `traceparent`
    └── job                      one attempt of a Worker
        ├── open                 the document
        ├── page                 each page
        └── write                the results

A span's context travels as W3C Trace Context (https://www.w3.org/TR/trace-context/): from the caller in a header, to the Worker in the job's row.
OpenTelemetry is an extra (requirements-otel.txt): recto/tracing/opentelemetry.py alone imports it, and recto/tracing/start.py that where it is wanted.
"""

import re
from typing import Final, Protocol, TypeAlias

Attribute: TypeAlias = str | int | float
_TRACE_PARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Span(Protocol):
    """Something that takes time."""

    @property
    def trace_parent(self) -> str | None:
        """What a span below it names as its parent; None where nothing is traced."""

    def end(self, error: str | None = None, **attributes: Attribute) -> None:
        """It has ended; `error` is a code of recto/errors.py, or an HTTP status that says that the service is at fault."""


class Tracing(Protocol):
    """Where spans go."""

    def begin(self, name: str, parent: str | None, *, is_request: bool = False, **attributes: Attribute) -> Span:
        """A span that begins now, below `parent` where it is a context that can be read. Attributes tell no content."""

    def stop(self) -> None:
        """Send what was not sent yet."""


class NoSpan:
    """Implements Span by doing nothing."""

    @property
    def trace_parent(self) -> None:
        """See Span."""
        return None

    def end(self, error: str | None = None, **attributes: Attribute) -> None:
        """See Span."""


class NoTracing:
    """Implements Tracing by doing nothing."""

    def begin(self, name: str, parent: str | None, *, is_request: bool = False, **attributes: Attribute) -> NoSpan:  # noqa: ARG002
        """See Tracing."""
        return NoSpan()

    def stop(self) -> None:
        """See Tracing."""


def readable_parent(given: str | None) -> str | None:
    """A trace context that somebody sent; None where it is none, so that a bad one begins a trace of its own."""
    return given if given and _TRACE_PARENT.fullmatch(given) else None
