"""The Worker Dispatcher with a scheduler and nodes, all of them real processes: what is lost on the way, and what comes back."""

import signal
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from PIL import Image, ImageDraw, ImageFont

from models import Job, JobStatus
from recto.file_storage.base import DOCUMENT, FileStorage, result_name
from recto.file_storage.opening import prepare_storage
from recto.file_storage.volume import VolumeStorage
from recto.storage_setup import StorageSetup
from recto.workers import WorkerView, list_workers
from tests import worker_processes
from tests.cluster.processes import PATIENCE_S, Cluster, cluster
from tests.conftest import JobTable, new_submission
from tests.patience import wait_until
from tests.s3_servers import S3Server

pytestmark = pytest.mark.services

LEASES = {"RECTO_QUEUE_LEASE_S": "4", "RECTO_QUEUE_RENEW_S": "1", "RECTO_QUEUE_RETRY_DELAY_S": "0.2"}


def scan(page_count: int, lines: int = 12) -> bytes:
    """A TIFF of pages that say which they are, and take some tenths of a second for each dozen lines."""
    font = ImageFont.load_default(size=32)
    pages = []
    for number in range(1, page_count + 1):
        page = Image.new("L", (1000, 76 + 62 * lines), 255)
        for line in range(lines):
            ImageDraw.Draw(page).text((60, 60 + 62 * line), f"Line {line + 1} of the page {number}, in words", 0, font)
        pages.append(page)
    file = BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], dpi=(150, 150), compression="tiff_deflate")
    return file.getvalue()


def submit(table: JobTable, folder: Path, user_id: int, document: bytes, storage: FileStorage | None = None) -> str:
    submission, incoming = new_submission(user_id), (storage or VolumeStorage(folder)).incoming()
    incoming.file.write(document)
    incoming.keep(submission.uuid, DOCUMENT)
    table.do(table.jobs.submit, submission)
    return submission.uuid


def text_of(table: JobTable, folder: Path, uuid: str, storage: FileStorage | None = None) -> str:
    name = result_name(table.job(uuid).result_token or "", "txt")
    with (storage or VolumeStorage(folder)).open(uuid, name) as file:
        return file.read().decode()


def living(table: JobTable) -> list[WorkerView]:
    return [worker for worker in table.read(list_workers) if worker.is_alive]


def wait_for_processes(table: JobTable, running: Cluster, count: int) -> None:
    """Until the dispatcher has reported so many page processes of its nodes."""
    wait_until(lambda: [worker.processes for worker in living(table)] == [count], PATIENCE_S, told=running.log)


def wait_for_pages(table: JobTable, running: Cluster, uuid: str, count: int) -> None:
    wait_until(lambda: table.job(uuid).pages_done >= count, PATIENCE_S, told=running.log)


def wait_for_end(table: JobTable, running: Cluster, uuid: str) -> None:
    wait_until(lambda: table.job(uuid).ended_us is not None, PATIENCE_S, told=running.log)


@pytest.fixture
def running(tmp_path: Path, table: JobTable) -> Iterator[Cluster]:
    """A scheduler."""
    with cluster(tmp_path, **LEASES) as running:
        yield running


@pytest.mark.long
def test_lost_node_costs_its_pages_in_flight_alone(table: JobTable, ann: int, tmp_path: Path, running: Cluster) -> None:
    copies = tmp_path.with_name(f"{tmp_path.name}-copies")
    running.node(RECTO_CLUSTER_DOCUMENT_CACHE_PATH=str(copies))
    doomed = running.node(RECTO_CLUSTER_DOCUMENT_CACHE_PATH=str(copies))
    running.dispatcher()
    wait_for_processes(table, running, 2)
    uuid = submit(table, tmp_path, ann, scan(12))
    wait_for_pages(table, running, uuid, 3)
    assert (copies / uuid).read_bytes() == (tmp_path / uuid / DOCUMENT).read_bytes()
    doomed.kill()
    wait_for_end(table, running, uuid)
    job = table.job(uuid)
    assert (job.status, job.attempt, job.pages_done, job.pages_failed) == (JobStatus.FINISHED, 1, 12, 0)
    assert table.statuses(uuid) == ["QUEUED", "IN_PROGRESS", "FINISHED"]
    assert all(f"the page {number}, in words" in text_of(table, tmp_path, uuid) for number in range(1, 13))
    wait_for_processes(table, running, 1)


