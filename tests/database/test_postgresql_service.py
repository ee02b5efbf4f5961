"""The whole service on PostgreSQL: two Backends and two Workers, all of them processes of their own, as on several hosts."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, text

from models import Job, User
from recto import accounts
from recto.database.connections import Begin, connect, transaction
from tests.conftest import JobTable, SetClock
from tests.postgresql import Server
from tests.web.clients import PASSWORD
from tests.web.followers import SseFollower
from tests.web.live_server import LiveServer
from tests.worker_processes import ROOT, drawn_page, worker

pytestmark = pytest.mark.services
PATIENCE_S = 60.0


class Service:
    """Two Backends on one database and one folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.folder = folder / "storage"
        self.environ = {"RECTO_DATABASE_URL": url, "RECTO_ADMIN_PASSWORD": PASSWORD}
        self.engine = connect(url, 10.0)
        # In the same moment, on an empty database: one of them makes the schema, the secret and the first user.
        with ThreadPoolExecutor(2) as pool:
            self.backends = list(pool.map(lambda name: LiveServer(self.folder, self.environ, name), ("-one", "-other")))
        with transaction(JobTable(self.engine, SetClock()).sessions(), Begin.WRITE) as session:
            self.token = accounts.create_token(session, accounts.find_user(session, "admin").id, "tests")
        headers = {"Authorization": f"Bearer {self.token}"}
        self.clients = [
            httpx.Client(base_url=backend.address, headers=headers, timeout=PATIENCE_S) for backend in self.backends
        ]
        """A program of the admin's at each Backend."""

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environ = {"PATH": "/usr/bin:/bin", "RECTO_FILE_STORAGE_PATH": str(self.folder), **self.environ}
        command = [sys.executable, "ocr_worker.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )

    def stop(self) -> None:
        for client in self.clients:
            client.close()
        for backend in self.backends:
            backend.stop()
        self.engine.dispose()


@pytest.fixture(scope="module")
def service(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    url = postgresql.make("recto_service")
    service = Service(tmp_path_factory.mktemp("service"), url)
    yield service
    service.stop()
    postgresql.execute("DROP DATABASE recto_service WITH (FORCE)")


@contextmanager
def two_workers(service: Service) -> Iterator[None]:
    with worker(service.folder, **service.environ), worker(service.folder, **service.environ):
        yield


def count(service: Service, of: type[Job] | type[User]) -> int:
    with service.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(of)) or 0


def test_backends_that_start_together_make_one_first_user(service: Service) -> None:
    assert count(service, User) == 1
    logged = Counter(event["event"] for backend in service.backends for event in backend.events())
    assert (logged["first_user_created"], logged["backend_ready"]) == (1, 2)


def test_documents_are_read_waited_for_followed_and_deleted_through_either_backend(service: Service) -> None:
    one, other = service.clients
    sent = [one.post("/api/v1/jobs", content=drawn_page(number), params={"dedupe": "false"}) for number in range(6)]
    assert [answer.status_code for answer in sent] == [202] * 6
    uuids = [answer.json()["uuid"] for answer in sent]
    follower = SseFollower(service.backends[1].address, f"/api/v1/jobs/{uuids[-1]}/events", service.token)
    following = threading.Thread(target=follower.follow)
    following.start()
    with two_workers(service):
        for number, uuid in enumerate(uuids):
            read = other.get(f"/api/v1/jobs/{uuid}/result", params={"format": "txt", "wait": 50}, follow_redirects=True)
            assert read.status_code == 200, read.text
            assert str(number) in read.text
        following.join(PATIENCE_S)
    assert [message["event"] for message in follower.messages][-1] == "end"
    assert one.delete(f"/api/v1/jobs/{uuids[0]}").status_code == 204
    assert other.get(f"/api/v1/jobs/{uuids[0]}").status_code == 404
    assert not (service.folder / uuids[0]).exists()


def test_waiter_at_one_backend_hears_at_once_of_what_another_did(service: Service) -> None:
    one, other = service.clients
    uuid = one.post("/api/v1/jobs", content=drawn_page(9), params={"dedupe": "false"}).json()["uuid"]
    answers: list[httpx.Response] = []
    waiting = threading.Thread(
        target=lambda: answers.append(other.get(f"/api/v1/jobs/{uuid}/result", params={"wait": 50}))
    )
    waiting.start()
    time.sleep(1.0)
    began_s = time.monotonic()
    one.post(f"/api/v1/jobs/{uuid}/cancel")
    waiting.join(PATIENCE_S)
    assert answers[0].status_code == 409
    assert time.monotonic() - began_s < 10.0  # else it had waited for all of its 50 s


def test_same_key_sent_to_both_backends_at_once_makes_one_job(service: Service) -> None:
    before, document = count(service, Job), drawn_page(5)

    def send(number: int) -> httpx.Response:
        while True:
            headers = {"Idempotency-Key": "one and the same"}
            answer = service.clients[number % 2].post("/api/v1/jobs", content=document, headers=headers)
            if answer.status_code != 409:
                return answer
            time.sleep(0.2)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["uuid"] for answer in answers}) == 1
    assert count(service, Job) == before + 1


def test_backend_that_waits_for_the_database_answers_others(service: Service) -> None:
    """Greenlets, threads and PostgreSQL's driver: who waits for a lock holds up nobody else."""
    sent: list[httpx.Response] = []
    client = service.clients[0]
    upload = threading.Thread(
        target=lambda: sent.append(client.post("/api/v1/jobs", content=drawn_page(7), params={"dedupe": "false"}))
    )
    with service.engine.connect() as connection:
        connection.execute(text("SELECT value FROM change_counter FOR UPDATE"))
        upload.start()
        time.sleep(0.5)
        for path in ("/healthz", "/readyz", "/api/v1/jobs"):
            began_s = time.monotonic()
            assert client.get(path).status_code in (200, 503)
            assert time.monotonic() - began_s < 5.0  # the lock would be waited for twice as long
        assert sent == []
        connection.rollback()
    upload.join(PATIENCE_S)
    assert sent[0].status_code == 202


def test_commands_work_on_the_database_or_say_what_does(service: Service) -> None:
    assert service.command("db", "upgrade").stdout == "The database has the newest schema.\n"
    assert "admin" in service.command("users", "list").stdout
    assert "tests" in service.command("tokens", "list").stdout
    assert service.command("jobs", "list").returncode == 0
    refused = service.command("db", "backup", "copy.db")
    assert refused.returncode == 78
    assert "pg_dump --format=custom" in refused.stderr
