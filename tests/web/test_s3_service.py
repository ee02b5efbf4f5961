"""The whole service on an object store: the real Backend, a real Worker, and clients without any right to the store."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from recto.storage_setup import S3Place
from tests.drawing import draw_page, save_tiff
from tests.s3_servers import PREFIX, SERVERS, S3Server
from tests.web.clients import PASSWORD
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
_WORK_S = 120.0


@dataclass(frozen=True)
class Service:
    """Recto on a bucket of its own. `client` carries a token and follows no redirect."""

    backend: LiveServer
    server: S3Server
    place: S3Place
    client: httpx.Client

    def keys(self, uuid: str) -> set[str]:
        """What the store has of a job."""
        start = f"{PREFIX}{uuid}/"
        return {key.removeprefix(start) for key in self.server.keys(self.place.bucket) if key.startswith(start)}

    def all_keys(self) -> set[str]:
        """But for what the checks of the service itself write."""
        return self.server.keys(self.place.bucket) - {f"{PREFIX}.incoming/check"}

    def submit(self, document: Path, **query: str) -> str:
        """Send a document through the Backend."""
        query = {"filename": document.name, "dedupe": "false"} | query
        answer = self.client.post("/api/v1/jobs", params=query, content=document.read_bytes())
        assert answer.status_code == 202, answer.text
        return str(answer.json()["uuid"])

    def finished(self, uuid: str) -> dict[str, Any]:
        """The job at its end."""
        until = time.monotonic() + _WORK_S
        while time.monotonic() < until:
            job: dict[str, Any] = self.client.get(f"/api/v1/jobs/{uuid}", params={"wait": "20"}).json()
            if job["status"] in ("FINISHED", "FAILURE"):
                assert job["status"] == "FINISHED", job
                return job
        raise AssertionError(f"Not read in time: {self.backend.log.read_text()[-2000:]}")


@pytest.fixture(scope="module", params=SERVERS)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    server: S3Server = request.getfixturevalue(f"{request.param}_server")
    place, folder = server.place(), tmp_path_factory.mktemp("s3") / "storage"
    environ = server.environ(place) | {
        "RECTO_ADMIN_PASSWORD": PASSWORD,
        "RECTO_LOG_LEVEL": "debug",
        "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0",
    }
    backend = LiveServer(folder, environ)
    variables = os.environ | environ | {"RECTO_FILE_STORAGE_PATH": str(folder)}
    token = subprocess.run(
        [sys.executable, "ocr_worker.py", "tokens", "create", "admin"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with backend.log.open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "ocr_worker.py", "run", "--processes", "1"],
            cwd=ROOT,
            env=variables,
            stdout=log,
            stderr=log,
        )
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=backend.address, headers=headers, timeout=60.0) as client:
        yield Service(backend, server, place, client)
    worker.terminate()
    worker.wait(30)
    backend.stop()


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pages = [draw_page(("The first page of two",)).pixels, draw_page(("And this is the second",)).pixels]
    return save_tiff(tmp_path_factory.mktemp("document") / "Büro.tiff", pages)


@pytest.fixture(scope="module")
def uuid(service: Service, document: Path) -> str:
    """A job that was read."""
    uuid = service.submit(document)
    service.finished(uuid)
    return uuid


def link(service: Service, uuid: str, **query: str) -> str:
    answer = service.client.get(f"/api/v1/jobs/{uuid}/result", params=query)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def test_document_and_results_lie_in_the_store_alone(service: Service, uuid: str) -> None:
    keys = service.keys(uuid)
    assert {"document", "metadata.json"} < keys
    assert {re.sub(r"attempts/[0-9a-f]{32}/", "", key) for key in keys} >= {
        "pages/0001.json",
        "pages/0002.json",
        "result.txt",
    }
    assert not [path for path in service.backend.folder.iterdir() if path.name == uuid]


def test_result_comes_from_the_store_by_a_link_that_needs_no_token(service: Service, uuid: str) -> None:
    address = link(service, uuid, format="txt")
    assert address.startswith(service.server.url)
    answer = httpx.get(address)
    assert "The first page of two" in answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=\"Buro.txt\"; filename*=UTF-8''B%C3%BCro.txt"
    part = httpx.get(address, headers={"Range": "bytes=4-8"})
    assert part.text == "first"  # rclone calls it 200
    assert part.headers["Content-Range"].startswith("bytes 4-8/")


def test_link_that_was_changed_or_has_expired_is_refused(service: Service, uuid: str) -> None:
    if service.server.name != "rclone":
        return  # the other server checks no signature
    address = link(service, uuid)
    assert httpx.get(address.replace("txt", "json", 1)).status_code == 403
    expired = re.sub(r"X-Amz-Expires=\d+", "X-Amz-Expires=1", address)
    assert httpx.get(expired).status_code in (400, 403)


def test_result_without_redirect_passes_the_backend_whole_and_in_part(service: Service, uuid: str) -> None:
    path, query = f"/api/v1/jobs/{uuid}/result", {"redirect": "0"}
    whole = service.client.get(path, params=query)
    assert whole.status_code == 200
    part = service.client.get(path, params=query, headers={"Range": "bytes=4-8", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.content) == (206, whole.content[4:9])


def test_page_for_people_leads_to_the_backend_itself(service: Service, uuid: str) -> None:
    answer = service.client.get(f"/jobs/{uuid}/result/txt")
    assert answer.status_code == 302
    assert not urlsplit(answer.headers["Location"]).netloc
    assert "The first page of two" in service.client.get(answer.headers["Location"]).text


def test_format_and_picture_are_made_later_and_kept_in_the_store(service: Service, uuid: str) -> None:
    while (answer := service.client.get(f"/api/v1/jobs/{uuid}/result?format=pdf&wait=20")).status_code == 202:
        pass
    assert httpx.get(answer.headers["Location"]).content.startswith(b"%PDF")
    while (answer := service.client.get(f"/api/v1/jobs/{uuid}/pages/2/image?wait=20")).status_code == 202:
        pass
    assert answer.content.startswith(b"\x89PNG")
    assert [key for key in service.keys(uuid) if key.endswith("0002.original.png")]


def test_same_document_again_is_answered_from_copies_that_the_store_makes(
    service: Service, uuid: str, document: Path
) -> None:
    again = service.client.get(f"/api/v1/jobs/{service.submit(document, dedupe='true')}").json()
    assert (again["status"], again["deduplicated_from"]) == ("FINISHED", uuid)
    assert service.client.delete(f"/api/v1/jobs/{again['uuid']}").status_code == 204
    assert service.keys(again["uuid"]) == set()
    assert service.client.get(f"/api/v1/jobs/{uuid}/result?redirect=0").status_code == 200


def test_document_that_goes_straight_to_the_store_is_read(service: Service, document: Path) -> None:
    content = document.read_bytes()
    offer = service.client.post("/api/v1/uploads", params={"size_bytes": str(len(content))}).json()
    assert offer["upload_url"].startswith(service.server.url)
    query = {"upload": offer["upload_id"], "filename": "Büro.tiff"}
    early = service.client.post("/api/v1/jobs", params=query)
    assert (early.status_code, early.json()["code"]) == (404, "upload_not_found")
    if service.server.name == "rclone":
        assert httpx.put(offer["upload_url"], content=content + b"more").status_code == 403
    assert httpx.put(offer["upload_url"], content=content).status_code == 200
    submitted = service.client.post("/api/v1/jobs", params=query)
    assert submitted.status_code == 202, submitted.text
    job = service.finished(submitted.json()["uuid"])
    assert (job["file_name"], job["size_bytes"], job["media_type"]) == ("Büro.tiff", len(content), "image/tiff")
    assert not [key for key in service.all_keys() if ".incoming" in key]
    assert service.client.post("/api/v1/jobs", params=query).status_code == 404


def test_what_went_to_the_store_and_is_no_document_is_refused_by_its_content(service: Service) -> None:
    offer = service.client.post("/api/v1/uploads", params={"size_bytes": "5"}).json()
    httpx.put(offer["upload_url"], content=b"hello")
    refused = service.client.post("/api/v1/jobs", params={"upload": offer["upload_id"]})
    assert (refused.status_code, refused.json()["code"]) == (415, "upload_unsupported")


def test_deletion_leaves_no_key(service: Service, document: Path) -> None:
    uuid = service.submit(document)
    service.finished(uuid)
    assert service.client.delete(f"/api/v1/jobs/{uuid}").status_code == 204
    assert service.keys(uuid) == set()


def test_large_upload_and_download_let_other_requests_in(service: Service, tmp_path: Path) -> None:
    """20 MiB through the Backend, into the store in parts and out again, while somebody asks for something else."""
    large = tmp_path / "large.pdf"
    large.write_bytes(b"%PDF-1.7\n" + os.urandom(20 * 1024 * 1024))
    probe = subprocess.Popen(
        [sys.executable, "-c", _PROBE, f"{service.backend.address}/healthz"], stdout=subprocess.PIPE, text=True
    )
    try:
        uuid = service.submit(large)
    finally:
        probe.terminate()
    out, _ = probe.communicate(timeout=30)
    waits_s = [float(line) for line in out.split()]
    assert service.client.delete(f"/api/v1/jobs/{uuid}").status_code == 204
    assert len(waits_s) >= 3
    assert max(waits_s) < 2.0


_PROBE = """
import sys, time, urllib.request
while True:
    begun = time.monotonic()
    urllib.request.urlopen(sys.argv[1]).read()
    print(time.monotonic() - begun, flush=True)
    time.sleep(0.02)
"""


def test_no_signature_reaches_the_log(service: Service, uuid: str) -> None:
    httpx.get(link(service, uuid))
    log = service.backend.log.read_text()
    assert json.dumps(uuid)[1:-1] in log
    assert not re.search(r"X-Amz|Signature=|secret", log)
