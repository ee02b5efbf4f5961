"""A Worker whose host is cut off from the Database, and comes back: nothing is done twice, and nothing is lost.

Two Workers on two hosts (tests/hosts.py, which is why this needs root), a PostgreSQL on this machine between them, one folder for all.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from models import Job, JobEvent, JobStatusTransition
from recto.database.connections import connect
from recto.file_storage.base import DOCUMENT, result_name
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from tests.conftest import POLICY, JobTable, SetClock, new_submission
from tests.hosts import Host, network
from tests.patience import wait_until
from tests.postgresql import running_server
from tests.worker_processes import check_log, count, drawn_page, log_of, totals, worker

pytestmark = [pytest.mark.long, pytest.mark.postgresql]
PAGES = 8
DOCUMENTS = 8
PATIENCE_S = 180.0


@dataclass
class Office:
    """A Worker on each of two hosts."""

    table: JobTable
    folder: Path
    hosts: list[Host]
    workers: "list[subprocess.Popen[bytes]]"
    user_ids: list[int]

    def submit(self, numbers: range) -> dict[int, str]:
        """Documents of several pages; uuids by the documents' numbers."""
        return {number: self._submit(number) for number in numbers}

    def _submit(self, number: int) -> str:
        submission = replace(new_submission(self.user_ids[number % 2]), media_type="image/tiff")
        incoming = VolumeStorage(self.folder).incoming()
        incoming.file.write(document(number))
        incoming.keep(submission.uuid, DOCUMENT)
        self.table.do(self.table.jobs.submit, submission)
        return submission.uuid

    def cut_off_with_a_job_in_hand(self) -> set[str]:
        """Pull the first host's cable where its Worker has read a part of a document; what it has in hand."""
        self.wait_until(self._stands_in_the_middle)
        held = self._held()
        self.hosts[0].cut_off()
        self.workers[0].send_signal(signal.SIGCONT)
        return held

    def _stands_in_the_middle(self) -> bool:
        """Stop the first Worker; let it go on where a document would end too soon."""
        self.workers[0].send_signal(signal.SIGSTOP)
        if any(0 < self.table.job(uuid).pages_done < PAGES - 2 for uuid in self._held()):
            return True
        self.workers[0].send_signal(signal.SIGCONT)
        return False

    def _held(self) -> set[str]:
        mine = Job.lease_worker.like(f"%-{self.workers[0].pid}")
        with self.table.sessions() as session:
            return set(session.scalars(select(Job.uuid).where(mine)))

    def wait_until_all_has_ended(self) -> None:
        self.wait_until(lambda: count(self.table, Job.ended_us.is_(None)) == 0)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        wait_until(condition, PATIENCE_S, told=partial(log_of, self.folder))

    def check(self, documents: dict[int, str]) -> None:
        """Each ended once; each of its pages was adopted once, and stands in the text once."""
        for number, uuid in documents.items():
            check_log(self.table, uuid)
            assert self._adopted(uuid) == list(range(1, PAGES + 1))
            token = self.table.job(uuid).result_token or ""
            with VolumeStorage(self.folder).open(uuid, result_name(token, "txt")) as file:
                words = file.read().decode().split()
            assert [word for word in words if word.isdigit()] == [str(label) for label in labels(number)]

    def _adopted(self, uuid: str) -> list[int]:
        pages = select(JobEvent.page_number).where(JobEvent.job_uuid == uuid, JobEvent.kind == "page")
        with self.table.sessions() as session:
            return sorted(number or 0 for number in session.scalars(pages))

    def attempts(self, documents: dict[int, str]) -> dict[str, int]:
        return {uuid: self.table.job(uuid).attempt for uuid in documents.values()}

    def readers(self, uuid: str) -> set[int]:
        """Process ids of the Workers that have had the job."""
        with self.table.sessions() as session:
            names = session.scalars(select(JobStatusTransition.worker).where(JobStatusTransition.job_uuid == uuid))
            return {int(name.rpartition("-")[2]) for name in names if name}


def labels(number: int) -> range:
    """What stands on the pages of a document."""
    return range(1000 + 10 * number, 1000 + 10 * number + PAGES)


def document(number: int) -> bytes:
    pages = [Image.open(BytesIO(drawn_page(label))) for label in labels(number)]
    file = BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], dpi=(300, 300))
    return file.getvalue()


@contextmanager
def office(folder: Path, **leases: str) -> Iterator[Office]:
    with network(2) as around, running_server(network=around.here) as server, server.database() as url:
        engine = connect(url, busy_timeout_s=10.0)
        table = JobTable(engine, SetClock())
        table.jobs = Jobs(replace(POLICY, max_unfinished_per_user=2 * DOCUMENTS, max_unfinished=2 * DOCUMENTS))
        users = [table.add_user(name) for name in ("ann", "bob")]
        settings = {
            "RECTO_DATABASE_URL": url.replace("127.0.0.1", str(around.here.ip)),
            "RECTO_DATABASE_BUSY_TIMEOUT_S": "5",
        }
        settings |= {"RECTO_QUEUE_RETRY_DELAY_S": "0.2", "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0", **leases}
        one, other = around.hosts
        with worker(folder, *one.prefix, **settings) as first, worker(folder, *other.prefix, **settings) as second:
            try:
                yield Office(table, folder, around.hosts, [first, second], users)
            finally:
                first.send_signal(signal.SIGCONT)
                one.reconnect()  # a Worker that stops tells the database, however long it has to wait for it
        engine.dispose()


def test_worker_cut_off_past_its_lease_loses_its_job_to_the_other_and_goes_on_with_new_ones(tmp_path: Path) -> None:
    with office(tmp_path, RECTO_QUEUE_LEASE_S="4", RECTO_QUEUE_RENEW_S="1") as both:
        cut_off, other = both.workers
        documents = both.submit(range(DOCUMENTS))
        held = both.cut_off_with_a_job_in_hand()
        both.wait_until_all_has_ended()
        both.hosts[0].reconnect()
        assert both.attempts(documents) == {uuid: 1 + (uuid in held) for uuid in documents.values()}
        assert all(both.readers(uuid) == {cut_off.pid, other.pid} for uuid in held)
        other.terminate()
        other.wait(60)
        later = both.submit(range(DOCUMENTS, DOCUMENTS + 2))
        both.wait_until_all_has_ended()
        assert cut_off.poll() is None
        assert "job_lost" in (tmp_path / "workers.log").read_text()
        assert all(both.readers(uuid) == {cut_off.pid} for uuid in later.values())
        both.check(documents | later)
        counts = totals(both.table)
        assert counts["worker_lost"] == len(held)
        assert counts["FINISHED"] == len(documents) + len(later) == counts["QUEUED"] - len(held)


def test_worker_cut_off_for_less_than_its_lease_ends_its_job_itself_and_spends_no_attempt(tmp_path: Path) -> None:
    with office(tmp_path, RECTO_QUEUE_LEASE_S="20", RECTO_QUEUE_RENEW_S="1") as both:
        documents = both.submit(range(DOCUMENTS))
        held = both.cut_off_with_a_job_in_hand()
        time.sleep(3.0)
        both.hosts[0].reconnect()
        both.wait_until_all_has_ended()
        assert set(both.attempts(documents).values()) == {1}
        assert all(both.readers(uuid) == {both.workers[0].pid} for uuid in held)
        both.check(documents)
        assert totals(both.table)["worker_lost"] == 0
