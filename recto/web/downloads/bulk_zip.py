"""One zip of the results of several jobs, written while it is sent: neither memory nor disk holds all of it."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Final

from recto.errors import RectoError
from recto.file_storage.base import result_name
from recto.logs import get_logger
from recto.ocr.options import ResultFormat
from recto.records.derivations import ResultFile
from recto.views.jobs import JobView
from recto.web.downloads.links import download_name
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread

_log = get_logger(__name__)
_CHUNK_BYTES: Final = 256 * 1024
_WAIT_S: Final = 120.0
"""For a format that is yet to be made; the other documents come all the same."""
_PACKED: Final = frozenset({"pdf", "pdfa", "pages.zip"})
_NOT_IN_A_NAME: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
MISSING: Final = "missing.txt"


class _Outlet(io.RawIOBase):
    """Takes what the zip is written to it, and hands it on. Not seekable, so that zipfile writes lengths behind the files."""

    def __init__(self) -> None:
        self._taken: list[bytes] = []

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Keep it until it is taken."""
        self._taken.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What has come since the last time."""
        content = b"".join(self._taken)
        self._taken.clear()
        return content


def zip_of_results(jobs: Sequence[JobView], result_format: ResultFormat) -> Iterator[bytes]:
    """The zip in pieces. What cannot be had is named, with the reason, in a last file of it."""
    outlet, names, missing = _Outlet(), _UniqueNames(), []
    with zipfile.ZipFile(outlet, "w", allowZip64=True) as archive:
        for job in jobs:
            try:
                yield from _entry(archive, outlet, job, result_format, names)
            except RectoError as error:
                _log.warning("not_in_selection", job=job.uuid, code=error.code)
                missing.append(f"{job.file_name}: {error.detail}\n")
        if missing:
            archive.writestr(names.unique(MISSING), "".join(missing))
    yield outlet.take()


def _entry(
    archive: zipfile.ZipFile, outlet: _Outlet, job: JobView, result_format: ResultFormat, names: "_UniqueNames"
) -> Iterator[bytes]:
    made = services().deriver.make(job, ResultFile(result_format), _WAIT_S)
    if made is None:
        raise RectoError("It was not made in time. Download it from its own page.")
    name, storage = result_name(made.result_token or "", result_format, made.revision), services().storage
    with closing(in_thread(lambda: storage.open(job.uuid, name), Lane.DISK)) as file:
        entry = zipfile.ZipInfo(names.unique(download_name(job, result_format)), job.created.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_STORED if result_format in _PACKED else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        with archive.open(entry, "w", force_zip64=True) as sink:
            while in_thread(partial(_copy_chunk, file, sink), Lane.DISK):
                yield outlet.take()
    yield outlet.take()


def _copy_chunk(source: BinaryIO, sink: IO[bytes]) -> bool:
    """In a thread: reading waits for the disk, packing takes the processor. False at the end."""
    chunk = source.read(_CHUNK_BYTES)
    sink.write(chunk)
    return bool(chunk)


class _UniqueNames:
    """Names as every system can have them in one folder: letter.txt, letter (2).txt."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def unique(self, wanted: str) -> str:
        """The name, or one like it that was not given yet; large and small letters make no difference."""
        name = _NOT_IN_A_NAME.sub("_", wanted).strip(" .") or "document"
        stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
        candidate, number = name, 1
        while candidate.casefold() in self._given:
            number += 1
            candidate = f"{stem} ({number}){suffix}"
        self._given.add(candidate.casefold())
        return candidate
