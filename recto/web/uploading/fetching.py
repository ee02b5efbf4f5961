"""Documents that Recto fetches itself, from an address that a user names: under the guard of every outgoing request, off by default."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit

import recto
from recto.errors import DocumentNotFetched, DocumentUrlsOff
from recto.outbound.exchange import Answer
from recto.web.services import services

_CHUNK_BYTES: Final = 256 * 1024


def fetch(url: str, take: Callable[[bytes], None]) -> str:
    """Hand the document to `take`, piece by piece. Gives the name in the URL, as the client's name of it; empty where there is none.

    DocumentUrlsOff, AddressRefused, NoAnswer, DocumentNotFetched, and whatever `take` raises.
    """
    limits = services().limits
    if not limits.has_document_urls:
        raise DocumentUrlsOff(
            "This Recto fetches no documents; send the file itself. An administrator can set outbound.document_urls."
        )
    headers = {"User-Agent": f"Recto/{recto.__version__}", "Accept": "*/*"}
    with services().outbound.answer("GET", url, headers, limits.document_timeout_s) as answer:
        if answer.status != HTTPStatus.OK:
            raise DocumentNotFetched(
                f"The host answered {answer.status} instead of 200, and redirects are not followed. Give the document's own address.",
                answered=answer.status,
            )
        _pass_on(answer, take)
    return unquote(urlsplit(url).path.rpartition("/")[2], errors="replace")


def _pass_on(answer: Answer, take: Callable[[bytes], None]) -> None:
    size_bytes = 0
    while chunk := answer.read(_CHUNK_BYTES):
        size_bytes += len(chunk)
        take(chunk)
    announced = answer.header("Content-Length")
    if announced.isdecimal() and int(announced) != size_bytes and not answer.header("Transfer-Encoding"):
        # http.client takes an early end for the end, where it is asked for pieces.
        raise DocumentNotFetched(
            f"The document broke off after {size_bytes:,} of {int(announced):,} bytes. Try again.",
            answered=answer.status,
        )
