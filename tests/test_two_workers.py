"""Two real Workers on one folder, one of them killed in the middle: every job is read exactly once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import ColumnElement, func, select

from models import Job, JobStatus, JobStatusTransition
from recto.file_storage.base import DOCUMENT, result_name
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from tests.conftest import POLICY, JobTable, new_submission

ROOT = Path(__file__).resolve().parent.parent
LEASES = {"RECTO_QUEUE_LEASE_S": "2", "RECTO_QUEUE_RENEW_S": "0.5", "RECTO_QUEUE_RETRY_DELAY_S": "0.2"}


def drawn_page(number: int) -> bytes:
    """A tiny scan that says which it is."""
    image = Image.new("L", (420, 100), 255)
    ImageDraw.Draw(image).text((20, 20), f"Page {number}", fill=0, font=ImageFont.load_default(size=40))
    file = BytesIO()
    image.save(file, "PNG", dpi=(300, 300))
    return file.getvalue()


def submit(table: JobTable, storage: VolumeStorage, user_id: int, number: int) -> str:
    submission, incoming = new_submission(user_id), storage.incoming()
    incoming.file.write(drawn_page(number))
    incoming.keep(submission.uuid, DOCUMENT)
    table.do(table.jobs.submit, submission)
    return submission.uuid


@contextmanager
def worker(folder: Path, *before: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A Worker with one page process, its log beside the jobs. `before`: what stands before its command."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    environ |= LEASES | {"RECTO_FILE_STORAGE_PATH": str(folder), **variables}
    with (folder / "workers.log").open("ab") as log:
        process = subprocess.Popen(
            [*before, sys.executable, "ocr_worker.py", "run", "--processes", "1"], cwd=ROOT, env=environ, stderr=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def count(table: JobTable, where: ColumnElement[bool]) -> int:
    with table.sessions() as session:
        return session.scalar(select(func.count()).select_from(Job).where(where)) or 0


def wait_until(condition: Callable[[], bool], patience_s: float, folder: Path) -> None:
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, (folder / "workers.log").read_text()[-4000:]
        time.sleep(0.05)


def read_with_two_workers(table: JobTable, folder: Path, job_count: int, patience_s: float) -> dict[str, int]:
    """Submit, start two Workers, kill the one that has a job in hand, wait for the end. What the log then counts."""
    table.jobs = Jobs(replace(POLICY, max_unfinished_per_user=job_count, max_unfinished=job_count))
    storage = VolumeStorage(folder)
    user_ids = [table.add_user(name) for name in ("ann", "bob")]
    uuids = [submit(table, storage, user_ids[number % 2], number) for number in range(job_count)]
    with worker(folder), worker(folder) as doomed:
        wait_until(lambda: count(table, Job.status == JobStatus.FINISHED) >= job_count // 5, patience_s, folder)
        wait_until(lambda: stands_still_with_a_job(table, doomed), patience_s, folder)
        doomed.kill()
        doomed.wait()
        wait_until(lambda: count(table, Job.ended_us.is_(None)) == 0, patience_s, folder)
    for number, uuid in enumerate(uuids):
        check_log(table, uuid)
        with storage.open(uuid, result_name(table.job(uuid).result_token or "", "txt")) as file:
            assert str(number) in file.read().decode()
    return totals(table)


def stands_still_with_a_job(table: JobTable, process: "subprocess.Popen[bytes]") -> bool:
    """Stop the Worker where it has a job in hand, so that it cannot end the job before it is killed."""
    process.send_signal(signal.SIGSTOP)
    if count(table, Job.lease_worker.like(f"%-{process.pid}")):
        return True
    process.send_signal(signal.SIGCONT)
    return False


def check_log(table: JobTable, uuid: str) -> None:
    """One FINISHED, at the end, and one IN_PROGRESS for each attempt."""
    log = table.log(uuid)
    statuses = [entry.status for entry in log]
    assert statuses.count(JobStatus.FINISHED) == 1
    assert statuses[-1] == JobStatus.FINISHED
    attempts = Counter(entry.attempt for entry in log if entry.status == JobStatus.IN_PROGRESS)
    assert attempts == Counter(range(1, table.job(uuid).attempt + 1))


def totals(table: JobTable) -> dict[str, int]:
    """Transitions by status, and how often a Worker was lost."""
    with table.sessions() as session:
        logged = select(JobStatusTransition.status, func.count()).group_by(JobStatusTransition.status)
        counts: dict[str, int] = {row[0]: row[1] for row in session.execute(logged)}
        lost = select(func.count()).where(JobStatusTransition.reason_code == "worker_lost")
        return counts | {"worker_lost": session.scalar(lost) or 0}


def test_jobs_of_a_killed_worker_are_finished_once_by_the_other(table: JobTable, tmp_path: Path) -> None:
    counts = read_with_two_workers(table, tmp_path, 20, patience_s=60.0)
    assert counts["FINISHED"] == counts["QUEUED"] - counts["worker_lost"] == 20
    assert counts["worker_lost"] >= 1


@pytest.mark.long
def test_two_hundred_jobs_of_a_killed_worker_are_finished_once(
    table: JobTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = read_with_two_workers(table, tmp_path, 200, patience_s=600.0)
    with capsys.disabled():
        sys.stdout.write(f"\n200 jobs, one of two Workers killed: {counts}\n")
    assert counts["FINISHED"] == counts["QUEUED"] - counts["worker_lost"] == 200
    assert counts["IN_PROGRESS"] == 200 + counts["worker_lost"]
