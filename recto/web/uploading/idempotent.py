"""`Idempotency-Key`: requests that may be sent again and make one job (draft-ietf-httpapi-idempotency-key-header-07).

The commit of the job takes the key (recto/records/idempotency.py). Before it, requests with the same key know of each other in this process
alone: the second is answered 409 while the first arrives. Of those that come in through several Backends, the later one learns it at its commit.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request

from recto.errors import IdempotencyKeyInUse, IdempotencyKeyInvalid, IdempotencyKeyReused
from recto.records.idempotency import KeyedRequest, fingerprint, key_in_use
from recto.views.jobs import JobView, get_job
from recto.web.openapi.described import Parameter
from recto.web.services import services
from recto.web.serving.database import read

_HEADER: Final = "Idempotency-Key"
_REPLAYED: Final = "Idempotent-Replayed"
_MOST_CHARACTERS: Final = 255
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
"""A string as RFC 9651, section 3.3.3, has it, which is what the draft asks for. Other APIs take the key bare, and so clients send it."""
_BARE: Final = re.compile(r"[!#-~][ -~]*")

IDEMPOTENCY_KEY: Final = Parameter(
    _HEADER,
    "Makes the request safe to send again: the same key with the same content makes one job. 1 to 255 printable ASCII characters, a UUID for instance",
    {
        "type": "string",
        "pattern": r'^([!#-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$',
        "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    },
    "header",
)
KEY_PROBLEMS: Final = (IdempotencyKeyInvalid, IdempotencyKeyInUse, IdempotencyKeyReused)
REPLAYED_HEADER: Final = (_REPLAYED,)


@dataclass(frozen=True, slots=True)
class Key:
    """The key of the current request."""

    user_id: int
    value: str

    def with_content(self, *sent: Any) -> KeyedRequest:
        """With what came with it: JSON values that decide what is made."""
        return KeyedRequest(self.user_id, self.value, fingerprint(*sent))


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job, and whether an earlier request with the same key had made it."""

    job: JobView
    is_replayed: bool = False

    def mark(self, response: Response) -> Response:
        """Say so in the answer."""
        if self.is_replayed:
            response.headers[_REPLAYED] = "true"
        return response


@contextmanager
def key_of_request(user_id: int) -> Iterator[Key | None]:
    """The key, held against other requests of this process while the block receives and records; None where none was sent.

    IdempotencyKeyInvalid; IdempotencyKeyInUse where another request with it is in its block.
    """
    value = _given_key()
    if value is None:
        yield None
        return
    arriving = services().arriving_keys
    if (user_id, value) in arriving:
        raise key_in_use()
    arriving.add((user_id, value))
    try:
        yield Key(user_id, value)
    finally:
        arriving.discard((user_id, value))


def once(keyed: KeyedRequest | None, make: Callable[[], JobView]) -> Submitted:
    """The job that the key has made, as it is now, or the new one that `make` makes under it. IdempotencyKeyReused."""
    if keyed is None:
        return Submitted(make())
    if earlier := _made(keyed):
        return Submitted(earlier, is_replayed=True)
    try:
        return Submitted(make())
    except IdempotencyKeyInUse:  # said by the commit: another Backend's came first
        earlier = _made(keyed)
        if earlier is None:
            raise
        return Submitted(earlier, is_replayed=True)


def _made(keyed: KeyedRequest) -> JobView | None:
    uuid = read(services().idempotency_keys.find, keyed)
    return read(get_job, keyed.user_id, uuid) if uuid else None


def _given_key() -> str | None:
    given = request.headers.get(_HEADER)
    if given is None:
        return None
    quoted, bare = _QUOTED.fullmatch(given.strip()), _BARE.fullmatch(given.strip())
    value = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else bare[0] if bare else ""
    if not 0 < len(value) <= _MOST_CHARACTERS:
        raise IdempotencyKeyInvalid(
            f"An Idempotency-Key is 1 to {_MOST_CHARACTERS} printable ASCII characters, with quotes around them or without. Send a fresh UUID."
        )
    return value
