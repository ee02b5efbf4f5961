"""The whole of a cluster: two Backends, PostgreSQL, an object store, a Dask scheduler, two nodes, a dispatcher. Any of them may be killed."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy.orm import sessionmaker

from models import Job, JobStatus
from recto import accounts
from recto.database.connections import Begin, transaction
from recto.file_storage.opening import prepare_storage
from recto.storage_setup import StorageSetup
from tests import worker_processes
from tests.cluster.processes import Cluster, cluster
from tests.conftest import JobTable
from tests.patience import wait_until
from tests.postgresql import Server
from tests.s3_servers import S3Server
from tests.web.clients import PASSWORD
from tests.web.live_server import LiveServer

pytestmark = [pytest.mark.long, pytest.mark.postgresql]
DOCUMENTS = 100
PATIENCE_S = 600.0
LEASES = {"RECTO_QUEUE_LEASE_S": "6", "RECTO_QUEUE_RENEW_S": "1", "RECTO_QUEUE_RETRY_DELAY_S": "0.2"}


class Backends:
    """Two, on one database and one store. A client goes on at the other where one does not answer."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.servers = [
            LiveServer(folder / name, environ | {"RECTO_ADMIN_PASSWORD": PASSWORD}) for name in ("one", "other")
        ]
        self.token = ""

    def ask(self, first: int, method: str, path: str, **options: object) -> httpx.Response:
        """Each is asked in turn until one answers; a submission carries a key, so that it makes one job."""
        number = first
        while True:
            address = self.servers[number % 2].address
            try:
                with httpx.Client(
                    base_url=address, headers={"Authorization": f"Bearer {self.token}"}, timeout=90
                ) as client:
                    answer = client.request(method, path, **options)  # type: ignore[arg-type]
            except httpx.TransportError:
                number += 1
                continue
            if answer.status_code not in (409, 503):
                return answer
            number += 1

    def stop(self) -> None:
        for server in self.servers:
            server.stop()


@contextmanager
def backends(folder: Path, environ: dict[str, str]) -> Iterator[Backends]:
    both = Backends(folder, environ)
    try:
        yield both
    finally:
        both.stop()


def read_document(both: Backends, number: int) -> tuple[str, str]:
    """Submit one, wait for it, and fetch its text from the store. Its uuid and the text."""
    page, key = worker_processes.drawn_page(number), {"Idempotency-Key": f"document {number}"}
    sent = both.ask(number, "POST", "/api/v1/jobs", content=page, headers=key, params={"dedupe": "false"})
    assert sent.status_code in (200, 202), sent.text
    uuid = sent.json()["uuid"]
    while True:
        answer = both.ask(number, "GET", f"/api/v1/jobs/{uuid}/result", params={"format": "txt", "wait": 30})
        if answer.status_code == 302:
            return uuid, httpx.get(answer.headers["Location"], timeout=60).raise_for_status().text
        assert answer.status_code == 202, answer.text


def kill_one_after_another(table: JobTable, running: Cluster, both: Backends, done: threading.Event) -> None:
    """A node, the dispatcher and a Backend, each when a tenth more of the documents has ended. A node and a dispatcher are started again."""
    (node, _), dispatcher = running.processes[1:3], running.processes[3]
    ended = Job.ended_us.is_not(None)

    def wait_for(count: int) -> None:
        wait_until(lambda: done.is_set() or worker_processes.count(table, ended) >= count, PATIENCE_S, told=running.log)

    wait_for(DOCUMENTS // 10)
    node.kill()
    running.node()
    wait_for(DOCUMENTS // 5)
    wait_until(
        lambda: done.is_set() or worker_processes.stands_still_with_a_job(table, dispatcher),
        PATIENCE_S,
        told=running.log,
    )
    dispatcher.kill()
    running.dispatcher()
    wait_for(DOCUMENTS // 2)
    both.servers[0].process.kill()


def test_hundred_documents_are_read_once_though_a_node_a_dispatcher_and_a_backend_are_killed(
    tmp_path: Path, postgresql_table: JobTable, postgresql: Server, rclone_server: S3Server
) -> None:
    table, place = postgresql_table, rclone_server.place()
    settings = LEASES | rclone_server.environ(place)
    settings["RECTO_DATABASE_URL"] = str(table.engine.url)
    settings["RECTO_SERVER_SECRET_KEY"] = "the secret that both Backends have"
    prepare_storage(StorageSetup(tmp_path / "client", s3=place))
    (tmp_path / "cluster").mkdir()
    done = threading.Event()
    with backends(tmp_path, settings) as both, cluster(tmp_path / "cluster", **settings) as running:
        with transaction(sessionmaker(table.engine)(), Begin.WRITE) as session:
            both.token = accounts.create_token(session, accounts.find_user(session, "admin").id, "tests")
        running.node()
        running.node()
        running.dispatcher()
        wait_until(lambda: running.log().count("node_ready") == 2, PATIENCE_S, told=running.log)
        killing = threading.Thread(target=kill_one_after_another, args=(table, running, both, done))
        killing.start()
        with ThreadPoolExecutor(16) as clients:
            read = list(clients.map(lambda number: read_document(both, number), range(DOCUMENTS)))
        done.set()
        killing.join()
        assert both.servers[0].process.poll() is not None
    assert len({uuid for uuid, _ in read}) == DOCUMENTS
    for number, (uuid, text) in enumerate(read):
        assert str(number) in text
        worker_processes.check_log(table, uuid)
    assert worker_processes.count(table, Job.status == JobStatus.FINISHED) == DOCUMENTS
    counts = worker_processes.totals(table)
    assert counts["FINISHED"] == counts["QUEUED"] - counts["worker_lost"] == DOCUMENTS
    assert counts["worker_lost"] >= 1
