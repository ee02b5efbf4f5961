"""Where results go: a name for each document that is nobody else's, the files under it, and what says why there are none."""

import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Final

from recto_client.downloads import appearing
from recto_client.formats import SUFFIXES

ERROR_SUFFIX: Final = ".error.txt"
_MOST_BYTES: Final = 180
_INNER: Final = (".pdfa", ".alto", ".pages", ".error")


class Outbox:
    """The folder of the results, which mirrors the folders of the inbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def free_name(self, path: str, is_taken: Callable[[str], bool]) -> tuple[str, str]:
        """The name for the results of the document at `path`, and its key: one whose key is not taken, and under which no file lies."""
        return next(
            (name, key_of(name)) for name in _names(path) if not is_taken(key_of(name)) and not self._is_used(name)
        )

    def has_all(self, output: str, formats: Sequence[str]) -> bool:
        """Whether every result is still where it was written."""
        return all(self.file(output, result_format).exists() for result_format in formats)

    def file(self, output: str, result_format: str) -> Path:
        """Where that format of the result goes."""
        return self._place(output, SUFFIXES[result_format])

    def make_room(self, output: str) -> None:
        """The folder of the results is there. OSError."""
        self._place(output, "").parent.mkdir(parents=True, exist_ok=True)

    def error_file(self, output: str) -> Path:
        """Where it is said why there is no result."""
        return self._place(output, ERROR_SUFFIX)

    def tell_error(self, output: str, text: str) -> None:
        """Say so. OSError."""
        self.make_room(output)
        with appearing(self.error_file(output)) as file:
            file.write(text.encode("utf-8", "replace"))

    def _is_used(self, output: str) -> bool:
        return any(self._place(output, suffix).exists() for suffix in (*SUFFIXES.values(), ERROR_SUFFIX))

    def _place(self, output: str, suffix: str) -> Path:
        place = self._folder / output
        return place.with_name(place.name + suffix)


def key_of(output: str) -> str:
    """Equal for names whose files could be the same: file systems differ about case and accents, and a.error.txt is b's text where b is a.error."""
    key = unicodedata.normalize("NFC", output).casefold()
    while key.endswith(_INNER):
        key = key.rpartition(".")[0]
    return key


def _names(path: str) -> Iterator[str]:
    """letter, letter.jpg, letter-2, letter-3 …, in the document's folder."""
    given = PurePosixPath(path)
    whole = given.with_name(_short(given.stem) + given.suffix)
    stem = given.with_name(_short(given.stem))
    yield str(stem)
    if whole.suffix:
        yield str(whole)
    for number in count(2):
        yield f"{stem}-{number}"


def _short(stem: str) -> str:
    """So short that a suffix and what is added while a file is written find room in the 255 bytes of a name."""
    return os.fsdecode(os.fsencode(stem)[:_MOST_BYTES])
