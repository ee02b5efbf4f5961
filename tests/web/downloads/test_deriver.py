"""Formats asked for after the job: made once, by a process of their own, and kept."""

import sys
from pathlib import Path

import gevent
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from recto.database.connections import Begin, transaction
from recto.errors import ResultNotMade
from recto.records import derivations
from recto.time_limits import TimeLimits
from recto.web.downloads.deriver import Deriver
from recto.web.serving.database import read
from tests.drawing import blank_page, save_tiff
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = [pytest.mark.each_database(long=True), pytest.mark.usefixtures("environ_of_processes")]

JOBS = "/api/v1/jobs"
LOGGED = "print(*sys.argv[1:], file=open({log!r}, 'a'), flush=True); "


@pytest.fixture
def uuid(program: Program, worker: HandWorker, tmp_path: Path) -> str:
    """A finished job; text and JSON are written, the other formats are not."""
    uuid = program.submit(save_tiff(tmp_path / "one.tif", [blank_page(60, 40)]).read_bytes(), "one.tif")
    return worker.finish(worker.claim(), "Read.\n") and uuid


class Programs:
    """What the Backend starts instead of `ocr_worker.py derive`, and what it was called with."""

    def __init__(self, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._deriver: Deriver = app.extensions["recto"].deriver
        self._log = tmp_path / "calls"
        self._monkeypatch = monkeypatch

    def are(self, code: str) -> None:
        program = f"import os, sys, time; {LOGGED.format(log=str(self._log))}{code}"
        self._monkeypatch.setattr(self._deriver, "_command", (sys.executable, "-c", program))

    @property
    def calls(self) -> list[list[str]]:
        return [line.split() for line in self._log.read_text().splitlines()] if self._log.exists() else []


@pytest.fixture
def programs(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(app, tmp_path, monkeypatch)


def ask(client: Program, uuid: str, result_format: str, wait_s: float = 0) -> TestResponse:
    return client.get(f"{JOBS}/{uuid}/result?format={result_format}&wait={wait_s}")


def test_format_that_was_not_written_with_the_job_is_made_when_it_is_asked_for(program: Program, uuid: str) -> None:
    response = ask(program, uuid, "md", 30)
    assert response.status_code == 302
    file = program.get(response.headers["Location"])
    assert (file.status_code, file.mimetype) == (200, "text/markdown")
    assert file.headers["Content-Disposition"] == 'attachment; filename="one.md"'


def test_format_is_made_once_and_kept(program: Program, uuid: str, programs: Programs, folder: Path) -> None:
    storage = str(folder / uuid / "attempts")
    programs.are(
        f"folder = os.path.join({storage!r}, os.listdir({storage!r})[0]); open(folder + '/result.tsv', 'w').close()"
    )
    clients = [gevent.spawn(ask, program, uuid, "tsv", 20) for _ in range(3)]
    gevent.joinall(clients)
    assert [client.get().status_code for client in clients] == [302, 302, 302]
    assert ask(program, uuid, "tsv").status_code == 302
    assert {(call[0], call[1], call[2]) for call in programs.calls} == {(uuid, "tsv", "--token")}
    assert len(programs.calls) == 1


def test_format_that_takes_long_answers_202_and_goes_on(
    program: Program, uuid: str, programs: Programs, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr("recto.web.downloads.deriver._GRACE_S", 0.2)
    storage, go_on = str(folder / uuid / "attempts"), folder / "go on"
    programs.are(
        f"\nwhile not os.path.exists({str(go_on)!r}): time.sleep(0.01)\n"
        f"folder = os.path.join({storage!r}, os.listdir({storage!r})[0]); open(folder + '/result.tsv', 'w').close()"
    )
    waiting = ask(program, uuid, "tsv")
    assert waiting.status_code == 202
    assert waiting.headers["Retry-After"] == "1"
    assert waiting.get_json()["status"] == "FINISHED"
    go_on.touch()
    assert ask(program, uuid, "tsv", 20).status_code == 302
    assert len(programs.calls) == 1


def test_format_whose_process_dies_is_a_problem_of_its_own(program: Program, uuid: str, programs: Programs) -> None:
    programs.are("os.kill(os.getpid(), 9)")
    members = problem(ask(program, uuid, "pdf"), 422, "result_not_made")
    assert "Searchable PDF ended its process" in members["detail"]
    assert program.get(f"{JOBS}/{uuid}").get_json()["status"] == "FINISHED"
    assert ask(program, uuid, "txt").status_code == 302
    problem(ask(program, uuid, "pdf"), 422, "result_not_made")
    assert len(programs.calls) == 1  # the failure holds for a while


def test_format_that_takes_too_long_is_killed_and_says_so(
    app: Flask, program: Program, uuid: str, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 0.5 s are added for the page.
    monkeypatch.setattr(app.extensions["recto"].deriver, "_limits", TimeLimits(-0.2, 0.0, 0.0, 0.0))
    programs.are("time.sleep(60)")
    assert "took too long" in problem(ask(program, uuid, "pdf", 20), 422, "result_not_made")["detail"]


def test_reason_that_the_process_recorded_is_what_the_client_learns(
    program: Program, worker: HandWorker, uuid: str
) -> None:
    with transaction(worker.session(), Begin.WRITE) as session:
        derivations.failed_at_once(session, uuid, "pdf", "token", ResultNotMade("The PDF is damaged."))
    members = problem(ask(program, uuid, "pdf"), 422, "result_not_made")
    assert (members["detail"], members["reason"]) == ("The PDF is damaged.", "result_not_made")


def test_format_of_somebody_elses_job_is_not_made(other_program: Program, uuid: str, programs: Programs) -> None:
    programs.are("")
    problem(ask(other_program, uuid, "md"), 404, "job_not_found")
    assert programs.calls == []


def test_browser_gets_the_file_from_the_pages_address(browser: Browser, uuid: str) -> None:
    response = browser.get(f"/jobs/{uuid}/result/txt", follow_redirects=True)
    assert response.text == "Read.\n"
    assert browser.get(f"/jobs/{uuid}/result/docx").status_code == 422


def test_browser_is_told_that_a_format_takes_long_and_asks_again(
    browser: Browser, uuid: str, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recto.web.downloads.deriver._GRACE_S", 0.1)
    monkeypatch.setattr("recto.web.pages._MAKING_WAIT_S", 0.1)
    programs.are("time.sleep(60)")
    response = browser.get(f"/jobs/{uuid}/result/pdf")
    assert (response.status_code, response.headers["Refresh"]) == (202, "1")
    assert "Searchable PDF is being made" in response.text


def test_browser_that_asks_for_a_file_too_early_is_shown_the_document(
    browser: Browser, program: Program, worker: HandWorker
) -> None:
    early = program.submit()
    response = browser.get(f"/jobs/{early}/result/txt")
    assert (response.status_code, response.headers["Location"]) == (302, f"/jobs/{early}")


def test_stop_kills_what_is_running_and_lets_the_next_one_begin(
    app: Flask, program: Program, uuid: str, programs: Programs
) -> None:
    programs.are("time.sleep(60)")
    waiting = gevent.spawn(ask, program, uuid, "tsv", 20)
    while not programs.calls:
        gevent.sleep(0.05)
    app.extensions["recto"].deriver.stop()
    assert waiting.get(timeout=5).status_code == 202
    with app.app_context():
        assert read(derivations.find, uuid, "tsv") is None
