"""Where a list goes on, for clients that read headers (RFC 8288)."""

from flask import Response


def with_next(response: Response, following: str | None) -> Response:
    """The response with its `Link` header; none at the end of the list."""
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response
