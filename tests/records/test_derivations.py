"""Who makes a format after the job, and what is remembered of one that failed."""

from typing import Any

import pytest
from sqlalchemy import update

from models import JobDerivation
from recto.errors import JobNotFound, ResultNotMade
from recto.records import derivations
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database(long=True)

HOLD_S = 100.0
FAILED = ResultNotMade("The document is damaged.")


def begun(table: JobTable, uuid: str, token: str, result_format: Any = "pdf") -> bool:
    return table.do(derivations.begin, uuid, result_format, token, HOLD_S)


def found(table: JobTable, uuid: str) -> derivations.Derivation | None:
    return table.read(derivations.find, uuid, "pdf")


def let_pass(table: JobTable, seconds: float) -> None:
    """As if so much time had passed."""
    with table.sessions.begin() as session:
        session.execute(update(JobDerivation).values(expires_us=JobDerivation.expires_us - round(seconds * 1_000_000)))


def test_format_is_begun_by_one_alone(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    assert begun(table, uuid, "first")
    assert not begun(table, uuid, "second")
    assert found(table, uuid) == derivations.Derivation("first", None, None)
    assert begun(table, uuid, "second", "tsv")


def test_format_that_was_made_leaves_no_row(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    begun(table, uuid, "first")
    table.do(derivations.end, uuid, "pdf", "first")
    assert found(table, uuid) is None
    assert begun(table, uuid, "second")


def test_failure_is_remembered_for_a_while_and_then_tried_again(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    begun(table, uuid, "first")
    table.do(derivations.fail, uuid, "pdf", "first", FAILED)
    assert found(table, uuid) == derivations.Derivation("first", "result_not_made", "The document is damaged.")
    assert not begun(table, uuid, "second")
    let_pass(table, derivations.FAILURE_HOLDS_S + 1)
    assert found(table, uuid) is None
    assert begun(table, uuid, "second")


def test_derivation_that_is_not_renewed_is_given_up(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    begun(table, uuid, "first")
    let_pass(table, HOLD_S - 20)
    table.do(derivations.renew, uuid, "pdf", "first", HOLD_S)
    let_pass(table, HOLD_S - 20)
    assert not begun(table, uuid, "second")
    let_pass(table, 40)
    assert begun(table, uuid, "second")


def test_who_was_given_up_changes_nothing(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    begun(table, uuid, "first")
    let_pass(table, HOLD_S + 1)
    begun(table, uuid, "second")
    table.do(derivations.fail, uuid, "pdf", "first", FAILED)
    table.do(derivations.renew, uuid, "pdf", "first", HOLD_S)
    table.do(derivations.end, uuid, "pdf", "first")
    assert found(table, uuid) == derivations.Derivation("second", None, None)


def test_first_reason_of_a_failure_stays(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    begun(table, uuid, "first")
    table.do(derivations.fail, uuid, "pdf", "first", FAILED)
    table.do(derivations.fail, uuid, "pdf", "first", ResultNotMade("The process ended."))
    assert found(table, uuid) == derivations.Derivation("first", "result_not_made", "The document is damaged.")


def test_format_that_failed_with_its_job_is_remembered_too(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(derivations.failed_at_once, uuid, "pdf", "attempt", FAILED)
    assert found(table, uuid) == derivations.Derivation("attempt", "result_not_made", "The document is damaged.")


def test_format_of_a_job_that_is_gone_cannot_be_begun(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    begun(table, uuid, "first")
    table.do(table.jobs.delete, ann, uuid)
    assert found(table, uuid) is None
    with pytest.raises(JobNotFound):
        begun(table, uuid, "second")


@pytest.mark.parametrize(
    ("wanted", "name", "file"),
    [
        (derivations.ResultFile("pages.zip"), "pages.zip", "attempts/token/result.pages.zip"),
        (
            derivations.PagePicture(7, "original"),
            "page-0007-original.png",
            "attempts/token/pictures/0007.original.png",
        ),
        (
            derivations.PagePicture(123456, "preprocessed"),
            "page-123456-preprocessed.png",
            "attempts/token/pictures/123456.preprocessed.png",
        ),
    ],
)
def test_what_can_be_made_is_found_by_its_name(wanted: derivations.Derivable, name: str, file: str) -> None:
    assert (wanted.name, wanted.file_name("token")) == (name, file)
    assert derivations.parse_name(name) == wanted


@pytest.mark.parametrize("name", ["docx", "", "page-7-original.png", "page-0007-deskew.png", "page-0007-original.png/"])
def test_name_of_nothing_finds_nothing(name: str) -> None:
    assert derivations.parse_name(name) is None
