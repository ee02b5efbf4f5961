"""The Worker played by hand: it claims and ends jobs when a test says so, through the Worker's own operations, without any OCR."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from recto import accounts, workers
from recto.database.connections import Begin, connect, transaction
from recto.errors import RectoError
from recto.file_storage.base import DOCUMENT, checkpoint_name, result_name
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Claim, Jobs, QueuePolicy
from recto.ocr.page import Block, Page, Step
from recto.ocr.writers.json import page_to_json
from recto.records.derivations import PagePicture
from recto.working.text_indexer import TextIndexer
from tests.ocr.writers.made_pages import block, lines


class HandWorker:
    """Works on the database and the storage in `folder` through connections of its own."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        """The database lies in the folder as well, unless its URL is given."""
        self.engine = connect(database_url or f"sqlite:///{folder / 'recto.db'}", 10.0)
        self._storage = VolumeStorage(folder)
        self._jobs = Jobs(QueuePolicy(3600.0, 60.0, 3, 1.0, 10_000, 100_000))
        self.result_version: str | None = None
        """What it reports and writes with its results. None: they answer for no other document."""

    def session(self) -> Session:
        """A new session on the database."""
        return Session(self.engine)

    def token_of(self, name: str) -> str:
        """A new API token of that user."""
        with transaction(Session(self.engine), Begin.WRITE) as session:
            return accounts.create_token(session, accounts.find_user(session, name).id, "tests")

    def report(self, *languages: str) -> None:
        """Register as a living Worker."""
        with transaction(Session(self.engine), Begin.WRITE) as session:
            workers.report(session, "hand", "1", "hand", languages, 2, self.result_version)

    def sign_off(self) -> None:
        """Be gone."""
        with transaction(Session(self.engine), Begin.WRITE) as session:
            workers.sign_off(session, "hand")

    def claim(self, page_count: int = 1) -> Claim:
        """Take the next job and open it."""
        with transaction(Session(self.engine), Begin.CLAIM) as session:
            claim = self._jobs.claim_next(session, "hand")
            assert claim is not None, "no job waits"
            self._jobs.set_page_count(session, claim.lease, page_count)
        return claim

    def try_claim(self) -> Claim | None:
        """Take the next job, if one waits."""
        with transaction(Session(self.engine), Begin.CLAIM) as session:
            return self._jobs.claim_next(session, "hand")

    def end_waiting(self) -> None:
        """End what other tests left in the queue."""
        while claim := self.try_claim():
            self.finish(claim)

    def size_bytes(self, claim: Claim) -> int:
        """Length of the job's document."""
        return self._storage.size_bytes(claim.lease.job_uuid, DOCUMENT)

    def claim_when_there(self, page_count: int = 1) -> Claim:
        """The same for a job that is about to be submitted."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with transaction(Session(self.engine), Begin.READ) as session:
                is_there = self._jobs.has_claimable(session)
            if is_there:
                return self.claim(page_count)
            time.sleep(0.02)
        raise AssertionError("no job came")

    def read_page(
        self,
        claim: Claim,
        number: int,
        error: RectoError | None = None,
        steps: tuple[Step, ...] = (),
        blocks: tuple[Block, ...] = (),
    ) -> None:
        """End one page, blank where it does not end in an error and has no blocks."""
        if error is None:
            self.adopt_page(claim, Page(number, 60, 40, 300.0, ("eng",), "hand 1", steps, blocks))
            return
        with transaction(Session(self.engine), Begin.WRITE) as session:
            self._jobs.adopt_page(session, claim.lease, number, error)

    def adopt_page(self, claim: Claim, page: Page) -> None:
        """End a page with this reading."""
        with self._storage.write(claim.lease.job_uuid, checkpoint_name(claim.lease.token, page.number)) as file:
            file.write(page_to_json(page))
        with transaction(Session(self.engine), Begin.WRITE) as session:
            self._jobs.adopt_page(session, claim.lease, page.number, None, page)

    def write_picture(self, claim: Claim, number: int, content: bytes) -> None:
        """Put a picture of a page there, as if it had been asked for and made."""
        name = PagePicture(number, "original").file_name(claim.lease.token)
        with self._storage.write(claim.lease.job_uuid, name) as file:
            file.write(content)

    def write_results(self, claim: Claim, text: str) -> None:
        """Write the files of the attempt, which are the result once the job is FINISHED."""
        self.write_file(claim, "txt", text.encode())
        self.write_file(claim, "json", json.dumps({"text": text}).encode())

    def write_file(self, claim: Claim, result_format: str, content: bytes, revision: int = 0) -> None:
        """Write one format of the result, as it was read or with the corrections of that revision."""
        name = result_name(claim.lease.token, result_format, revision)
        with self._storage.write(claim.lease.job_uuid, name) as file:
            file.write(content)

    def commit_finish(self, claim: Claim) -> None:
        """Write FINISHED and nothing else."""
        with transaction(Session(self.engine), Begin.WRITE) as session:
            self._jobs.finish(session, claim.lease, self.result_version)

    def finish(self, claim: Claim, text: str = "Read by hand.\n") -> str:
        """End the job with this text; gives its uuid."""
        self.write_results(claim, text)
        self.commit_finish(claim)
        return claim.lease.job_uuid

    def finish_pages(self, claim: Claim, *texts: str) -> str:
        """Read the pages, each with these lines, end the job, and put it into the index; gives its uuid."""
        for number, text in enumerate(texts, 1):
            self.read_page(claim, number, blocks=(block(*lines(*text.splitlines())),) if text else ())
        uuid = self.finish(claim, "\f".join(f"{text}\n" if text else "" for text in texts))
        self.index()
        return uuid

    def index(self) -> None:
        """Put what was read into the index."""
        TextIndexer(sessionmaker(self.engine), self._storage).index_all()

    def fail(self, claim: Claim, error: RectoError) -> str:
        """End the job without a result; gives its uuid."""
        with transaction(Session(self.engine), Begin.WRITE) as session:
            self._jobs.fail(session, claim.lease, error)
        return claim.lease.job_uuid

    def delete(self, user_id: int, uuid: str) -> None:
        """Delete a job's row from outside."""
        with transaction(Session(self.engine), Begin.WRITE) as session:
            self._jobs.delete(session, user_id, uuid)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


@contextmanager
def reporting(folder: Path, *languages: str) -> Iterator[HandWorker]:
    """Plays the Worker in that folder while the block runs, and says that it reads these languages."""
    worker = HandWorker(folder)
    worker.report(*languages)
    yield worker
    worker.close()
