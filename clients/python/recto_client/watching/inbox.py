"""What lies in the watched folder, and which of it has stopped growing.

The folder is looked through again and again. The system's notices (inotify and its like) say nothing of what other machines write to a
network share, which is where scanners put their scans.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DONE_FOLDER: Final = ".done"
_EMPTY_TAKES: Final = 10
_HALF_WRITTEN: Final = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".download")
_OF_SYSTEMS: Final = ("thumbs.db", "desktop.ini")
_NO_DOCUMENT_AT_FIRST: Final = (".", "~")


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was found. `path` is relative to the folder."""

    path: str
    size_bytes: int
    modified_ns: int


def is_passed_over(name: str) -> bool:
    """Hidden files, and names that programs give to what they have not finished, or keep for themselves."""
    lowered = name.lower()
    return name.startswith(_NO_DOCUMENT_AT_FIRST) or lowered.endswith(_HALF_WRITTEN) or lowered in _OF_SYSTEMS


def look(folder: Path, without: Collection[Path] = ()) -> Iterator[Seen]:
    """Every file in the folder and the folders in it, by name; links are not followed: they may lead anywhere. OSError where it cannot be read."""
    yield from _look(folder, "", without)


def look_at(folder: Path, path: str) -> Seen | None:
    """That file as it is now; None where it is gone."""
    try:
        found = (folder / path).stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Seen(path, found.st_size, found.st_mtime_ns)


def _look(folder: Path, prefix: str, without: Collection[Path]) -> Iterator[Seen]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        if not prefix:
            raise
        return  # removed since it was listed
    for entry in found:
        if is_passed_over(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if Path(entry.path) not in without:
                yield from _look(Path(entry.path), f"{prefix}{entry.name}/", without)
        elif entry.is_file(follow_symlinks=False) and (seen := _stat(entry, prefix)):
            yield seen


def _stat(entry: os.DirEntry[str], prefix: str) -> Seen | None:
    try:
        found = os.stat(entry.path, follow_symlinks=False)  # noqa: PTH116 - entry.stat() may be a listing's old knowledge
    except FileNotFoundError:
        return None
    return Seen(prefix + entry.name, found.st_size, found.st_mtime_ns)


class Settling:
    """Which files have not changed for `settle_s`. An empty one is given ten times as long: scanners create first and write later."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._since: dict[Seen, float] = {}

    def settled(self, seen: Iterable[Seen], now_s: float) -> list[Seen]:
        """Of what is there now, at a time that only grows, what may be taken for complete."""
        self._since = {file: self._since.get(file, now_s) for file in seen}
        return [file for file, since_s in self._since.items() if now_s - since_s >= self._patience_s(file)]

    @property
    def is_waiting(self) -> bool:
        """Whether anything was there at the last look."""
        return bool(self._since)

    def _patience_s(self, file: Seen) -> float:
        return self._settle_s if file.size_bytes else self._settle_s * _EMPTY_TAKES
