"""What goes through deploy/nginx/recto.conf: real clients, a real nginx, two real Backends of which one may be killed."""

import os
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from sqlalchemy import select
from websockets.exceptions import ConnectionClosed

from models import AuditEvent
from recto.settings import load_settings
from tests.deploy.front import CONFIGURATION, Front, in_front
from tests.patience import wait_until
from tests.s3_servers import S3Server
from tests.web.clients import PASSWORD, PDF
from tests.web.followers import FOLLOWERS, PATIENCE_S, Follower, blocks_of, paths_of
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.services
PAGES = 12
FORGED = "203.0.113.9"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """For tests that kill nobody."""
    with in_front(tmp_path_factory.mktemp("shared")) as front:
        yield front


@pytest.fixture
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The shared one, or Backends of its own for a test that has one killed."""
    if "killed" not in request.node.name:
        yield request.getfixturevalue("shared")
        return
    with in_front(tmp_path_factory.mktemp("front")) as front:
        yield front


@pytest.fixture
def worker(front: Front) -> Iterator[HandWorker]:
    worker = HandWorker(front.folder)
    worker.report("eng")
    yield worker
    worker.close()


@pytest.fixture
def token(worker: HandWorker) -> str:
    return worker.token_of("admin")


@pytest.fixture
def client(front: Front, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=front.address, headers=headers, timeout=PATIENCE_S) as client:
        yield client


def submit(client: httpx.Client) -> str:
    answer = client.post("/api/v1/jobs", params={"dedupe": "false"}, files={"document": PDF})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["uuid"])


def answered(front: Front, path: str) -> list[int]:
    """How many requests for that path each Backend has answered."""
    return [sum(event.get("path") == path for event in backend.events()) for backend in front.backends]


def kill(front: Front, number: int = 0) -> None:
    front.backends[number].process.kill()
    front.backends[number].process.wait()


def test_requests_are_shared_out(front: Front, client: httpx.Client) -> None:
    for _ in range(10):
        assert client.get("/api/v1/limits").status_code == 200
    assert sorted(answered(front, "/api/v1/limits")) == [5, 5]


def test_client_s_address_is_its_own_whatever_it_says(front: Front, worker: HandWorker) -> None:
    """Two proxies believed, or none, would write another address down, and count sign-ins by it."""
    with httpx.Client(base_url=front.address, transport=httpx.HTTPTransport(local_address="127.0.0.2")) as browser:
        form = browser.get("/sign-in").text
        sent = {
            "csrf_token": form.partition('name="csrf-token" content="')[2].partition('"')[0],
            "name": "admin",
            "password": PASSWORD,
        }
        headers = {"X-Forwarded-For": FORGED, "X-Forwarded-Prefix": "/elsewhere", "Forwarded": f"for={FORGED}"}
        answer = browser.post("/sign-in", data=sent, headers=headers)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"
    with worker.session() as session:
        addresses = session.scalars(select(AuditEvent.address).order_by(AuditEvent.id.desc())).first()
    assert addresses == "127.0.0.2"


def test_upload_reaches_the_backend_while_it_is_still_sent(front: Front, token: str) -> None:
    half = os.urandom(4_000_000)
    host, port = front.address.removeprefix("http://").split(":")
    head = (
        f"POST /api/v1/jobs HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
        f"Content-Type: application/pdf\r\nContent-Length: {len(PDF) + 2 * len(half)}\r\n\r\n"
    )
    incoming = front.folder / ".incoming"
    with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
        connection.sendall(head.encode() + PDF + half)
        wait_until(lambda: incoming.is_dir() and any(file.stat().st_size > 1_000_000 for file in incoming.iterdir()))
        connection.sendall(half)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.match(rb"HTTP/1\.1 20[02] ", answer), answer[:200]


def test_limits_of_the_proxy_are_above_recto_s_own() -> None:
    text, server = CONFIGURATION.read_text(encoding="utf-8"), load_settings({}).server
    body = re.search(r"client_max_body_size (\d+)g;", text)
    patience = re.search(r"proxy_read_timeout (\d+)s;", text)
    assert body is not None
    assert patience is not None
    assert int(body[1]) * 1024**3 > max(server.max_batch_bytes, 5 * 1024**3)
    assert int(patience[1]) > server.max_wait_s


def follow_on(follower: Follower) -> Follower:
    """As clients do: where the connection breaks, they come back and go on with what they have."""
    until = time.monotonic() + PATIENCE_S
    while not follower.is_over:
        assert time.monotonic() < until
        try:
            follower.follow()
        except (httpx.HTTPError, ConnectionClosed, OSError):
            time.sleep(0.1)
        else:
            follower.is_over = bool(follower.of("end"))
    return follower


def test_events_web_sockets_and_long_polls_go_on_through_the_other_backend_when_one_is_killed(
    front: Front, worker: HandWorker, token: str, client: httpx.Client
) -> None:
    uuid = submit(client)
    claim = worker.claim(PAGES)
    followers = [kind(front.address, paths_of(uuid, kind), token) for kind in FOLLOWERS for _ in range(2)]
    with ThreadPoolExecutor(len(followers)) as pool:
        ends = [pool.submit(follow_on, follower) for follower in followers]
        for number in range(1, PAGES // 2 + 1):
            worker.read_page(claim, number, blocks=blocks_of(f"Page {number}"))
        wait_until(lambda: all(len(follower.pages) == PAGES // 2 for follower in followers))
        kill(front)
        for number in range(PAGES // 2 + 1, PAGES + 1):
            worker.read_page(claim, number, blocks=blocks_of(f"Page {number}"))
        worker.finish(claim)
        for end in ends:
            end.result(PATIENCE_S)
    for follower in followers:
        name = type(follower).__name__
        assert follower.pages == [(number, f"Page {number}\n") for number in range(1, PAGES + 1)], name
        assert follower.of("end"), name


def test_killed_backend_costs_no_client_an_answer(front: Front, worker: HandWorker, client: httpx.Client) -> None:
    """A held request goes on at the other one; those that come later are not sent to the dead one more than now and then, and never notice."""
    uuid = submit(client)
    claim = worker.claim()
    with ThreadPoolExecutor(6) as pool:
        held = [pool.submit(client.get, f"/api/v1/jobs/{uuid}", params={"wait": "15"}) for _ in range(6)]
        time.sleep(1.0)
        kill(front)
        statuses = {client.get("/api/v1/limits").status_code for _ in range(20)}
        submitted = [submit(client) for _ in range(6)]
        worker.finish(claim)
        answers = [answer.result(PATIENCE_S) for answer in held]
    assert statuses == {200}
    assert len(set(submitted)) == 6
    assert [answer.json()["status"] for answer in answers] == ["FINISHED"] * 6
    assert {answer.status_code for answer in answers} == {200}
    kill(front, 1)
    assert client.get("/healthz").status_code in (502, 504)  # nobody is left


class Signer:
    """Makes presigned links as Recto does, for the name by which clients know the store."""

    def __init__(self, address: str, server: S3Server, bucket: str) -> None:
        credentials = server.place()
        self._bucket = bucket
        self._client = boto3.session.Session().client(
            "s3",
            region_name="us-east-1",
            endpoint_url=address,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def link(self, method: str, key: str, **parameters: Any) -> str:
        return str(self._client.generate_presigned_url(method, {"Bucket": self._bucket, "Key": key, **parameters}))


def test_store_is_reached_by_signed_links_alone(
    rclone_server: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bucket, store = rclone_server.bucket(), rclone_server.url.removeprefix("http://")
    with (
        in_front(tmp_path_factory.mktemp("store"), store, count=1) as front,
        httpx.Client(timeout=PATIENCE_S) as client,
    ):
        signer = Signer(front.store_address, rclone_server, bucket)
        content = os.urandom(300_000)
        assert client.put(signer.link("put_object", "document"), content=content).status_code == 200
        named = signer.link("get_object", "document", ResponseContentDisposition='attachment; filename="scan.pdf"')
        answer = client.get(named)
        assert (answer.status_code, answer.content) == (200, content)
        assert client.get(named.replace("document?", "other?")).status_code == 403  # signed for another name
        assert client.get(f"{front.store_address}/{bucket}/document").status_code == 403
        assert client.get(f"{front.store_address}/{bucket}/document?X-Amz-Signature=").status_code == 403
        assert client.delete(signer.link("delete_object", "document")).status_code == 403
    assert rclone_server.keys(bucket) == {"document"}
