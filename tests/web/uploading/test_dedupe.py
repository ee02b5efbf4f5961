"""The same document again: POST /api/v1/jobs with an earlier result that may answer, and the page that says so."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from recto.errors import PageTimeout
from recto.file_storage.volume import VolumeStorage
from tests.drawing import blank_page, save_tiff
from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user, left_behind
from tests.web.hand_worker import HandWorker

pytestmark = [pytest.mark.each_database(long=True), pytest.mark.usefixtures("environ_of_processes")]

JOBS = "/api/v1/jobs"
TEXT = "Read by hand.\n"


@pytest.fixture
def reader(worker: HandWorker) -> HandWorker:
    """A Worker whose results may answer."""
    worker.result_version = "hand 1"
    worker.report("eng", "deu")
    return worker


@pytest.fixture
def document(tmp_path: Path) -> bytes:
    return save_tiff(tmp_path / "two.tif", [blank_page(60, 40)] * 2).read_bytes()


def read_all(reader: HandWorker, pages: int = 2) -> None:
    """Read the job that waits."""
    claim = reader.claim(page_count=pages)
    for number in range(1, pages + 1):
        reader.read_page(claim, number)
    reader.write_picture(claim, 1, b"\x89PNG\r\n\x1a\n picture")
    reader.finish(claim, TEXT)


@pytest.fixture
def earlier(program: Program, reader: HandWorker, document: bytes) -> str:
    """The uuid of a job that has read the document."""
    uuid = program.submit(document, "two.tif")
    read_all(reader)
    return uuid


def text_of(program: Program, uuid: str) -> str:
    return program.get(program.get(f"{JOBS}/{uuid}/result").headers["Location"]).text


def is_answered(job: dict[str, Any], earlier: str) -> bool:
    """Either answered from that job or waiting, and what it says fits."""
    assert (job["status"], job["deduplicated_from"]) in [("FINISHED", earlier), ("QUEUED", None)]
    return bool(job["status"] == "FINISHED")


def test_same_document_is_answered_at_once_with_a_job_of_its_own(
    program: Program, earlier: str, document: bytes, folder: Path
) -> None:
    response = program.send_form(document, "again.tif")
    job = response.get_json()
    assert (response.status_code, job["status"], job["deduplicated_from"]) == (202, "FINISHED", earlier)
    assert job["uuid"] != earlier
    assert response.headers["Location"].endswith(job["uuid"])
    assert job["file_name"] == "again.tif"
    assert [entry["status"] for entry in job["transitions"]] == ["QUEUED", "IN_PROGRESS", "FINISHED"]
    assert job["progress"] == {"pages_done": 2, "page_count": 2, "pages_failed": 0}
    assert text_of(program, job["uuid"]) == TEXT
    assert (folder / job["uuid"] / "document").read_bytes() == document
    assert sorted(left_behind(folder)) == sorted([earlier, job["uuid"]])
    metadata = json.loads((folder / job["uuid"] / "metadata.json").read_text(encoding="utf-8"))
    assert (metadata["uuid"], metadata["deduplicated_from"]) == (job["uuid"], earlier)


def test_answer_to_who_prefers_to_wait_is_200(program: Program, earlier: str, document: bytes) -> None:
    response = program.send_form(document, headers={"Prefer": "wait=30"})
    assert (response.status_code, response.get_json()["deduplicated_from"]) == (200, earlier)


def test_job_that_was_read_says_that_it_was_not_answered(program: Program, earlier: str) -> None:
    assert program.get(f"{JOBS}/{earlier}").get_json()["deduplicated_from"] is None


@pytest.mark.parametrize("deleted", ["earlier", "later"])
def test_job_that_is_deleted_leaves_the_other_whole(
    program: Program, earlier: str, document: bytes, folder: Path, deleted: str
) -> None:
    later = program.send_form(document).get_json()["uuid"]
    gone, left = (earlier, later) if deleted == "earlier" else (later, earlier)
    assert program.delete(f"{JOBS}/{gone}").status_code == 204
    assert left_behind(folder) == [left]
    assert (folder / left / "document").read_bytes() == document
    assert text_of(program, left) == TEXT
    picture = program.get(f"{JOBS}/{left}/pages/1/image")
    assert (picture.status_code, picture.data) == (200, b"\x89PNG\r\n\x1a\n picture")


def test_pictures_and_formats_are_made_of_an_answer_whose_source_is_deleted(
    program: Program, earlier: str, document: bytes
) -> None:
    later = program.send_form(document).get_json()["uuid"]
    program.delete(f"{JOBS}/{earlier}")
    assert program.get(f"{JOBS}/{later}/pages/2/image?stage=preprocessed&wait=30").status_code == 200
    assert program.get(f"{JOBS}/{later}/result?format=tsv&wait=30").status_code == 302


def test_format_made_later_names_the_time_of_the_reading(program: Program, earlier: str, document: bytes) -> None:
    created = program.get(f"{JOBS}/{earlier}").get_json()["created"]
    later = program.send_form(document).get_json()["uuid"]
    for uuid in (earlier, later):
        link = program.get(f"{JOBS}/{uuid}/result?format=hocr&wait=30").headers["Location"]
        assert created in program.get(link).text


OTHER_REQUESTS: dict[str, dict[str, Any]] = {
    "dedupe off": {"dedupe": "false"},
    "other languages": {"languages": "deu"},
    "languages in another order": {"languages": "deu+eng"},
    "other pages": {"pages": "1"},
    "other mode": {"mode": "force"},
    "other steps": {"preprocess": "none"},
    "a password": {"password": "sesame"},
}


@pytest.mark.parametrize("fields", OTHER_REQUESTS.values(), ids=OTHER_REQUESTS)
def test_same_document_with_other_options_is_read(
    program: Program, earlier: str, document: bytes, fields: dict[str, Any]
) -> None:
    assert not is_answered(program.send_form(document, **fields).get_json(), earlier)


@pytest.mark.parametrize("fields", [{"dedupe": "true"}, {"formats": "pdf"}, {"preprocess": "auto"}, {"pages": ""}])
def test_same_document_with_options_that_come_to_the_same_is_answered(
    program: Program, earlier: str, document: bytes, fields: dict[str, Any]
) -> None:
    assert is_answered(program.send_form(document, **fields).get_json(), earlier)


def test_password_of_the_earlier_job_has_to_be_the_same(program: Program, reader: HandWorker, document: bytes) -> None:
    earlier = program.send_form(document, password="sesame").get_json()["uuid"]
    read_all(reader)
    for password, expected in (("sesame", True), ("Sesame", False), ("", False)):
        assert is_answered(program.send_form(document, password=password).get_json(), earlier) is expected


@pytest.mark.parametrize("dedupe", ["no", "True", "1"])
def test_value_of_dedupe_that_is_neither_true_nor_false_is_refused(program: Program, folder: Path, dedupe: str) -> None:
    assert "dedupe" in problem(program.send_form(dedupe=dedupe), 422, "option_invalid")["detail"]
    assert "dedupe" in problem(program.post(f"{JOBS}?dedupe={dedupe}", data=PDF), 422, "option_invalid")["detail"]
    posted = program.post(f"{JOBS}?dedupe=true", data={"document": (io.BytesIO(PDF), "a.pdf"), "dedupe": dedupe})
    assert "dedupe" in problem(posted, 422, "option_invalid")["detail"]
    assert left_behind(folder) == []


def test_form_and_raw_body_are_the_same_document(program: Program, earlier: str, document: bytes) -> None:
    assert is_answered(program.post(f"{JOBS}?filename=raw.tif", data=document).get_json(), earlier)
    assert not is_answered(program.post(f"{JOBS}?dedupe=false", data=document).get_json(), earlier)
    form = {"document": (io.BytesIO(document), "a.tif"), "dedupe": "false"}
    assert not is_answered(program.post(f"{JOBS}?dedupe=true", data=form).get_json(), earlier)
    assert not is_answered(program.send_form(document + b" ").get_json(), earlier)


def test_document_larger_than_a_chunk_has_one_digest_however_it_is_sent(
    make_app: MakeApp, reader: HandWorker, document: bytes
) -> None:
    app = make_app()
    program = Program(app, add_user(app, "cid").token)
    large = document + bytes(300_000)
    earlier = program.submit(large, "large.tif")
    read_all(reader)
    assert is_answered(program.post(JOBS, data=large).get_json(), earlier)


def test_document_of_somebody_else_is_read(other_program: Program, earlier: str, document: bytes) -> None:
    assert not is_answered(other_program.send_form(document).get_json(), earlier)


def test_document_that_is_still_being_read_answers_nothing(
    program: Program, reader: HandWorker, document: bytes
) -> None:
    waiting = program.submit(document)
    assert not is_answered(program.send_form(document).get_json(), waiting)
    reader.claim()
    assert not is_answered(program.send_form(document).get_json(), waiting)


def test_result_that_lacks_a_page_answers_nothing(program: Program, reader: HandWorker, document: bytes) -> None:
    earlier = program.submit(document)
    claim = reader.claim(page_count=2)
    reader.read_page(claim, 1)
    reader.read_page(claim, 2, PageTimeout("Page 2 took too long."))
    reader.finish(claim)
    assert not is_answered(program.send_form(document).get_json(), earlier)


def test_result_of_another_version_answers_nothing(
    program: Program, earlier: str, reader: HandWorker, document: bytes
) -> None:
    reader.result_version = "hand 2"
    reader.report("eng")
    assert not is_answered(program.send_form(document).get_json(), earlier)


def test_result_answers_nothing_where_no_worker_tells_its_version(
    program: Program, earlier: str, reader: HandWorker, document: bytes
) -> None:
    reader.result_version = None
    reader.report("eng")
    assert not is_answered(program.send_form(document).get_json(), earlier)


def test_answer_may_answer_in_turn_and_keeps_the_time_of_the_reading(
    program: Program, earlier: str, document: bytes, browser: Browser
) -> None:
    second = program.send_form(document).get_json()["uuid"]
    created = program.get(f"{JOBS}/{earlier}").get_json()["created"]
    program.delete(f"{JOBS}/{earlier}")
    third = program.send_form(document).get_json()
    assert is_answered(third, second)
    assert created[:19] in browser.get(f"/jobs/{third['uuid']}").text


def test_full_queue_refuses_no_document_that_is_answered(
    make_app: MakeApp, reader: HandWorker, document: bytes
) -> None:
    app = make_app(RECTO_QUEUE_MAX_UNFINISHED_PER_USER="1")
    program = Program(app, add_user(app, "cid").token)
    earlier = program.submit(document)
    read_all(reader)
    program.submit(PDF)
    problem(program.send_form(document, dedupe="false"), 429, "user_queue_full")
    assert is_answered(program.send_form(document).get_json(), earlier)


@pytest.mark.parametrize(
    ("step", "is_after"), [("contents", False), ("copy", False), ("copy", True)], ids=["listing", "copying", "commit"]
)
def test_source_that_is_deleted_before_a_step_has_the_document_read(
    program: Program,
    earlier: str,
    document: bytes,
    reader: HandWorker,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    is_after: bool,
) -> None:
    original = getattr(VolumeStorage, step)
    (user_id,) = user_ids(reader)

    def step_and_delete(storage: VolumeStorage, *values: Any) -> Any:
        outcome = original(storage, *values) if is_after else None
        monkeypatch.setattr(VolumeStorage, step, original)
        reader.delete(user_id, earlier)
        storage.delete(earlier)
        return outcome if is_after else original(storage, *values)

    monkeypatch.setattr(VolumeStorage, step, step_and_delete)
    response = program.send_form(document)
    assert response.status_code == 202
    assert not is_answered(response.get_json(), earlier)
    uuid = response.get_json()["uuid"]
    assert left_behind(folder) == [uuid]
    assert (folder / uuid / "document").read_bytes() == document


def user_ids(worker: HandWorker) -> set[int]:
    with worker.engine.connect() as connection:
        return set(connection.exec_driver_sql("SELECT user_id FROM job").scalars())


@pytest.mark.parametrize("lost", ["result.txt", "pages/0002.json"])
def test_source_that_has_lost_a_file_has_the_document_read(
    program: Program, earlier: str, document: bytes, folder: Path, lost: str
) -> None:
    next(folder.glob(f"{earlier}/attempts/*/{lost}")).unlink()
    assert not is_answered(program.send_form(document).get_json(), earlier)


def test_files_of_an_answer_take_no_room_of_their_own(
    program: Program, earlier: str, document: bytes, folder: Path
) -> None:
    later = program.send_form(document).get_json()["uuid"]
    shared = ["document", "result.txt", "0001.json", "0002.json", "0001.original.png"]
    for name in shared:
        one, other = (next((folder / uuid).rglob(name)) for uuid in (earlier, later))
        assert one.samefile(other)


def test_upload_page_says_that_the_document_was_read_before(browser: Browser, earlier: str, document: bytes) -> None:
    def upload(**fields: str) -> str:
        browser.get("/")
        browser.post("/upload", {"document": (io.BytesIO(document), "two.tif"), **fields})
        return browser.get("/").text

    assert "two.tif was read before" in upload()
    assert "two.tif is in the queue" in upload(dedupe="false")


def test_page_of_an_answered_job_says_from_where_and_when(
    browser: Browser, program: Program, earlier: str, document: bytes
) -> None:
    later = program.send_form(document).get_json()["uuid"]
    page = browser.get(f"/jobs/{later}").text
    assert re.search(rf'Answered from <a href="/jobs/{earlier}">the same document</a> as you sent it on', page)
    assert "Answered from" not in browser.get(f"/jobs/{earlier}").text
    program.delete(f"{JOBS}/{earlier}")
    page = browser.get(f"/jobs/{later}").text
    assert "Answered from the same document, since deleted," in page
    assert earlier not in page


def test_read_again_makes_another_job_that_is_read_with_the_same_options(
    browser: Browser, program: Program, reader: HandWorker, earlier: str, document: bytes, folder: Path
) -> None:
    later = program.send_form(document).get_json()["uuid"]
    browser.get(f"/jobs/{later}")
    response = browser.post(f"/jobs/{later}/read-again")
    assert response.status_code == 302
    uuid = response.headers["Location"].rpartition("/")[2]
    job = program.get(f"{JOBS}/{uuid}").get_json()
    assert (job["status"], job["deduplicated_from"]) == ("QUEUED", None)
    assert (job["file_name"], job["options"]) == ("scan.pdf", program.get(f"{JOBS}/{later}").get_json()["options"])
    for other in (earlier, later):
        program.delete(f"{JOBS}/{other}")
    assert (folder / uuid / "document").read_bytes() == document
    read_all(reader)
    assert is_answered(program.send_form(document).get_json(), uuid)


def test_read_again_of_somebody_elses_job_is_not_found(
    app: Flask, earlier: str, other_program: Program, folder: Path
) -> None:
    problem(other_program.post(f"/jobs/{earlier}/read-again"), 404, "job_not_found")
    assert left_behind(folder) == [earlier]


def test_read_again_of_a_job_whose_document_is_lost_leaves_nothing(
    program: Program, earlier: str, folder: Path
) -> None:
    (folder / earlier / "document").unlink()
    problem(program.post(f"/jobs/{earlier}/read-again"), 404, "file_not_found")
    assert left_behind(folder) == [earlier]
