"""The ZIP archive of a batch: written front to back while it is sent, so that neither memory nor disk holds it."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import count
from typing import IO, BinaryIO, Final, cast

from recto.errors import FileNotFound
from recto.file_storage.base import FileStorage, result_name
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.views.jobs import JobView
from recto.web.downloads.links import download_name
from recto.web.serving.database import Lane, in_thread

ERRORS: Final = "errors.json"
_CHUNK_BYTES: Final = 256 * 1024
_REGULAR_FILE_RW_R_R: Final = 0o100644
_UNIX: Final = 3
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""ZIP knows no time before."""


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


class BatchZip:
    """The results of finished jobs in one format, under names of their own, and those that there are not in `errors.json`.

    Equal results give equal bytes: a file bears the time that its result names.
    """

    def __init__(self, storage: FileStorage, result_format: ResultFormat) -> None:
        self._storage = storage
        self._format = result_format
        self._jobs: dict[str, JobView] = {}
        self._names = {ERRORS}
        self._failures: list[dict[str, str]] = []

    def add(self, job: JobView) -> None:
        """A FINISHED job, whose file is there."""
        self._jobs[self._own_name(download_name(job, self._format))] = job

    def add_failure(self, job: JobView, code: str, detail: str) -> None:
        """A job without this result, and why."""
        self._failures.append({"uuid": job.uuid, "file_name": job.file_name, "code": code, "detail": detail})

    def stream(self) -> Iterator[bytes]:
        """The archive, chunk by chunk. What compresses, or waits for the disk, does so in a thread."""
        outlet = _Outlet()
        with zipfile.ZipFile(cast(BinaryIO, outlet), "w") as archive:
            for name, job in self._jobs.items():
                try:
                    yield from self._file(archive, outlet, name, job)
                except FileNotFound as error:  # the job was deleted meanwhile
                    self.add_failure(job, error.code, error.detail)
            if self._failures:
                listed = json.dumps(self._failures, ensure_ascii=False, indent=1) + "\n"
                archive.writestr(_entry(ERRORS, _EARLIEST, zipfile.ZIP_DEFLATED), listed)
        yield outlet.taken()

    def _file(self, archive: zipfile.ZipFile, outlet: _Outlet, name: str, job: JobView) -> Iterator[bytes]:
        stored = result_name(job.result_token or "", self._format, job.revision)
        with closing(in_thread(partial(self._storage.open, job.uuid, stored), Lane.DISK)) as file:
            created = job.result_created.timetuple()[:6]
            packing = zipfile.ZIP_STORED if RESULT_FORMATS[self._format].is_packed else zipfile.ZIP_DEFLATED
            entry = _entry(name, max(_EARLIEST, created), packing)
            entry.file_size = in_thread(partial(self._storage.size_bytes, job.uuid, stored))  # decides on ZIP64
            with archive.open(entry, "w") as sink:
                while in_thread(partial(_pass_on, file, sink), Lane.DISK):
                    yield outlet.taken()

    def _own_name(self, wanted: str) -> str:
        """letter.txt, letter (2).txt: also where a file system does not tell capitals."""
        stem, dot, ending = wanted.partition(".")
        names = (wanted if number == 1 else f"{stem} ({number}){dot}{ending}" for number in count(1))
        name = next(name for name in names if name.casefold() not in self._names)
        self._names.add(name.casefold())
        return name


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
