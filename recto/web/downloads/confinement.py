"""What a browser may do with bytes that came from a document: nothing but show them, and never as a page of Recto's."""

from typing import Final

from flask import Response

_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
"""Where a browser opens the file all the same, it has an origin of its own: no script, no form, no cookie of Recto's."""


def confined(response: Response) -> Response:
    """The response with the headers of a file that a stranger may have shaped. `nosniff` is on every answer (app.py)."""
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response
