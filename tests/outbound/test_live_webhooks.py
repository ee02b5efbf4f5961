"""The real Backend sends webhooks: beside its requests, as greenlets, and after it was killed."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from tests.outbound.receiver import Receiver, head
from tests.patience import wait_until
from tests.web.clients import PASSWORD, PDF
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

ENVIRON = {
    "RECTO_ADMIN_PASSWORD": PASSWORD,
    "RECTO_OUTBOUND_ALLOWED_HOSTS": "127.0.0.1, localhost",
    "RECTO_OUTBOUND_DOCUMENT_URLS": "true",
    "RECTO_OUTBOUND_DOCUMENT_TIMEOUT_S": "3",
}


class Client:
    """A program of the admin's."""

    def __init__(self, server: LiveServer, token: str) -> None:
        self.address = f"{server.address}/api/v1"
        self.headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, **values: Any) -> Any:
        response = requests.request(method, self.address + path, headers=self.headers, timeout=30, **values)
        assert response.ok, response.text
        return response.json()

    def submit(self, url: str) -> str:
        return str(self.call("POST", "/jobs", params={"webhook": url}, data=PDF)["uuid"])

    def delivery(self, uuid: str) -> dict[str, Any]:
        (found,) = self.call("GET", f"/jobs/{uuid}/webhook-deliveries")["deliveries"]
        return dict(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_backend_tells_of_a_job_that_a_worker_ends_and_answers_meanwhile(folder: Path, receiver: Receiver) -> None:
    server = LiveServer(folder, ENVIRON)
    worker = HandWorker(folder)
    try:
        client = Client(server, worker.token_of("admin"))
        secret = client.call("POST", "/webhook/secret")["secret"]
        hanging, uuid = client.submit(receiver.url("hang")), client.submit(receiver.url("ok"))
        worker.finish(worker.claim())
        receiver.wait_for(1)
        started_s = time.monotonic()
        for _ in range(20):  # while one receiver hangs
            client.call("GET", "/webhook")
        assert time.monotonic() - started_s < 2.0
        worker.finish(worker.claim())
        request = receiver.wait_for(2)[1]
        start, _, body = request.partition(b"\r\n\r\n")
        sent = dict(line.split(": ", 1) for line in start.decode().split("\r\n")[1:])
        event = Webhook(secret).verify(body, sent)
        assert (event["type"], event["data"]["uuid"]) == ("job.finished", uuid)
        wait_until(lambda: client.delivery(uuid)["status"] == "DELIVERED")
        assert client.delivery(hanging)["status"] == "PENDING"
        assert secret not in server.log.read_text(encoding="utf-8")
    finally:
        worker.close()
        assert server.stop() == 0


def test_backend_fetches_a_document_and_answers_others_while_another_host_hangs(
    folder: Path, receiver: Receiver
) -> None:
    server = LiveServer(folder, ENVIRON)
    worker = HandWorker(folder)
    receiver.behaviours["scan.pdf"] = lambda handler: handler.send(head(200) + PDF)
    try:
        client = Client(server, worker.token_of("admin"))
        outcomes: list[int] = []

        def fetch(behaviour: str) -> None:
            url = receiver.url(behaviour).replace("127.0.0.1", "localhost")
            response = requests.post(
                f"{client.address}/jobs", params={"document_url": url}, headers=client.headers, timeout=30
            )
            outcomes.append(response.status_code)

        hanging = threading.Thread(target=fetch, args=("drip-body",))
        hanging.start()
        receiver.wait_for(1)
        fetch("scan.pdf")
        assert outcomes == [202]
        hanging.join()
        assert outcomes == [202, 502]
    finally:
        worker.close()
        assert server.stop() == 0


def test_backend_that_is_killed_while_it_sends_loses_no_message(folder: Path, receiver: Receiver) -> None:
    server = LiveServer(folder, ENVIRON)
    worker = HandWorker(folder)
    try:
        client = Client(server, worker.token_of("admin"))
        client.call("POST", "/webhook/secret")
        uuids = [client.submit(receiver.url(behaviour)) for behaviour in ("hang", "late", "ok", "ok")]
        worker.finish(worker.claim())
        receiver.wait_for(1)
        server.process.kill()
        server.process.wait()
        server.log.unlink()  # the next one's address will stand in its own
        for _ in uuids[1:]:  # nobody is there to tell of them
            worker.finish(worker.claim())
        with worker.engine.begin() as connection:  # as if the killed attempt's time were over
            connection.exec_driver_sql("UPDATE webhook_delivery SET next_attempt_us = 1 WHERE status = 'PENDING'")
        receiver.behaviours["hang"] = receiver.behaviours["ok"]
        server = LiveServer(folder, ENVIRON)
        client = Client(server, worker.token_of("admin"))
        for uuid in uuids:
            wait_until(lambda uuid=uuid: client.delivery(uuid)["status"] == "DELIVERED")  # type: ignore[misc]
        told = [json.loads(request.partition(b"\r\n\r\n")[2])["data"]["uuid"] for request in receiver.requests]
        assert sorted(told) == sorted([*uuids, uuids[0]])  # the one that was under way came twice, under one id
        assert client.delivery(uuids[0])["attempts"] == 2
    finally:
        worker.close()
        server.stop()
