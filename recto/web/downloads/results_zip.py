"""One ZIP archive of the results of several jobs: written front to back while it is sent, so that neither memory nor disk holds it."""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Final, TypeAlias, cast

from recto.errors import RectoError
from recto.file_storage.base import FileStorage, result_name
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.views.jobs import JobView
from recto.web.downloads.links import download_name
from recto.web.serving.database import Lane, in_thread

_CHUNK_BYTES: Final = 256 * 1024
_REGULAR_FILE_RW_R_R: Final = 0o100644
_UNIX: Final = 3
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""ZIP knows no time before."""
_NOT_IN_A_NAME: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class NotThere:
    """A job without this result, and why."""

    job: JobView
    code: str
    detail: str


Listing: TypeAlias = Callable[[Sequence[NotThere]], str]


def zip_of_results(
    storage: FileStorage,
    result_format: ResultFormat,
    found: Iterable[JobView | NotThere],
    list_name: str,
    listing: Listing,
) -> Iterator[bytes]:
    """The archive, chunk by chunk. What compresses, or waits for the disk, does so in a thread.

    Each job `found` is FINISHED and has its file, under a name of its own. What is not there is said by `listing` in a last file, `list_name`.
    Equal results give equal bytes: a file bears the time that its result names.
    """
    outlet, names, not_there = _Outlet(), UniqueNames(list_name), list[NotThere]()
    with zipfile.ZipFile(cast(BinaryIO, outlet), "w") as archive:
        for one in found:
            if isinstance(one, NotThere):
                not_there.append(one)
                continue
            try:
                file, size_bytes = _opened(storage, one, result_format)
            except RectoError as error:  # the job was deleted meanwhile
                not_there.append(NotThere(one, error.code, error.detail))
                continue
            packing = zipfile.ZIP_STORED if RESULT_FORMATS[result_format].is_packed else zipfile.ZIP_DEFLATED
            created = max(_EARLIEST, one.result_created.timetuple()[:6])
            entry = _entry(names.unique(download_name(one, result_format)), created, packing)
            entry.file_size = size_bytes  # decides on ZIP64
            with closing(file), archive.open(entry, "w") as sink:
                while in_thread(partial(_pass_on, file, sink), Lane.DISK):
                    yield outlet.taken()
        if not_there:
            archive.writestr(_entry(list_name, _EARLIEST, zipfile.ZIP_DEFLATED), listing(not_there))
    yield outlet.taken()


class _Outlet:
    """Takes what zipfile writes, and gives it on. Without `tell` and `seek`, so that sizes follow the data (APPNOTE 4.3.9)."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        written, self._written = b"".join(self._written), []
        return written


class UniqueNames:
    """Names as every system can have them in one folder: letter.txt, letter (2).txt. `reserved` is given to nobody."""

    def __init__(self, reserved: str) -> None:
        self._given = {reserved.casefold()}

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


def _opened(storage: FileStorage, job: JobView, result_format: ResultFormat) -> tuple[BinaryIO, int]:
    """The file and its size in bytes."""
    stored = result_name(job.result_token or "", result_format, job.revision)
    size_bytes = in_thread(partial(storage.size_bytes, job.uuid, stored), Lane.DISK)
    return in_thread(partial(storage.open, job.uuid, stored), Lane.DISK), size_bytes


def _pass_on(file: BinaryIO, sink: IO[bytes]) -> bool:
    """A chunk. False at the end."""
    chunk = file.read(_CHUNK_BYTES)
    sink.write(chunk)
    return bool(chunk)


def _entry(name: str, date_time: tuple[int, ...], packing: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, cast(tuple[int, int, int, int, int, int], date_time))
    entry.compress_type = packing
    entry.create_system = _UNIX
    entry.external_attr = _REGULAR_FILE_RW_R_R << 16
    return entry
