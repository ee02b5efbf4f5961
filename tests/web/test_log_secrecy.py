"""What no log may hold: a whole run of Backend and Worker at their most talkative, with a marker in everything that is secret."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pikepdf
import pytest
import requests
from flask import Flask
from fpdf import FPDF
from PIL import Image

from tests.web.clients import PDF, Program, problem
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

ROOT: Final = Path(__file__).resolve().parents[2]
PASSWORD = "right-Zwiebelfisch-password"
NEW_PASSWORD = "next-Zwiebelfisch-password"
WRONG_PASSWORD = "wrong-Zwiebelfisch-password"
DOCUMENT_PASSWORD = "document-Zwiebelfisch-password"
TEXT = "Zwiebelfisch diagnosis"
NAME = "../Zwiebelfisch $(touch owned) {{7*191}} ';--.pdf"


class Run:
    """Backend and Worker on one folder, and every secret that came up."""

    def __init__(self, server: LiveServer, worker_log: Path) -> None:
        self._server = server
        self._worker_log = worker_log
        self.browser = requests.Session()
        self.browser.headers["Accept"] = "text/html"
        self.secrets: set[str] = {"Zwiebelfisch", "diagnosis"}

    def post(self, path: str, **form: str) -> requests.Response:
        """Send a form of the page, with its CSRF token, which is one of the secrets."""
        page = self.browser.get(f"{self._server.address}/sign-in", timeout=20)
        csrf_token = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
        answer = self.browser.post(f"{self._server.address}{path}", data={"csrf_token": csrf_token} | form, timeout=20)
        self.secrets |= {csrf_token, *self.browser.cookies.values()}
        return answer

    def token(self) -> str:
        """A new token from the account page."""
        found = re.search(r'id="new-token">([^<]+)<', self.post("/account/tokens", name="scanner").text)
        assert found
        self.secrets |= {found[1], found[1][6:20]}
        return found[1]

    def submit(self, token: str, document: bytes, name: str, password: str | None = None) -> dict[str, object]:
        """Submit a document and wait for the job's end."""
        answer = requests.post(
            f"{self._server.address}/api/v1/jobs",
            files={"document": (name, document)},
            data={"password": password} if password else {},
            headers={"Authorization": f"Bearer {token}", "Prefer": "wait=50"},
            timeout=60,
        )
        job: dict[str, object] = answer.json()
        assert job["status"] in ("FINISHED", "FAILURE"), f"{answer.text}\n{self.logs()}"
        return job

    def get(self, token: str, path: str) -> requests.Response:
        """Follow an address to the file; the signature of the link is one of the secrets."""
        answer = requests.get(f"{self._server.address}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=60)
        for hop in answer.history:
            self.secrets |= set(parse_qs(urlsplit(hop.headers["Location"]).query)["signature"])
        return answer

    def logs(self) -> str:
        """All that both wrote."""
        return self._server.log.read_text(encoding="utf-8") + self._worker_log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("secrecy") / "storage"
    environ = {"RECTO_LOG_LEVEL": "debug", "RECTO_ADMIN_PASSWORD": PASSWORD}
    server = LiveServer(folder, environ)
    worker_log = folder.with_name("worker.log")
    own = {"RECTO_FILE_STORAGE_PATH": str(folder), "RECTO_LOG_LEVEL": "debug", "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0"}
    with worker_log.open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "ocr_worker.py", "run", "--processes", "1"],
            cwd=ROOT,
            env=os.environ | own,
            stdout=log,
            stderr=log,
        )
    yield Run(server, worker_log)
    worker.terminate()
    worker.wait(30)
    server.stop()


def encrypted_pdf(folder: Path) -> bytes:
    """A born-digital page of TEXT that opens with DOCUMENT_PASSWORD alone."""
    document = FPDF()
    document.set_title(TEXT)
    document.add_page()
    document.set_font("Helvetica", size=14)
    for _ in range(6):
        document.cell(text=f"{TEXT}, in words that everybody can read.", new_x="LMARGIN", new_y="NEXT")
    plain, encrypted = folder / "plain.pdf", folder / "encrypted.pdf"
    document.output(str(plain))
    with pikepdf.open(plain) as opened:
        opened.save(encrypted, encryption=pikepdf.Encryption(owner="owner", user=DOCUMENT_PASSWORD))
    return encrypted.read_bytes()


def talkative_tiff(folder: Path) -> bytes:
    """A small scan whose tags hold TEXT."""
    path = folder / "scan.tif"
    Image.new("L", (200, 100), 255).save(path, dpi=(100, 100), description=TEXT, artist=TEXT)
    return path.read_bytes()


def test_whole_run_leaves_no_secret_and_no_text_in_any_log(run: Run, tmp_path: Path) -> None:
    assert run.post("/sign-in", name="admin", password=WRONG_PASSWORD).status_code == 401
    assert run.post("/sign-in", name=PASSWORD, password="in the wrong field").status_code == 401
    assert run.post("/sign-in", name="admin", password=PASSWORD).status_code == 200
    token = run.token()
    document = encrypted_pdf(tmp_path)
    failed = run.submit(token, document, NAME, WRONG_PASSWORD)
    assert failed["reason"]["code"] == "password_wrong"  # type: ignore[index]
    run.submit(token, talkative_tiff(tmp_path), "Zwiebelfisch scan.tif")
    job = run.submit(token, document, NAME, DOCUMENT_PASSWORD)
    assert TEXT in run.get(token, f"/api/v1/jobs/{job['uuid']}/result").text
    assert TEXT in run.get(token, f"/api/v1/jobs/{job['uuid']}/result?format=md&wait=50").text
    assert run.get(token, f"/api/v1/jobs/{job['uuid']}/pages/1/image?wait=50").status_code == 200
    assert TEXT in run.browser.get(f"{run._server.address}/jobs/{job['uuid']}", timeout=20).text
    run.post("/account/password", current=PASSWORD, new=NEW_PASSWORD, repeat=NEW_PASSWORD)
    for path in (f"/nothing?password={PASSWORD}", "/api/v1/jobs?after=Zwiebelfisch", f"/jobs/{job['uuid']}?x={TEXT}"):
        run.get(token, path)
    requests.delete(
        f"{run._server.address}/api/v1/jobs/{job['uuid']}", headers={"Authorization": f"Bearer {token}"}, timeout=20
    )
    run.secrets.add((run._server.folder / "secret_key").read_text(encoding="utf-8").strip())
    logs = run.logs()
    assert str(job["uuid"]) in logs
    assert "job_finished" in logs
    assert not (ROOT / "owned").exists()
    assert [secret for secret in run.secrets if secret and secret in logs] == []


def test_error_of_the_database_is_logged_without_the_values(
    app: Flask, program: Program, worker: HandWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    with worker.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON job BEGIN SELECT RAISE(ABORT, 'the test refuses'); END"
        )
    problem(program.send_form(PDF, NAME, password=DOCUMENT_PASSWORD), 500, "internal_error")
    captured = capsys.readouterr()
    assert "the test refuses" in captured.out + captured.err
    assert "Zwiebelfisch" not in captured.out + captured.err
