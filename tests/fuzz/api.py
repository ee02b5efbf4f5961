"""Schemathesis against a running Backend: requests made from /openapi.json, right and wrong ones, and the answers held to it.

    python -m tests.fuzz.api [--examples 50] [--seed 1]

A Worker played by hand ends what is submitted; requests that name a job name a finished one, and those of the stateful phase what an answer
before named. It prints schemathesis' own summary. Exit status: 0 where every answer is one that the document describes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import requests

from recto import accounts
from recto.accounts import Scope
from recto.database.connections import Begin, transaction
from tests.drawing import blank_page, save_pdf
from tests.fuzz.api_hooks import DOCUMENT_VARIABLE
from tests.web.clients import PASSWORD
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.reading_by_hand import reading

_ENVIRON: Final = {
    "RECTO_ADMIN_PASSWORD": PASSWORD,
    "RECTO_SERVER_MAX_UPLOAD_BYTES": "100000",
    "RECTO_SERVER_MAX_WAIT_S": "0.02",
    "RECTO_LIMITS_UPLOADS_PER_MINUTE": "0",
    "RECTO_LIMITS_TOKENS_PER_HOUR": "0",
    "RECTO_OUTBOUND_WEBHOOKS": "false",  # nobody out there is to be called at addresses made up here
}
_READING_S: Final = 30.0
_PROJECT: Final = Path(__file__).resolve().parents[2]
_SETTINGS: Final = """
hooks = "tests.fuzz.api_hooks"

[checks]
negative_data_rejection.expected-statuses = ["4XX"]

[parameters]
"path.uuid" = "{known}"
"path.n" = 1

[[operations]]
include-operation-id = "get_file"
parameters = {{ "path.name" = "result.txt", "query.signature" = "{signature}" }}

[[operations]]
include-operation-id = "delete_job"
parameters = {{ "path.uuid" = "{other}" }}

[[operations]]
include-operation-id = ["get_batch_status", "get_batch_result", "cancel_batch"]
parameters = {{ "path.uuid" = "{batch}" }}

[[operations]]
include-operation-id = ["get_jobs", "search"]
checks.positive_data_acceptance.expected-statuses = [200, 422]

[[operations]]
include-operation-id = ["add_correction", "create_user", "change_user"]
checks.positive_data_acceptance.expected-statuses = [200, 201, 403, 404, 409, 422]

[[operations]]
include-operation-id = "undo_correction"
checks.negative_data_rejection.expected-statuses = ["4XX", 200]

[[operations]]
include-operation-id = ["create_job", "retry_job", "read_document", "put_document", "create_batch"]
checks.positive_data_acceptance.expected-statuses = [200, 202, 422]
checks.negative_data_rejection.expected-statuses = ["4XX", 200, 202]
parameters = {{ "query.webhook" = "", "query.document_url" = "" }}

[[operations]]
include-operation-id = "create_upload"
checks.positive_data_acceptance.expected-statuses = [200, 201, 409, 413, 422]

[[operations]]
include-operation-id = "put_webhook"
checks.positive_data_acceptance.expected-statuses = [422]

[[operations]]
include-operation-id = "get_result"
parameters = {{ "query.redirect" = 1 }}
"""
"""413 for a size that this Backend does not take. 422 for what no schema can say: `after` beside a filter, a search for no word, places that a page does not have, names with spaces at their ends, 5.0
for 5, page ranges that run backwards, keys that came with something else before, and that this Backend calls no webhooks. 202 for a form's `tag` that is no
list: sent as a form, it is a list of one. 200 for a page that does not exist: its number is replaced by the known one. The result played by hand is no JSON
of a Worker's, so the redirect to it is all that is asked for.
"""


def main() -> int:
    """Ask, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=50, help="requests of each kind at each address")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = run(Path(folder), given.examples, given.seed)
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
    return done.returncode


def run(folder: Path, examples: int, seed: int) -> subprocess.CompletedProcess[str]:
    """Schemathesis' output and exit status."""
    document = folder / "scan.pdf"
    save_pdf(document, [blank_page(60, 40)])
    with _serving(folder) as (server, worker):
        token = _token(worker)
        known, other = (_finished_job(server, token, document) for _ in range(2))
        values = {"known": known, "other": other, "signature": _signature(server, token, known)}
        values["batch"] = _batch(server, token, document)
        settings = folder / "schemathesis.toml"
        settings.write_text(_SETTINGS.format(**values), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(settings), "run"]
        command += [f"{server.address}/openapi.json", "--header", f"Authorization: Bearer {token}", "--no-color"]
        command += ["--max-examples", str(examples), "--seed", str(seed), "--exclude-operation-id", "delete_token"]
        for name in (
            "get_events",
            "get_stream",
            "get_job_stream",
        ):  # without an end, and 426 to all that is no handshake
            command += ["--exclude-operation-id", name]
        environ = os.environ | {DOCUMENT_VARIABLE: str(document), "PYTHONPATH": str(_PROJECT)}
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def _token(worker: HandWorker) -> str:
    """One that may do everything: the addresses for administrators are asked, too."""
    with transaction(worker.session(), Begin.WRITE) as session:
        admin = accounts.find_user(session, "admin")
        return accounts.create_token(session, admin.id, "fuzz", frozenset(Scope))


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[LiveServer, HandWorker]]:
    server = LiveServer(folder / "storage", _ENVIRON)
    worker = HandWorker(server.folder)
    try:
        with reading(worker):
            yield server, worker
    finally:
        worker.close()
        server.stop()


def _finished_job(server: LiveServer, token: str, document: Path) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(f"{server.address}/api/v1/jobs", data=document.read_bytes(), headers=headers, timeout=30)
    uuid = str(answer.json()["uuid"])
    until = time.monotonic() + _READING_S
    while time.monotonic() < until:
        job = requests.get(f"{server.address}/api/v1/jobs/{uuid}", headers=headers, timeout=30).json()
        if job["status"] == "FINISHED":
            return uuid
        time.sleep(0.1)
    raise AssertionError(f"the job was not read within {_READING_S} s: {job}")


def _batch(server: LiveServer, token: str, document: Path) -> str:
    files = [("document", (f"{number}.pdf", document.read_bytes())) for number in (1, 2)]
    headers = {"Authorization": f"Bearer {token}"}
    return str(
        requests.post(f"{server.address}/api/v1/batches", files=files, headers=headers, timeout=30).json()["uuid"]
    )


def _signature(server: LiveServer, token: str, uuid: str) -> str:
    """Of the link to the job's text."""
    address = f"{server.address}/api/v1/jobs/{uuid}/result"
    answer = requests.get(address, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False, timeout=30)
    return answer.headers["Location"].partition("signature=")[2]


if __name__ == "__main__":
    sys.exit(main())
