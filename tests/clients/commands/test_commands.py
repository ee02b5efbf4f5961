import io
import json
import os
import re
import stat
import sys
import threading
from functools import partial
from pathlib import Path
from uuid import uuid4

import click
import httpx
import pytest

from recto_client import commands
from recto_client.client import Client
from recto_client.commands import credentials
from tests.clients.commands.listed import all_commands
from tests.clients.fake_recto import ADDRESS, BROKEN, NO_DOCUMENT, TOKEN, FakeRecto, problem
from tests.conftest import Outcome

SCAN = b"%PDF-1.7 scan"


class Recto:
    """The command, in this process, and the service that it talks to. Nothing is a terminal."""

    def __init__(self, fake: FakeRecto, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.fake = fake
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Outcome:
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = commands.status_of([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Outcome(status, captured.out, captured.err)


@pytest.fixture
def recto_command(
    recto: FakeRecto,
    slept_s: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Recto:
    monkeypatch.setattr(credentials, "Client", partial(Client, transport=httpx.MockTransport(recto._answer)))
    monkeypatch.setattr(credentials, "file", lambda: tmp_path / "config" / "recto" / "login.json")
    monkeypatch.setenv("RECTO_URL", ADDRESS)
    monkeypatch.setenv("RECTO_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    return Recto(recto, monkeypatch, capsys)


@pytest.fixture
def signed_out(recto_command: Recto, monkeypatch: pytest.MonkeyPatch) -> Recto:
    monkeypatch.delenv("RECTO_URL")
    monkeypatch.delenv("RECTO_TOKEN")
    return recto_command


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    file = tmp_path / "scan.pdf"
    file.write_bytes(SCAN)
    return file


def submitted(recto_command: Recto, scan: Path) -> str:
    return recto_command("submit", scan).out.strip()


def test_login_keeps_address_and_token_for_this_user_alone(signed_out: Recto, tmp_path: Path, scan: Path) -> None:
    done = signed_out("login", ADDRESS, "--token-stdin", stdin=f"{TOKEN}\n".encode())
    assert (done.status, done.out) == (0, "")
    assert "with the token 'scanner' (jobs:read, jobs:write)" in done.err
    assert TOKEN not in done.err
    file = tmp_path / "config" / "recto" / "login.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["login.json"]
    assert signed_out("read", scan).out == "txt of %PDF-1.7 scan"


def test_login_with_a_wrong_token_keeps_nothing(signed_out: Recto, tmp_path: Path) -> None:
    done = signed_out("login", ADDRESS, "--token-stdin", stdin=b"wrong\n")
    assert done.status == 77
    assert "Run `recto login`" in done.err
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(("url", "token"), [("recto.test", TOKEN), (ADDRESS, "")])
def test_login_with_what_can_be_none_is_wrong_usage(signed_out: Recto, url: str, token: str) -> None:
    assert signed_out("login", url, "--token-stdin", stdin=token.encode()).status == 2


def test_command_before_login_says_what_to_do(signed_out: Recto) -> None:
    done = signed_out("jobs")
    assert (done.status, done.out) == (2, "")
    assert "Run: recto login http://127.0.0.1:8080" in done.err


def test_damaged_login_file_is_named(signed_out: Recto, tmp_path: Path) -> None:
    file = tmp_path / "config" / "recto" / "login.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    assert "login.json is damaged" in signed_out("jobs").err


def test_environment_wins_over_login(recto_command: Recto, tmp_path: Path) -> None:
    credentials.keep("http://elsewhere.test", "another")
    recto_command("jobs")
    assert str(recto_command.fake.requests[0].url).startswith(ADDRESS)


def test_read_writes_the_text_and_nothing_else_to_standard_output(recto_command: Recto, scan: Path) -> None:
    done = recto_command("read", scan, "-l", "eng+deu", "--pages", "1-2", "--option", "dedupe=false")
    assert (done.status, done.out, done.err) == (0, "txt of %PDF-1.7 scan", "")
    sent = dict(recto_command.fake.sent("POST")[0].url.params)
    assert sent == {"filename": "scan.pdf", "languages": "eng+deu", "pages": "1-2", "dedupe": "false", "formats": "txt"}


def test_read_takes_standard_input(recto_command: Recto) -> None:
    assert recto_command("read", "-", stdin=SCAN).out == "txt of %PDF-1.7 scan"


def test_read_into_a_file_and_into_a_folder(recto_command: Recto, scan: Path, tmp_path: Path) -> None:
    assert recto_command("read", scan, "--format", "pdf", "-o", "out.pdf").status == 0
    assert (tmp_path / "out.pdf").read_bytes() == b"pdf of %PDF-1.7 scan"
    (tmp_path / "out").mkdir()
    others = [tmp_path / "scan.jpg", tmp_path / "deep" / "scan.jpg"]
    others[1].parent.mkdir()
    for other in others:
        other.write_bytes(SCAN)
    assert recto_command("read", scan, *others, "-o", "out", "--format", "alto").status == 0
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == ["scan-2.alto.xml", "scan.alto.xml", "scan.jpg.alto.xml"]


def test_read_into_a_pipe_writes_through_it(recto_command: Recto, scan: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    recto_command("read", scan, "-o", "pipe")
    reader.join(10)
    assert read == [b"txt of %PDF-1.7 scan"]


def test_read_of_some_that_fail_writes_the_others(recto_command: Recto, scan: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(BROKEN)
    (tmp_path / "notes.txt").write_bytes(NO_DOCUMENT)
    done = recto_command("read", "broken.pdf", "notes.txt", "missing.pdf", scan)
    assert (done.status, done.out) == (1, "txt of %PDF-1.7 scan")
    assert "broken.pdf: The PDF breaks off. Save it again. (document_damaged)" in done.err
    assert "notes.txt: Do this." in done.err
    assert "missing.pdf: No such file or directory. Check the path" in done.err


def test_read_in_a_format_that_cannot_be_made_says_so(recto_command: Recto, scan: Path) -> None:
    route = recto_command.fake.route
    recto_command.fake.next_answers.extend([route, route, problem(422, "result_not_made")])
    done = recto_command("read", scan, "--format", "pdfa")
    assert (done.status, done.out) == (1, "")
    assert "scan.pdf: Do this." in done.err


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["scan.pdf", "scan.pdf", "-o", "nowhere"], "mkdir nowhere"),
        (["scan.pdf", "scan.pdf", "--format", "pdf"], "Name a folder: -o FOLDER/"),
        (["scan.pdf", "--option", "dedupe"], "NAME=VALUE"),
        (["scan.pdf", "--format", "docx"], "'docx' is not one of"),
        ([], "Missing argument"),
    ],
)
def test_read_called_wrongly_says_how_it_is_right(
    recto_command: Recto, scan: Path, arguments: list[str], advice: str
) -> None:
    done = recto_command("read", *arguments)
    assert (done.status, done.out, recto_command.fake.requests) == (2, "", [])
    assert advice in done.err


def test_submit_prints_uuids_or_whole_jobs(recto_command: Recto, scan: Path) -> None:
    first = submitted(recto_command, scan)
    assert first in recto_command.fake.jobs
    job = json.loads(recto_command("submit", scan, "--json").out)
    assert job == recto_command.fake.jobs[job["uuid"]]
    assert recto_command("submit", "missing.pdf").status == 1


def test_wait_prints_how_jobs_ended(recto_command: Recto, scan: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(BROKEN)
    good, bad = submitted(recto_command, scan), submitted(recto_command, tmp_path / "broken.pdf")
    done = recto_command("wait", good, bad)
    assert (done.status, done.out) == (1, f"{good} FINISHED\n{bad} FAILURE\n")
    assert "broken.pdf: The PDF breaks off." in done.err
    assert json.loads(recto_command("wait", good, "--json").out)["status"] == "FINISHED"


def test_download_writes_the_result_of_a_job(recto_command: Recto, scan: Path, tmp_path: Path) -> None:
    uuid = submitted(recto_command, scan)
    assert recto_command("download", uuid).out == "txt of %PDF-1.7 scan"
    (tmp_path / "out").mkdir()
    assert recto_command("download", uuid, "--format", "hocr", "-o", "out").status == 0
    assert (tmp_path / "out" / "scan.hocr").read_bytes() == b"hocr of %PDF-1.7 scan"


def test_download_of_a_failed_job_says_why(recto_command: Recto, tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(BROKEN)
    done = recto_command("download", submitted(recto_command, tmp_path / "broken.pdf"))
    assert (done.status, done.out) == (1, "")
    assert done.err == "Error: The PDF breaks off. Save it again. (document_damaged)\n"


def test_jobs_lists_them_for_people_and_programs(recto_command: Recto, scan: Path) -> None:
    uuids = [submitted(recto_command, scan) for _ in range(3)]
    lines = recto_command("jobs", "--limit", "2").out.splitlines()
    assert [line.split()[0] for line in lines] == uuids[:0:-1]
    assert re.search(r"2026-11-2\d \d\d:\d\d  QUEUED +0/\?  scan\.pdf$", lines[0])
    assert [json.loads(line)["uuid"] for line in recto_command("jobs", "--json").out.splitlines()] == uuids[::-1]


def test_cancel_and_delete_end_jobs(recto_command: Recto, scan: Path) -> None:
    uuid = submitted(recto_command, scan)
    assert recto_command("cancel", uuid).out == f"{uuid} FAILURE\n"
    assert recto_command("delete", uuid).out == ""
    assert recto_command.fake.jobs == {}


def test_unknown_job_and_what_is_no_uuid_are_told(recto_command: Recto) -> None:
    assert (recto_command("wait", str(uuid4())).status, recto_command("wait", "some").status) == (1, 2)


def test_recto_that_does_not_answer_has_a_status_of_its_own(recto_command: Recto) -> None:
    recto_command.fake.next_answers.extend([httpx.ConnectError("refused")] * 50)
    done = recto_command("jobs")
    assert (done.status, done.out) == (69, "")
    assert "Check the address, and that Recto runs." in done.err


def test_watch_once_reads_the_folder(recto_command: Recto, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "scan.pdf").write_bytes(SCAN)
    quick = ("--once", "--settle", "0", "--interval", "0.1", "--format", "md")
    done = recto_command("watch", "in", "--out", "results", *quick)
    assert (done.status, done.out, done.err) == (0, "", "scan.pdf -> scan\n")
    assert (tmp_path / "results" / "scan.md").read_bytes() == b"md of %PDF-1.7 scan"
    (tmp_path / "in" / "broken.pdf").write_bytes(BROKEN)
    assert (
        recto_command("watch", "in", "--out", "results", *quick, "--journal", "results/.recto-watch.sqlite3").status
        == 1
    )


def test_watch_started_before_its_recto_waits_for_it(recto_command: Recto, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    away = [httpx.ConnectError("refused")] * 20
    recto_command.fake.next_answers.extend([*away, problem(401, "not_signed_in")])
    done = recto_command("watch", "in", "--out", "results")
    assert done.status == 77
    assert "http://recto.test/ does not answer (refused)." in done.err
    recto_command.fake.next_answers.extend(away)
    assert recto_command("watch", "in", "--out", "results", "--once").status == 69


def test_watch_of_a_folder_that_is_watched_says_so(recto_command: Recto, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "results" / ".recto-watch.sqlite3").write_text("something else, and long enough to be looked at " * 9)
    done = recto_command("watch", "in", "--out", "results", "--once")
    assert done.status == 1
    assert "another `recto watch`" in done.err


@pytest.mark.parametrize("inbox", ["same", "same/deeper"])
def test_watch_with_results_among_the_documents_is_wrong_usage(
    recto_command: Recto, tmp_path: Path, inbox: str
) -> None:
    (tmp_path / "same" / "deeper").mkdir(parents=True)
    assert recto_command("watch", inbox, "--out", "same").status == 2


def test_every_command_and_option_has_a_help_text(recto_command: Recto) -> None:
    for name, command in all_commands():
        assert command.help, name
        assert all(option.help for option in command.params if isinstance(option, click.Option)), name
        assert recto_command(name, "--help").status == 0
    assert "..." not in recto_command("--help").out.partition("Commands:")[2]


def test_command_that_is_not_there_is_wrong_usage(recto_command: Recto) -> None:
    assert recto_command("raed").status == 2
    assert recto_command("--version").out.startswith("recto, version ")


def test_terminal_is_shown_the_pages_and_gets_no_pdf(
    recto_command: Recto, scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_a_page(request: httpx.Request) -> httpx.Response:
        (job,) = recto_command.fake.jobs.values()
        progress = {"pages_done": 1, "page_count": 2, "pages_failed": 0}
        return httpx.Response(200, json=job | {"progress": progress}, headers={"Retry-After": "0.1"})

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", shown := Terminal())
    assert commands.status_of(["read", str(scan), "--format", "pdf"]) == 2
    recto_command.fake.next_answers.extend([recto_command.fake.route, read_a_page])
    assert commands.status_of(["read", str(scan), "-o", "out.txt"]) == 0
    assert "\rscan.pdf: 1 of 2 pages" in shown.getvalue()