@pytest.mark.long
def test_scheduler_that_goes_away_and_comes_back_costs_no_attempt(
    table: JobTable, ann: int, tmp_path: Path, running: Cluster
) -> None:
    running.node(2)
    running.dispatcher()
    wait_for_processes(table, running, 2)
    uuid = submit(table, tmp_path, ann, scan(12))
    wait_for_pages(table, running, uuid, 2)
    running.processes[0].kill()
    running.processes[0].wait()
    wait_for_processes(table, running, 0)
    assert table.job(uuid).status == JobStatus.IN_PROGRESS
    running.scheduler(port=int(running.address.rpartition(":")[2]))
    wait_for_end(table, running, uuid)
    job = table.job(uuid)
    assert (job.status, job.attempt, job.pages_done) == (JobStatus.FINISHED, 1, 12)


def unfinished_tasks(dask_scheduler: Any) -> int:
    """How many tasks a scheduler has that were not run to their end."""
    return sum(task.state not in ("memory", "released", "forgotten") for task in dask_scheduler.tasks.values())


def test_scheduler_gets_no_more_than_the_nodes_can_read_and_another_users_document_passes_a_long_one(
    table: JobTable, ann: int, bob: int, tmp_path: Path, running: Cluster
) -> None:
    """Forty pages wait in the Database and not at the scheduler, so that who comes next is decided as on one machine."""
    running.node(2)
    running.dispatcher()
    wait_for_processes(table, running, 2)
    long = submit(table, tmp_path, ann, scan(40))
    wait_for_pages(table, running, long, 1)
    with Client(running.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        seen = [client.run_on_scheduler(unfinished_tasks) for _ in range(50)]
    assert 0 < max(seen) <= 2 + 1
    before = table.job(long).pages_done
    short = submit(table, tmp_path, bob, scan(1))
    wait_for_end(table, running, short)
    assert table.job(short).status == JobStatus.FINISHED
    assert table.job(long).pages_done - before < 20


def test_documents_and_results_go_between_nodes_and_an_object_store(
    table: JobTable, ann: int, tmp_path: Path, rclone_server: S3Server
) -> None:
    place = rclone_server.place()
    storage = prepare_storage(StorageSetup(tmp_path / "client", s3=place))
    with cluster(tmp_path, **LEASES, **rclone_server.environ(place)) as running:
        copies = tmp_path.with_name(f"{tmp_path.name}-copies")
        running.node(2, RECTO_CLUSTER_DOCUMENT_CACHE_PATH=str(copies))
        running.dispatcher()
        wait_for_processes(table, running, 2)
        uuid = submit(table, tmp_path, ann, scan(4), storage)
        wait_for_end(table, running, uuid)
        assert (copies / uuid).exists()
    assert (table.job(uuid).status, table.job(uuid).attempt) == (JobStatus.FINISHED, 1)
    text = text_of(table, tmp_path, uuid, storage)
    assert all(f"the page {number}, in words" in text for number in range(1, 5))
    assert not (tmp_path / uuid).exists()


def page_processes(node: "subprocess.Popen[bytes]") -> set[int]:
    """Process ids of the page processes of a node."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(node.pid)], capture_output=True, text=True, check=False)
    return {int(pid) for pid in listed.stdout.split()}


def test_cancelled_job_and_stopped_dispatcher_stop_their_pages_on_the_nodes(
    table: JobTable, ann: int, tmp_path: Path, running: Cluster
) -> None:
    node, dispatcher = running.node(), running.dispatcher()
    wait_for_processes(table, running, 1)
    cancelled, handed_back = (submit(table, tmp_path, ann, scan(12, lines=120)) for _ in range(2))
    wait_for_pages(table, running, cancelled, 1)
    before = page_processes(node)
    table.do(table.jobs.cancel, ann, cancelled)
    wait_until(lambda: page_processes(node) != before, 30.0, told=running.log)
    assert table.job(cancelled).pages_done < 12
    wait_for_pages(table, running, handed_back, 1)
    before = page_processes(node)
    dispatcher.send_signal(signal.SIGTERM)
    assert dispatcher.wait(30) == 0
    assert table.statuses(handed_back) == ["QUEUED", "IN_PROGRESS", "QUEUED"]
    assert living(table) == []
    wait_until(lambda: page_processes(node) != before, 30.0, told=running.log)


@pytest.mark.long
def test_nodes_that_do_not_read_alike_are_refused_with_the_reason_and_dask_workers_become_nodes(
    table: JobTable, ann: int, tmp_path: Path, running: Cluster
) -> None:
    tessdata = tmp_path / "tessdata"
    tessdata.mkdir()
    for language in ("eng", "osd"):
        installed = next(Path("/usr/share").glob(f"tesseract-ocr/*/tessdata/{language}.traineddata"))
        (tessdata / installed.name).symlink_to(installed)
    running.node(RECTO_OCR_TESSDATA_PATH=str(tessdata))
    dask_worker = ["-m", "distributed.cli.dask_worker", running.address, "--nthreads", "1", "--no-nanny"]
    running.start(*dask_worker)
    running.node(RECTO_FILE_STORAGE_PATH=str(tmp_path / "elsewhere"))
    running.dispatcher()
    wait_until(lambda: running.log().count("node_refused") == 3, PATIENCE_S, told=running.log)
    assert "It has another File Storage" in running.log()
    assert "It lacks the languages" in running.log()
    assert "It is no node of Recto" in running.log()
    wait_for_processes(table, running, 0)
    uuid = submit(table, tmp_path, ann, scan(1))
    running.start(*dask_worker, "--memory-limit", "0", "--preload", "recto.commands.node")
    wait_for_end(table, running, uuid)
    assert table.job(uuid).status == JobStatus.FINISHED


@pytest.mark.long
def test_cluster_grows_with_the_queue_and_shrinks_to_nothing(table: JobTable, ann: int, tmp_path: Path) -> None:
    running = Cluster(tmp_path, **LEASES, RECTO_CLUSTER_MAX_NODES="2")
    try:
        dispatcher = running.start("ocr_worker.py", "dispatch", "--cluster", "local")
        wait_for_processes(table, running, 0)
        uuid = submit(table, tmp_path, ann, scan(40))
        wait_for_processes(table, running, 2)
        wait_for_end(table, running, uuid)
        assert (table.job(uuid).status, table.job(uuid).attempt) == (JobStatus.FINISHED, 1)
        wait_for_processes(table, running, 0)
        dispatcher.send_signal(signal.SIGTERM)
        assert dispatcher.wait(30) == 0
    finally:
        running.stop()


def test_thirty_documents_are_read_once_though_a_node_and_a_dispatcher_are_killed(
    table: JobTable, ann: int, bob: int, tmp_path: Path, running: Cluster
) -> None:
    """Two dispatchers side by side, two nodes. Whoever is killed has work in hand."""
    storage = VolumeStorage(tmp_path)
    uuids = [worker_processes.submit(table, storage, (ann, bob)[number % 2], number) for number in range(30)]
    running.node()
    doomed_node = running.node()
    wait_until(lambda: running.log().count("node_ready") == 2, PATIENCE_S, told=running.log)
    running.dispatcher()
    doomed = running.dispatcher()
    ended = Job.ended_us.is_not(None)
    wait_until(lambda: worker_processes.count(table, ended) >= 3, PATIENCE_S, told=running.log)
    doomed_node.kill()
    wait_until(lambda: worker_processes.stands_still_with_a_job(table, doomed), PATIENCE_S, told=running.log)
    doomed.kill()
    wait_until(lambda: worker_processes.count(table, ended) == 30, PATIENCE_S, told=running.log)
    for number, uuid in enumerate(uuids):
        worker_processes.check_log(table, uuid)
        assert str(number) in text_of(table, tmp_path, uuid)
    counts = worker_processes.totals(table)
    assert counts["FINISHED"] == counts["QUEUED"] - counts["worker_lost"] == 30
    assert counts["worker_lost"] >= 1
