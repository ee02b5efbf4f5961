"""Digests of what is sent and what arrives, as HTTP has them (RFC 9530)."""

import base64
import hashlib
from typing import BinaryIO, Final

CHUNK_BYTES: Final = 256 * 1024
_ALGORITHM: Final = "sha-256"


def sha256_of(file: BinaryIO) -> tuple[str, int]:
    """(hexadecimal digest, length in bytes) of what is in the file from its beginning, where it is left standing."""
    file.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size_bytes


def digest_field(sha256: str) -> str:
    """The value of Content-Digest or Repr-Digest for a digest in hexadecimals."""
    return f"{_ALGORITHM}=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def sha256_in(field: str) -> str | None:
    """The SHA-256 in such a value, in hexadecimals; None where it has none, but others."""
    for member in field.split(","):
        name, _, value = member.strip().partition("=")
        if name.lower() == _ALGORITHM and value.startswith(":") and value.endswith(":"):
            try:
                return base64.b64decode(value[1:-1], validate=True).hex()
            except ValueError:
                return None
    return None
