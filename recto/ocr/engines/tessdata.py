"""Where the system keeps Tesseract's language data, which languages are there, and their checksums."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from recto.errors import EngineMissing
from recto.ocr.page import Traineddata

_USUAL_FOLDERS: Final = (
    "/usr/share/tesseract-ocr/5/tessdata",  # Debian, Ubuntu
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",  # Fedora, Arch, Alpine
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",  # built from source; Homebrew on Intel
    "/opt/homebrew/share/tessdata",  # Homebrew on Apple silicon
    "/opt/local/share/tessdata",  # MacPorts
)
_WITHOUT_TEXT: Final = {"osd", "equ"}


def find_tessdata(explicit: Path | None = None) -> Path:
    """The folder of `*.traineddata`.

    `explicit` and TESSDATA_PREFIX are taken at their word, then the `tesseract` command is asked, then the usual folders are tried.
    EngineMissing where there is no data.
    """
    for folder in _named(explicit) or _usual():
        for candidate in (folder, folder / "tessdata"):
            if any(candidate.glob("*.traineddata")):
                return candidate
    where = f"No Tesseract language data in {explicit}." if explicit else "Tesseract's language data were not found."
    raise EngineMissing(
        f"{where} Install them (Debian: apt install tesseract-ocr tesseract-ocr-eng), or name their folder: ocr.tessdata_path in the settings."
    )


def installed_languages(tessdata: Path) -> frozenset[str]:
    """Languages with data in the folder, those in folders below by their path: 'script/Latin'."""
    files = [*tessdata.glob("*.traineddata"), *tessdata.glob("*/*.traineddata")]
    names = {file.relative_to(tessdata).with_suffix("").as_posix() for file in files}
    return frozenset(names - _WITHOUT_TEXT)


def data_file(tessdata: Path, language: str) -> Path:
    """Where the data of a language lie, installed or not."""
    return tessdata / f"{language}.traineddata"


def checksums(tessdata: Path, languages: tuple[str, ...]) -> tuple[Traineddata, ...]:
    """The data of each language with their SHA-256. An OSError where a file cannot be read."""
    return tuple(Traineddata(language, _sha256_of(data_file(tessdata, language))) for language in languages)


def _sha256_of(file: Path) -> str:
    status = file.stat()
    return _sha256(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256(file: Path, _size_bytes: int, _modified_ns: int) -> str:
    """In hexadecimal. Size and time are there for the cache: a file that changed is read again."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _named(explicit: Path | None) -> list[Path]:
    if explicit is not None:
        return [explicit]
    prefix = os.environ.get("TESSDATA_PREFIX")
    return [Path(prefix)] if prefix else []


def _usual() -> Iterator[Path]:
    yield from _asked()
    yield from map(Path, _USUAL_FOLDERS)


def _asked() -> Iterator[Path]:
    """What `tesseract --list-langs` names in its first line: List of available languages in "FOLDER" (N):."""
    try:
        answer = subprocess.run(
            ["tesseract", "--list-langs"], capture_output=True, timeout=30, check=False, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # no such command: the usual folders may hold data all the same
    quoted = answer.stdout.partition("\n")[0].split('"')
    if len(quoted) == 3:
        yield Path(quoted[1])
