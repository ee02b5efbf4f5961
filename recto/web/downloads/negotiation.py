"""Which format of a result a client wants: `?format=`, else `Accept` (RFC 9110, section 12.5.1), else the text."""

from collections.abc import Mapping
from typing import Final

from flask import Response, after_this_request, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from recto.errors import NotAcceptable, OptionInvalid
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.web.openapi.described import Parameter

FORMAT: Final = Parameter(
    "format",
    "What is wanted. Where it is left out, `Accept` says it; without both it is the text",
    {"type": "string", "enum": list(RESULT_FORMATS)},
)


def asked_format() -> ResultFormat:
    """The format that the current request asks for; its answer says that `Accept` has a say. OptionInvalid, NotAcceptable."""
    after_this_request(_varying)
    if "format" in request.args:
        return parse_format(request.args["format"])
    return accepted_format(request.headers.get("Accept", ""))


def parse_format(given: str) -> ResultFormat:
    """OptionInvalid, naming those there are, where it is none."""
    for result_format in RESULT_FORMATS:
        if given == result_format:
            return result_format
    raise OptionInvalid(f"There is no format '{given}'. Ask for one of: {', '.join(RESULT_FORMATS)}.")


def accepted_format(accept: str) -> ResultFormat:
    """The format that is liked best; of several the first of RESULT_FORMATS. NotAcceptable, naming those there are.

    Parameters of media types, such as charset, are passed over: every text is UTF-8. So is a header that names no type at all.
    """
    liked: dict[str, float] = {}
    for media_range, quality in parse_accept_header(accept, MIMEAccept):
        name = _bare(media_range)
        if "/" in name:
            liked[name] = max(quality, liked.get(name, 0.0))
    best = max(RESULT_FORMATS, key=lambda one: _quality(liked, RESULT_FORMATS[one].media_type))
    if liked and not _quality(liked, RESULT_FORMATS[best].media_type):
        there = {name: _bare(kind.media_type) for name, kind in RESULT_FORMATS.items()}
        raise NotAcceptable(
            f"A result cannot be had as that. Send one of these in Accept, or ask by ?format=: {', '.join(dict.fromkeys(there.values()))}.",
            available=[{"format": name, "media_type": media_type} for name, media_type in there.items()],
        )
    return best


def _quality(liked: Mapping[str, float], media_type: str) -> float:
    """Of 0 to 1. The closest range decides: `text/plain;q=0, */*` is anything but plain text."""
    exact = _bare(media_type)
    for media_range in (exact, f"{exact.partition('/')[0]}/*", "*/*"):
        if media_range in liked:
            return liked[media_range]
    return 0.0


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _varying(response: Response) -> Response:
    response.vary.add("Accept")
    return response
