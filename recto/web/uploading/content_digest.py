"""`Content-Digest` (RFC 9530): what the client says of its body, held against the body while it arrives."""

import binascii
import hashlib
import re
from typing import IO, Any, Final, Protocol

from recto.errors import ContentDigestWrong
from recto.web.openapi.described import Parameter

HEADER: Final = "Content-Digest"
_ALGORITHMS: Final = {"sha-256": "sha256", "sha-512": "sha512"}
"""By the names of RFC 9530, section 5. The others there are too weak; they are ignored, as those that nobody knows (section 2)."""
_MEMBER: Final = re.compile(r'([a-z*][a-z0-9_.*-]*)(?:=(:[^:]*:|"(?:[^"\\]|\\.)*"|[^",;]*))?(?:;[^,"]*)?')
"""One of a dictionary (RFC 9651, section 3.2). No comma can stand in a digest."""

CONTENT_DIGEST: Final = Parameter(
    HEADER,
    "SHA-256 or SHA-512 of the whole body as it is sent (RFC 9530); where it is not that of what arrived, nothing is kept",
    {"type": "string", "examples": ["sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"]},
    "header",
)


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


def stated_digests(header: str) -> dict[str, bytes]:
    """The digests of a Content-Digest header by algorithm, those that are known. ContentDigestWrong where it cannot be understood."""
    stated = {}
    for part in filter(None, (part.strip() for part in header.split(","))):
        member = _MEMBER.fullmatch(part)
        if member is None:
            raise _not_understood()
        if member[1] in _ALGORITHMS:
            stated[member[1]] = _bytes(member[2] or "")
    return stated


class DigestedStream:
    """A body that is digested while it is read. At its end it is as stated, or ContentDigestWrong is raised."""

    def __init__(self, stream: IO[bytes], stated: dict[str, bytes]) -> None:
        self._stream = stream
        self._stated = stated
        self._hashes: dict[str, _Hash] = {name: hashlib.new(_ALGORITHMS[name]) for name in stated}

    def read(self, size: int = -1) -> bytes:
        """See io.RawIOBase.read."""
        content = self._stream.read(size)
        for computed in self._hashes.values():
            computed.update(content)
        if size < 0 or (size and not content):
            self._compare()
        return content

    def __getattr__(self, name: str) -> Any:
        """Whatever else a stream can."""
        return getattr(self._stream, name)

    def _compare(self) -> None:
        for name, computed in self._hashes.items():
            if computed.digest() != self._stated[name]:
                raise ContentDigestWrong(
                    f"What arrived has not the {name} that the header {HEADER} states: it was changed on its way, or digested before it was "
                    "put into a form. Nothing of it is kept; send it again.",
                    algorithm=name,
                )


def _bytes(value: str) -> bytes:
    if not (value.startswith(":") and value.endswith(":") and len(value) > 1):
        raise _not_understood()
    try:
        return binascii.a2b_base64(value[1:-1], strict_mode=True)
    except binascii.Error as error:
        raise _not_understood() from error


def _not_understood() -> ContentDigestWrong:
    """Section 4.2 of RFC 9651 would have it ignored; who sends a digest wants it checked, and hears that it was not."""
    return ContentDigestWrong(
        f"The header {HEADER} cannot be understood. Write it like sha-256=:BASE64:, with a colon on both sides of the digest."
    )
