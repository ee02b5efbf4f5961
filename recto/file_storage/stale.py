"""What of a store is stale: pure arithmetic on what it holds, what the Database refers to, and ages. Looks at no file and no clock.

Three facts make a removal safe whatever runs meanwhile, so that the age is a courtesy and nothing depends on it:

- An attempt's token is in the Database before its folder exists, and once nothing refers to it, nothing ever will again: claims make new
  tokens, and only the holder of a lease has its pages adopted. So a folder that was listed first and is then not referred to is abandoned.
- A file that is being written, and the scratch folder of a process, are held by their living process (FileStorage.remove).
- A job's folder that has no row yet is withdrawn in a transaction that excludes the one that would record the job (recto/records/file_references.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from recto.file_storage.base import FileKind, StoredFile, attempt_folders, attempt_of, revision_of


class Kind(StrEnum):
    """What is wrong with what was found."""

    DELETED_JOB = "deleted job"
    """Files that resisted the deletion of their job."""
    FOLDER_WITHOUT_JOB = "folder without job"
    ABANDONED_ATTEMPT = "abandoned attempt"
    LOST_PAGE = "page of a lost attempt"
    """Written, and read again elsewhere, since its attempt lost the job before the page was adopted."""
    SUPERSEDED_RESULT = "superseded result"
    """Made before a later correction: its revision never comes again."""
    UNFINISHED_FILE = "unfinished file"
    UPLOAD = "broken-off upload"
    SCRATCH = "scratch folder"
    DELETION = "broken-off deletion"
    JOB_WITHOUT_DOCUMENT = "job without document"
    RESULT_MISSING = "result missing"
    UNREADABLE = "unreadable folder"
    FOREIGN = "foreign file"


REPORTED_ONLY: Final = frozenset({Kind.RESULT_MISSING, Kind.UNREADABLE, Kind.FOREIGN})
"""What a sweep changes nothing about."""

_OUTSIDE: Final = {
    FileKind.UNFINISHED: Kind.UPLOAD,
    FileKind.SCRATCH: Kind.SCRATCH,
    FileKind.DELETED: Kind.DELETION,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something stale. `uuid` is the job's; None for what belongs to none.

    `name` is a path as the store names it, of a file or of an attempt's folder, and empty for a job as a whole. `age_s` is that of
    the youngest file. `files` are the files that removing it removes.
    """

    kind: Kind
    uuid: str | None
    name: str
    age_s: float
    size_bytes: int
    files: tuple[str, ...] = ()


def is_due(finding: Finding, older_than_s: float) -> bool:
    """Whether a sweep that cleans up what is older than this does something about it."""
    return finding.kind not in REPORTED_ONLY and finding.age_s >= older_than_s


def without_job(uuid: str, contents: Sequence[StoredFile]) -> Iterator[Finding]:
    """A folder whose job the Database does not know. Where it holds foreign files they are named, and the folder stays."""
    foreign = list(_foreign(uuid, contents))
    yield from foreign
    if contents and not foreign:
        yield _together(Kind.FOLDER_WITHOUT_JOB, uuid, "", contents)


def in_job(
    uuid: str,
    contents: Sequence[StoredFile],
    tokens: frozenset[str],
    open_tokens: frozenset[str],
    adopted: frozenset[str],
    revision: int = 0,
) -> Iterator[Finding]:
    """What is stale in the folder of a job, by what its rows say, read after `contents`.

    `tokens` are the attempts that they refer to, `open_tokens` those of them that may still get files: the one that holds the lease, and the one
    that has the result. `adopted` are the names of the pages that the job has; of an attempt that is over it has no other file.
    `revision` is that of the corrections: what was made with fewer of them is superseded. The result as it was read stays.
    """
    abandoned: dict[str, list[StoredFile]] = {}
    yield from _foreign(uuid, contents)
    for file in contents:
        token = attempt_of(file.name)
        if file.kind is FileKind.FOREIGN:
            continue
        if token is not None and token not in tokens:
            abandoned.setdefault(token, []).append(file)
        elif file.kind is FileKind.UNFINISHED:
            yield _together(Kind.UNFINISHED_FILE, uuid, file.name, [file])
        elif token is not None and token not in open_tokens and file.kind is FileKind.KEPT and file.name not in adopted:
            yield _together(Kind.LOST_PAGE, uuid, file.name, [file])
        elif file.kind is FileKind.KEPT and 0 < revision_of(file.name) < revision:
            yield _together(Kind.SUPERSEDED_RESULT, uuid, file.name, [file])
    for token, files in abandoned.items():
        yield _together(Kind.ABANDONED_ATTEMPT, uuid, attempt_folders(token)[-1], files)


def looks_like_another_database(owned: int, without_job: int) -> bool:
    """Whether the folders more likely belong to a Database that is not this one, by how many have a job in it and how many have none.

    An empty database by mistake, or an old copy of it, makes every document look like left behind.
    """
    return without_job > owned


def missing(contents: Sequence[StoredFile], needed: Iterable[str]) -> list[str]:
    """Those of the files that a job needs which are not in its folder."""
    kept = {file.name for file in contents if file.kind is FileKind.KEPT}
    return sorted(set(needed) - kept)


def outside_jobs(file: StoredFile) -> Finding:
    """What a file outside of the jobs' folders is."""
    return _together(_OUTSIDE.get(file.kind, Kind.FOREIGN), None, file.name, [file])


def _foreign(uuid: str, contents: Sequence[StoredFile]) -> Iterator[Finding]:
    for file in contents:
        if file.kind is FileKind.FOREIGN:
            yield _together(Kind.FOREIGN, uuid, file.name, [file])


def _together(kind: Kind, uuid: str | None, name: str, files: Sequence[StoredFile]) -> Finding:
    age_s = min((file.age_s for file in files), default=0.0)
    size_bytes = sum(file.size_bytes for file in files)
    return Finding(kind, uuid, name, age_s, size_bytes, tuple(file.name for file in files))
