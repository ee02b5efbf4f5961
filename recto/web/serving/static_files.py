"""Recto's own scripts, styles and pictures: read once at the start, compressed once, and named by what they contain.

Their addresses are `/static/<version>/<name>`, the version being a digest of all of them: what came by such an address is never asked for again,
and modules, which name each other relative to their own address, stay within it. A name without a version, or with that of another release
(two Backends behind one proxy while they are replaced), gives the file as well, to be asked about each time.
"""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, request

_VERSION: Final = re.compile(r"[0-9a-f]{12}/")
_DIGITS: Final = 12
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_EACH_TIME: Final = "no-cache"
_ENDPOINT: Final = "static"


@dataclass(frozen=True, slots=True)
class _File:
    """One file as it goes out. `zipped` is gzip, or None where that is no smaller."""

    content: bytes
    zipped: bytes | None
    media_type: str
    digest: str


def install_static_files(app: Flask) -> None:
    """Answer Flask's own rule for static files from memory, and have `url_for("static", filename=…)` name the version."""
    folder = Path(app.static_folder or "")
    files = {path.relative_to(folder).as_posix(): _file(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    version = _digest("".join(f"{name} {file.digest}\n" for name, file in files.items()).encode())

    def static(filename: str) -> Response:
        named = _VERSION.match(filename)
        file = files.get(filename[named.end() :] if named else filename)
        if file is None:
            abort(404)
        return _answer(file, _FOR_EVER if named and named[0] == f"{version}/" else _ASK_EACH_TIME)

    def name_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == _ENDPOINT:
            values["filename"] = f"{version}/{values['filename']}"

    app.view_functions[_ENDPOINT] = static
    app.url_defaults(name_version)


def _file(path: Path) -> _File:
    content = path.read_bytes()
    zipped = gzip.compress(content, mtime=0)  # without a time: equal files, equal bytes
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _File(content, zipped if len(zipped) < len(content) else None, media_type, _digest(content))


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()[:_DIGITS]


def _answer(file: _File, cache_control: str) -> Response:
    """The file, smaller where the client takes it so; 304 where it has it."""
    is_zipped = file.zipped is not None and request.accept_encodings["gzip"] > 0
    response = Response(file.zipped if is_zipped else file.content, mimetype=file.media_type)
    if is_zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = cache_control
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{file.digest}-gzip" if is_zipped else file.digest)
    response.make_conditional(request)
    return response
