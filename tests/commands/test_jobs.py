import json

import pytest
from sqlalchemy import text

from models import JobDeletion, JobStatus
from recto.errors import PageDamaged
from recto.file_storage.base import DOCUMENT, checkpoint_name
from recto.file_storage.volume import VolumeStorage
from recto.ocr.writers.json import page_to_json
from recto.search import find_documents
from recto.text_search.words import parse_query
from tests.conftest import CommandLine, JobTable
from tests.ocr.writers.made_pages import block, lines, page

NOBODYS = "0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"


def test_jobs_list_is_a_table_or_json(command_line: CommandLine, table: JobTable, ann: int, bob: int) -> None:
    first, second = table.submit(ann), table.submit(bob)
    table.do(table.jobs.cancel, ann, first)
    shown = command_line("jobs", "list")
    assert shown.status == 0
    assert all(word in shown.out for word in (first, second, "FAILURE", "cancelled", "letter.pdf"))
    rows = json.loads(command_line("jobs", "list", "--status", "QUEUED", "--user", "bob", "--json").out)
    assert [row["uuid"] for row in rows] == [second]
    assert len(json.loads(command_line("jobs", "list", "--limit", "1", "--json").out)) == 1


def test_jobs_list_without_jobs_says_so(command_line: CommandLine) -> None:
    assert command_line("jobs", "list").out == "There are no such jobs.\n"


def test_jobs_show_has_the_log_and_the_warnings(command_line: CommandLine, table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    table.do(table.jobs.adopt_page, lease, 2, PageDamaged("Page 2 is damaged."))
    table.do(table.jobs.finish, lease)
    shown = json.loads(command_line("jobs", "show", uuid).out)
    assert (shown["uuid"], shown["status"], shown["options"]["languages"]) == (uuid, "FINISHED", "eng")
    assert [entry["status"] for entry in shown["transitions"]] == ["QUEUED", "IN_PROGRESS", "FINISHED"]
    assert shown["warnings"] == [{"page": 2, "code": "page_damaged", "detail": "Page 2 is damaged."}]


@pytest.mark.parametrize("command", ["show", "cancel", "delete"])
def test_jobs_command_for_no_job_says_so(command_line: CommandLine, command: str) -> None:
    done = command_line("jobs", command, NOBODYS)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: There is no such job")
    assert command_line("jobs", command, "not-a-uuid").status == 2


def test_jobs_cancel_ends_a_job_once(command_line: CommandLine, table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    assert command_line("jobs", "cancel", uuid).out == f"Job {uuid} is stopped.\n"
    assert table.job(uuid).reason_code == "cancelled"
    assert command_line("jobs", "cancel", uuid).out == f"Job {uuid} had ended before: {JobStatus.FAILURE}.\n"


def test_jobs_delete_removes_row_and_folder(command_line: CommandLine, table: JobTable, ann: int) -> None:
    uuid, storage = table.submit(ann), VolumeStorage(command_line.folder)
    incoming = storage.incoming()
    incoming.file.write(b"scan")
    incoming.keep(uuid, DOCUMENT)
    assert command_line("jobs", "delete", uuid).out == f"Job {uuid} is deleted.\n"
    assert table.row(uuid) is None
    assert list(storage.folders()) == []
    with table.sessions() as session:
        assert session.get_one(JobDeletion, uuid).files_removed


def test_jobs_index_indexes_what_waits(command_line: CommandLine, table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease, storage = table.claim().lease, VolumeStorage(command_line.folder)
    incoming = storage.incoming()
    incoming.file.write(b"scan")
    incoming.keep(uuid, DOCUMENT)
    with storage.write(uuid, checkpoint_name(lease.token, 1)) as file:
        file.write(page_to_json(page(block(*lines("a goat")))))
    table.do(table.jobs.adopt_page, lease, 1)
    table.do(table.jobs.finish, lease)
    assert command_line("jobs", "index").out == "Indexed 1 page.\n"
    assert command_line("jobs", "index").out == "Indexed 0 pages.\n"
    with table.engine.begin() as connection:
        connection.execute(text("UPDATE page_text SET text = 'something else'"))
    assert command_line("jobs", "index", "--anew").out == "Indexed 1 page.\n"
    (document,) = table.read(find_documents, ann, parse_query("goat"), 9)
    assert document.job.uuid == uuid


def test_deleted_job_is_proven_to_be_gone_and_one_that_lives_is_not(
    command_line: CommandLine, table: JobTable, ann: int
) -> None:
    uuid = table.submit(ann)
    lives = command_line("jobs", "deleted", uuid)
    assert lives.status == 1
    assert json.loads(lives.out)["rows_left"]["job"] == 1
    command_line("jobs", "delete", uuid)
    gone = command_line("jobs", "deleted", uuid)
    assert gone.status == 0, gone.out
    proof = json.loads(gone.out)
    assert (proof["by"], proof["files_removed"], proof["rows_left"], proof["files_left"]) == (
        "(command line)",
        True,
        {},
        [],
    )


def test_job_that_never_was_has_no_proof(command_line: CommandLine) -> None:
    assert command_line("jobs", "deleted", "0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77").status == 1


def test_file_that_is_left_of_a_deleted_job_is_named(command_line: CommandLine, table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    command_line("jobs", "delete", uuid)
    (command_line.folder / uuid).mkdir()
    (command_line.folder / uuid / "document").write_bytes(b"left")
    proof = command_line("jobs", "deleted", uuid)
    assert (proof.status, json.loads(proof.out)["files_left"]) == (1, ["document"])
