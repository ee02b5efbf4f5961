"""Two real Workers on one folder, one of them killed in the middle: every job is read exactly once."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from models import Job, JobStatus
from recto.file_storage.base import result_name
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs
from tests.conftest import POLICY, JobTable
from tests.patience import wait_until
from tests.worker_processes import check_log, count, log_of, stands_still_with_a_job, submit, totals, worker


def read_with_two_workers(table: JobTable, folder: Path, job_count: int, patience_s: float) -> dict[str, int]:
    """Submit, start two Workers, kill the one that has a job in hand, wait for the end. What the log then counts."""
    table.jobs = Jobs(replace(POLICY, max_unfinished_per_user=job_count, max_unfinished=job_count))
    storage, log = VolumeStorage(folder), partial(log_of, folder)
    user_ids = [table.add_user(name) for name in ("ann", "bob")]
    uuids = [submit(table, storage, user_ids[number % 2], number) for number in range(job_count)]
    with worker(folder), worker(folder) as doomed:
        wait_until(lambda: count(table, Job.status == JobStatus.FINISHED) >= job_count // 5, patience_s, told=log)
        wait_until(lambda: stands_still_with_a_job(table, doomed), patience_s, told=log)
        doomed.kill()
        doomed.wait()
        wait_until(lambda: count(table, Job.ended_us.is_(None)) == 0, patience_s, told=log)
    for number, uuid in enumerate(uuids):
        check_log(table, uuid)
        with storage.open(uuid, result_name(table.job(uuid).result_token or "", "txt")) as file:
            assert str(number) in file.read().decode()
    return totals(table)


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
