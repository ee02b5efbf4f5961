"""What lies in the folder of a backup.

    manifest.json        which Recto made it, when, with which schema, how much is in it
    recto-<time>.db      the rows, as a SQLite database in one file, whatever database they come from
    recto-<time>.sha256  the checksums of all the other files, in lines that `sha256sum --check` reads
    files/<uuid>/…       the files of the jobs, as a File Storage on a volume has them
    secret_key           what signs sign-ins and links, where the Backend has it in its folder

The manifest names the two files that belong to it. It is replaced by one rename, after all the others have been written and before any is removed: a
backup that breaks off leaves the one before it whole.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Engine

from recto.database.connections import connect
from recto.errors import RectoError

FILES: Final = "files"
SIGNING: Final = "secret_key"
_MANIFEST: Final = "manifest.json"
_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What manifest.json says. `made` is ISO 8601; `name` that of the database and the checksums, without their endings.

    `checksum` is the SHA-256 of the file of checksums, in hexadecimal digits.
    """

    recto: str
    schema: str
    made: str
    jobs: int
    files: int
    size_bytes: int
    name: str
    checksum: str

    @property
    def database(self) -> str:
        """The file of the rows."""
        return f"{self.name}.db"

    @property
    def checksums(self) -> str:
        """The file of the checksums."""
        return f"{self.name}.sha256"


def has_manifest(folder: Path) -> bool:
    """Whether a backup was ever completed there."""
    return (folder / _MANIFEST).exists()


def read_manifest(folder: Path) -> Manifest:
    """RectoError where there is none, or one that cannot be read."""
    try:
        return Manifest(**json.loads((folder / _MANIFEST).read_bytes()))
    except FileNotFoundError as error:
        raise RectoError(
            f"{folder} holds no complete backup: it has no {_MANIFEST}. Name the folder that `backup` wrote."
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise RectoError(f"{folder / _MANIFEST} cannot be read: {error}. Back up into another folder.") from error


def read_checksums(folder: Path, manifest: Manifest) -> dict[str, str]:
    """The SHA-256 of each file by its path in the folder. RectoError where they are not those that the manifest speaks of."""
    file = folder / manifest.checksums
    if file_checksum(file) != manifest.checksum:
        raise RectoError(
            f"{file} is damaged or missing, so nothing in {folder} can be proven. Back up into another folder."
        )
    pairs = (line.split("  ", 1) for line in file.read_text(encoding="utf-8").splitlines())
    return {path: checksum for checksum, path in pairs}


def write_checksums(folder: Path, name: str, checksums: Mapping[str, str]) -> str:
    """Write them beside the database of that name; their own checksum."""
    content = "".join(f"{checksum}  {path}\n" for path, checksum in sorted(checksums.items())).encode()
    put(folder / f"{name}.sha256", content)
    return hashlib.sha256(content).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """From now on the folder holds this backup and no other."""
    put(folder / _MANIFEST, json.dumps(asdict(manifest), indent=2).encode() + b"\n")


def put(file: Path, content: bytes) -> None:
    """Write a file for its owner alone. It appears whole, and is durable when this returns."""
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    with part.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(file)
    descriptor = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def path_in_backup(uuid: str, name: str) -> str:
    """Where a job's file lies."""
    return f"{FILES}/{uuid}/{name}"


def job_and_name(path: str) -> tuple[str, str] | None:
    """The job's uuid and the file's name there; None for what belongs to no job."""
    if not path.startswith(f"{FILES}/"):
        return None
    _, uuid, name = path.split("/", 2)
    return uuid, name


def file_checksum(file: Path) -> str | None:
    """The SHA-256 in hexadecimal digits; None where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return None


def different_files(folder: Path) -> tuple[str, ...]:
    """The files of the backup that are missing, or have other bytes than when it was made. RectoError where nobody can tell."""
    checksums = read_checksums(folder, read_manifest(folder))
    return tuple(path for path, checksum in checksums.items() if file_checksum(folder / path) != checksum)


def open_rows(file: Path) -> Engine:
    """The SQLite database in that file."""
    return connect(URL.create("sqlite", database=str(file)).render_as_string(), _PATIENCE_S)
