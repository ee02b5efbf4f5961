"""The way of one document: sent, waited for, its results written; or a file that says why not."""

import enum
from pathlib import Path
from typing import Final

from recto_client.client import Client
from recto_client.documents import opened
from recto_client.errors import Busy, DocumentChanged, JobFailed, NotAllowed, NotFound, NotSignedIn, Problem, RectoError
from recto_client.job import Job
from recto_client.watching.inbox import look_at
from recto_client.watching.journal import Entry, Journal, State
from recto_client.watching.outbox import Outbox

_OPTION_CODES: Final = ("option_invalid", "language_unknown")


class OptionsRefused(RectoError):
    """What is wrong are the options that all documents are sent with."""


class Outcome(enum.Enum):
    """What became of it. FORGOTTEN: the file was changed or taken away before it could be sent."""

    READ = enum.auto()
    FAILED = enum.auto()
    FORGOTTEN = enum.auto()


class Passage:
    """Brings documents of the journal to their end. Threads may share it."""

    def __init__(self, client: Client, inbox: Path, outbox: Outbox, journal: Journal) -> None:
        self._client, self._inbox, self._outbox, self._journal = client, inbox, outbox, journal

    def go(self, entry: Entry) -> Outcome:
        """From wherever it stands. RectoError, OSError where it may succeed at another time; then it stands where it stood."""
        try:
            job_uuid = entry.job_uuid or self._submit(entry)
            if job_uuid is None:
                self._journal.forget(entry.number)
                return Outcome.FORGOTTEN
            job = self._client.wait(job_uuid)
            problems = self._write_results(entry, job)
        except (Busy, NotSignedIn, NotAllowed):
            raise
        except NotFound:
            problems = ["Its job was deleted before its results were fetched. (job_not_found)"]
        except Problem as problem:
            if not entry.job_uuid and problem.code in _OPTION_CODES:
                self._journal.forget(entry.number)  # so that it is not sent with them again
                raise OptionsRefused(problem.detail) from problem
            if not entry.job_uuid and not self._is_as_taken(entry):
                self._journal.forget(entry.number)
                return Outcome.FORGOTTEN
            problems = [f"{problem.detail} ({problem.code})"]
        return self._end(entry, problems)

    def _submit(self, entry: Entry) -> str | None:
        """The job; None where the file is no longer the one that was written down."""
        try:
            with opened(self._inbox / entry.seen.path) as document:
                if document.sha256 != entry.sha256:
                    return None
                job = self._client.submit(document, idempotency_key=self._journal.key_of(entry), **entry.options)
        except (FileNotFoundError, DocumentChanged):
            return None
        self._journal.submitted(entry.number, job.uuid)
        return job.uuid

    def _write_results(self, entry: Entry, job: Job) -> list[str]:
        """What is wrong with it: a sentence for each format that cannot be had, or one where there is no result at all."""
        problems = []
        self._outbox.make_room(entry.output)
        for result_format in entry.options["formats"].split("+"):
            try:
                self._client.download(job, result_format, self._outbox.file(entry.output, result_format))
            except JobFailed:
                return [f"{job.reason.detail} ({job.reason.code})"] if job.reason else ["Its job failed."]
            except (Busy, NotFound, NotSignedIn, NotAllowed):
                raise
            except Problem as problem:
                problems.append(f"{result_format}: {problem.detail} ({problem.code})")
        return problems

    def _end(self, entry: Entry, problems: list[str]) -> Outcome:
        """Written down last: who is killed before that does it once more."""
        if problems:
            self._outbox.tell_error(entry.output, _error_text(entry, problems))
            self._journal.ended(entry.number, State.FAILED)
            return Outcome.FAILED
        self._outbox.error_file(entry.output).unlink(missing_ok=True)  # of an earlier attempt
        self._journal.ended(entry.number, State.READ)
        return Outcome.READ

    def _is_as_taken(self, entry: Entry) -> bool:
        return look_at(self._inbox, entry.seen.path) == entry.seen


def _error_text(entry: Entry, problems: list[str]) -> str:
    lines = [
        f"{entry.seen.path} could not be read, or not whole.",
        "",
        *problems,
        "",
        "Put a better file in its place, or delete this one to have the same document tried again.",
    ]
    return "\n".join(lines) + "\n"
