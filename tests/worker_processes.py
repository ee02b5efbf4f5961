"""Real Workers as processes on a folder and a database, documents for them that say which they are, and what the log says afterwards."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import ColumnElement, func, select

from models import Job, JobStatus, JobStatusTransition
from recto.file_storage.base import DOCUMENT
from recto.file_storage.volume import VolumeStorage
from tests.conftest import JobTable, new_submission

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


def log_of(folder: Path) -> str:
    """What the Workers on the folder said last."""
    return (folder / "workers.log").read_text()[-4000:]


def count(table: JobTable, where: ColumnElement[bool]) -> int:
    with table.sessions() as session:
        return session.scalar(select(func.count()).select_from(Job).where(where)) or 0


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
