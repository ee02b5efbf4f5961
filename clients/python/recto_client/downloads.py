"""A result on its way into a file."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO

import httpx

from recto_client.digests import CHUNK_BYTES, sha256_in
from recto_client.errors import DigestMismatch, retry_after

_Taken = tuple[bool, bytes | None, float]


@contextmanager
def appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which gets its name, replacing what had it, when the block ends without an error and it is on the disk."""
    path = path.resolve()  # through a link, not in its place
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def take_bytes(file: IO[bytes] | None, response: httpx.Response) -> _Taken:
    """(whether it is there, its content where there is no file, seconds until it should be asked for again). DigestMismatch."""
    if response.status_code == HTTPStatus.ACCEPTED:
        response.read()
        return False, None, retry_after(response) or 1.0
    expected, digest = sha256_in(response.headers.get("Repr-Digest", "")), hashlib.sha256()
    chunks: list[bytes] = []
    if file:
        file.seek(0)
        file.truncate()  # of an attempt that broke off
    for chunk in response.iter_bytes(CHUNK_BYTES):
        digest.update(chunk)
        if file:
            file.write(chunk)
        else:
            chunks.append(chunk)
    if expected and expected != digest.hexdigest():
        raise DigestMismatch("The result that arrived is not the one that was sent. Ask for it again.")
    return True, None if file else b"".join(chunks), 0.0
