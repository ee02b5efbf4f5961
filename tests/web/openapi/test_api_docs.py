"""docs/api.md: complete, and its commands run."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import requests
from flask import Flask
from standardwebhooks import Webhook

from recto.errors import RequestError, ServiceError
from recto.ocr.media_types import ACCEPTED
from recto.ocr.options import PREPROCESSING_STEPS, STAGES, Options, ResultFormat
from recto.web.openapi.option_schema import BESIDE_READING
from tests.drawing import blank_page, save_pdf
from tests.web.clients import PDF
from tests.web.followers import blocks_of
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.reading_by_hand import reading

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
NOT_OF_THE_API = {
    "user_has_jobs",
    "too_many_sign_ins",
    "user_disabled",
    "session_not_found",
    "sign_on_failed",
    "sign_on_unavailable",
    "identity_unknown",
}


def ran(
    command: list[str], folder: Path, live: LiveServer, token: str, **own: str
) -> "subprocess.CompletedProcess[str]":
    """A documented program, ended, with the address and the token that the documents name."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    return subprocess.run(
        command,
        cwd=folder,
        env=outer | {"RECTO": live.address, "TOKEN": token, **own},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_commands_of_the_walk_answer_as_they_say(
    live: LiveServer, live_token: str, live_worker: HandWorker, tmp_path: Path
) -> None:
    section = DOCS.partition("## The whole API with curl")[2].partition("\n## ")[0]
    setting, script = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert setting.startswith("export RECTO=")
    expected = re.findall(r"# (\d{3})$", script, re.MULTILINE)
    save_pdf(tmp_path / "scan.pdf", [blank_page(60, 40)])
    live_worker.report("eng", "osd")
    live_worker.end_waiting()
    with reading(live_worker):
        walk = ran(["bash", "-euo", "pipefail", "-c", script], tmp_path, live, live_token)
    assert (walk.returncode, walk.stderr) == (0, "")
    assert re.findall(r"^(\d{3})$", walk.stdout, re.MULTILINE) == expected, walk.stdout
    assert "Read by hand." in walk.stdout
    assert ">Recto.</span>" in walk.stdout
    assert "There is no option 'colour'" in walk.stdout
    assert '"file_name":"letter.pdf"' in walk.stdout


def test_python_examples_follow_a_job_to_its_end(live: LiveServer, live_token: str, live_worker: HandWorker) -> None:
    examples = re.findall(r"```python\n(.*?)```", DOCS.partition("\n## Live\n")[2].partition("\n## ")[0], re.DOTALL)
    live_worker.end_waiting()
    answer = requests.post(
        f"{live.address}/api/v1/jobs",
        files={"document": PDF},
        headers={"Authorization": f"Bearer {live_token}"},
        timeout=30,
    )
    environ = os.environ | {"JOB": live.address + answer.headers["Location"], "TOKEN": live_token}
    programs = [
        subprocess.Popen([sys.executable, "-c", example], env=environ, stdout=subprocess.PIPE, text=True)
        for example in examples
    ]
    claim = live_worker.claim(1)
    live_worker.read_page(claim, 1, blocks=blocks_of("Dear Ada"))
    live_worker.finish(claim)
    printed = [program.communicate(timeout=60)[0] for program in programs]
    assert [program.returncode for program in programs] == [0, 0]
    assert printed == ["1 Dear Ada\n\n", "status 0\nstatus 0\nprogress 0\npage 1\nend 1\n"]


def test_every_address_of_the_api_is_described(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        path = (
            rule.rule.replace("<uuid:uuid>", "{uuid}")
            .replace("<file_name>", "{name}")
            .replace("<int:number>", "{n}")
            .replace("<delivery_id>", "{id}")
            .replace("<int:correction>", "{id}")
            .replace("<int(max=9223372036854775807):user_id>", "{id}")
        )
        if path.startswith(("/api/", "/healthz", "/readyz")):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                assert f"`{method} {path}" in DOCS, f"{method} {path}"


def test_function_that_verifies_a_message_takes_what_was_signed_and_nothing_else() -> None:
    (source,) = re.findall(
        r"```python\n(.*?)```", DOCS.partition("\n## Webhooks\n")[2].partition("\n## ")[0], re.DOTALL
    )
    there: dict[str, Any] = {}
    exec(source, there)  # noqa: S102 - our own document
    is_from_recto, secret, now = there["is_from_recto"], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.now(UTC)

    def headers(signed_at: datetime, body: str, *secrets: str) -> dict[str, str]:
        signatures = [Webhook(one).sign("msg_1", signed_at, body) for one in secrets]
        stamp = str(int(signed_at.timestamp()))
        return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}

    assert is_from_recto(headers(now, "{}", secret), b"{}", secret)
    assert is_from_recto(headers(now, "{}", "whsec_AAAA", secret), b"{}", secret)
    assert not is_from_recto(headers(now, "{}", "whsec_AAAA"), b"{}", secret)
    assert not is_from_recto(headers(now, "{}", secret), b"{} ", secret)
    assert not is_from_recto(headers(now - timedelta(minutes=6), "{}", secret), b"{}", secret)


def test_every_option_format_and_kind_of_document_is_described() -> None:
    for name in (*Options.model_fields, *BESIDE_READING):
        assert f"| `{name}` |" in DOCS
    assert "?format=" + "|".join(get_args(ResultFormat)) in DOCS
    assert "?stage=" + "|".join(STAGES) in DOCS
    steps = DOCS.partition("| step | what it does |\n|---|---|\n")[2].partition("\n\n")[0]
    assert steps.splitlines() == [f"| `{name}` | {words} |" for name, words in PREPROCESSING_STEPS.items()]
    for name in ACCEPTED.values():
        assert name in DOCS


def test_every_error_of_a_request_is_described_beside_its_status() -> None:
    rows = {row[0]: row for row in re.findall(r"^\| `(\d{3})`(.*)$", DOCS, re.MULTILINE)}
    for family in (RequestError, ServiceError):
        for error in family.__subclasses__():
            if error.code not in NOT_OF_THE_API:
                assert f"`{error.code}`" in rows[str(error.status)][1], error
