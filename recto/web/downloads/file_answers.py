"""A file of the File Storage as an answer: with its ETag and digest, whole, in part, or not at all for who has it."""

import hashlib
import io
import os
from base64 import b64encode
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Final, TypeAlias

from flask import Response, request, send_file
from werkzeug.exceptions import PreconditionFailed
from werkzeug.wsgi import FileWrapper

from recto.web.downloads.confinement import confined
from recto.web.downloads.content_disposition import attachment
from recto.web.openapi.described import IF_NONE_MATCH, HttpProblem, Parameter
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread

FILE_HEADERS: Final = ("Content-Disposition", "ETag", "Repr-Digest", "Accept-Ranges")
NOT_HAD: Final = HttpProblem(
    412, "precondition_failed", "Precondition Failed", "The file is another one than `If-Match` names."
)
CONDITIONS: Final = (
    Parameter(
        "Range",
        "A part of the file, such as its end; several at once are answered with the whole",
        {"type": "string", "examples": ["bytes=0-99"]},
        "header",
    ),
    Parameter(
        "If-Range",
        "An `ETag`: `Range` counts where the file still has it",
        {"type": "string", "examples": ['"txt-5891b5b522d5df086d0ff0b110fbd9d2"']},
        "header",
    ),
    IF_NONE_MATCH,
)
_MOST_DIGESTS: Final = 10_000
_CHUNK_BYTES: Final = 128 * 1024
"""Sent at once. In werkzeug's 8 KiB the searchable PDF of one page takes twice the processor's time."""
_Stored: TypeAlias = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open file at its begin; when it was last written, in nanoseconds since 1970, where it lies in a folder, else 0."""

    file: BinaryIO
    size_bytes: int
    written_ns: int


_digests: dict[_Stored, bytes] = {}
"""SHA-256 of files that were asked for before, by (uuid, name, size, time of writing). Touched by the hub's thread alone."""


def file_answer(uuid: str, name: str, kind: str, media_type: str, file_name: str) -> Response:
    """The file as a download that is called `file_name`; `kind` tells its ETag from those of equal bytes of another type.

    FileNotFound; RequestedRangeNotSatisfiable and PreconditionFailed as the request's headers have it.
    """
    opened = in_thread(partial(_open, uuid, name), Lane.DISK)
    try:
        sha256 = _digest(uuid, name, opened)
        response = send_file(opened.file, media_type, conditional=False)
        response.response = FileWrapper(opened.file, _CHUNK_BYTES)
        response.content_length = opened.size_bytes
        response.headers["Content-Disposition"] = attachment(file_name)
        response.headers["Repr-Digest"] = f"sha-256=:{b64encode(sha256).decode()}:"
        response.set_etag(f"{kind}-{sha256.hex()[:32]}")
        _require_match(response)
        response.make_conditional(_environ(response), accept_ranges=True, complete_length=opened.size_bytes)
    except BaseException:
        opened.file.close()
        raise
    return confined(response)


def _open(uuid: str, name: str) -> _Opened:
    storage = services().storage
    size_bytes, file = storage.size_bytes(uuid, name), storage.open(uuid, name)
    is_of_folder = isinstance(file, io.BufferedReader) and isinstance(file.raw, io.FileIO)
    return _Opened(file, size_bytes, os.fstat(file.fileno()).st_mtime_ns if is_of_folder else 0)


def _digest(uuid: str, name: str, opened: _Opened) -> bytes:
    """SHA-256 of the whole file, which is read for it the first time alone: files are replaced and never changed."""
    key = uuid, name, opened.size_bytes, opened.written_ns
    if key not in _digests:
        sha256 = in_thread(partial(_read_digest, opened.file), Lane.DISK)
        while len(_digests) >= _MOST_DIGESTS:
            del _digests[next(iter(_digests))]
        _digests[key] = sha256
    return _digests[key]


def _read_digest(file: BinaryIO) -> bytes:
    sha256 = hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]
    file.seek(0)
    return sha256


def _require_match(response: Response) -> None:
    etag, _ = response.get_etag()
    if request.if_match and not (request.if_match.star_tag or request.if_match.is_strong(etag or "")):
        raise PreconditionFailed("The file is another one than If-Match names. Ask for it without that header.")


def _environ(response: Response) -> dict[str, Any]:
    """What werkzeug is to decide by: `If-Match` is decided, and a `Range` that does not count is left out.

    It counts for GET alone; where If-Range names, strongly, what there is (RFC 9110, sections 13.1.5 and 14.2); and for one part, since
    several would make a multipart answer.
    """
    if_range = request.headers.get("If-Range")
    is_of_this = if_range is None or if_range.strip() == response.headers["ETag"]
    counts = request.method == "GET" and is_of_this and "," not in request.headers.get("Range", "")
    left_out = {"HTTP_IF_MATCH"} if counts else {"HTTP_IF_MATCH", "HTTP_RANGE", "HTTP_IF_RANGE"}
    return {name: value for name, value in request.environ.items() if name not in left_out}
