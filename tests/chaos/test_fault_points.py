"""No promise is broken at any fault point of any operation: `python -m tests.chaos.fault_points` prints the table."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.chaos.fault_points import count_steps, fault_points
from tests.chaos.faults import Fault
from tests.chaos.operations import OPERATIONS, Operation
from tests.chaos.world import Template
from tests.web.quick_applications import make_quickly

OPERATION_OF_NAME = {operation.name: operation for operation in OPERATIONS}
IN_SHORT = frozenset({"submit", "finish", "delete"})
CRASHED_IN_SHORT = IN_SHORT | {"claim", "open", "page", "fail", "hand back", "expire", "derive"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    with pytest.MonkeyPatch.context() as patch:
        make_quickly(patch)
        yield Template(tmp_path_factory.mktemp("template"))


def cases() -> Iterator[ParameterSet]:
    """Each operation with each fault. What a job's life is made of is crashed at every step every time, and has the other faults at three
    operations; the rest takes minutes.
    """
    for operation, fault in product(OPERATIONS, Fault):
        is_short = operation.name in (CRASHED_IN_SHORT if fault in (Fault.CRASH, Fault.PAGE_CRASH) else IN_SHORT)
        name = f"{operation.name.replace(' ', '-')}-{fault.name}"
        yield pytest.param(operation, fault, id=name, marks=() if is_short else pytest.mark.long)


@pytest.mark.parametrize(("operation", "fault"), list(cases()))
def test_fault_at_any_step_of_an_operation_breaks_no_promise(
    template: Template, tmp_path: Path, operation: Operation, fault: Fault
) -> None:
    points = list(fault_points(operation, fault, template, tmp_path / "worlds"))
    assert [(point.number, point.label, point.broken) for point in points if point.broken] == []
    assert points or fault is Fault.PAGE_CRASH


def labels(template: Template, folder: Path, name: str) -> list[str]:
    return [step.label for step in count_steps(OPERATION_OF_NAME[name], template, folder / "world")]


def test_steps_of_a_submission_are_the_document_its_metadata_and_one_commit_in_this_order(
    template: Template, tmp_path: Path
) -> None:
    steps = labels(template, tmp_path, "submit")
    in_order = [
        "create .incoming/upload-…",
        "write",
        "flush file",
        "make folder <job>",
        "rename to <job>/document",
        "flush folder",
        "rename to <job>/metadata.json",
        "flush folder",
        "BEGIN IMMEDIATE",
        "INSERT INTO job",
        "INSERT INTO job_status_transition",
        "COMMIT",
    ]
    remaining = iter(steps)
    assert [label for label in in_order if label not in remaining] == []
    assert steps[-2:] == ["COMMIT", "remove .incoming/upload-…"]


def test_steps_of_a_page_are_its_checkpoint_and_one_commit_in_this_order(template: Template, tmp_path: Path) -> None:
    steps = labels(template, tmp_path, "page")
    in_order = ["write", "flush file", "rename to", "flush folder", "BEGIN IMMEDIATE", "INSERT INTO job_page", "COMMIT"]
    remaining = iter(steps)
    assert [start for start in in_order if not any(label.startswith(start) for label in remaining)] == []


def test_point_after_the_commit_of_an_unanswered_submission_leaves_a_job_that_ends(
    template: Template, tmp_path: Path
) -> None:
    *_, last = fault_points(OPERATION_OF_NAME["submit"], Fault.CRASH, template, tmp_path / "worlds")
    assert (last.label, last.answer, last.broken) == ("after the last step", None, "")
    assert last.survivors.outcome == "FINISHED, attempt 1"


def test_refused_submission_leaves_nothing_once_the_disk_can_be_written_again(
    template: Template, tmp_path: Path
) -> None:
    points = list(fault_points(OPERATION_OF_NAME["submit"], Fault.LOCKED, template, tmp_path / "worlds"))
    assert {point.answer for point in points} == {503}
    assert {point.survivors.outcome for point in points} == {"never accepted"}
    assert {point.survivors.left for point in points} == {()}


def test_steps_of_a_submission_that_is_answered_are_its_links_and_one_commit_in_this_order(
    template: Template, tmp_path: Path
) -> None:
    steps = labels(template, tmp_path, "submit again")
    in_order = [
        "create .incoming/upload-…",
        "make folder <job>",
        "link to <job>/document",
        "link to <job>/attempts/<token>/pages/0001.json",
        "link to <job>/attempts/<token>/result.txt",
        "flush folder",
        "rename to <job>/metadata.json",
        "BEGIN IMMEDIATE",
        "INSERT INTO job",
        "INSERT INTO job_page",
        "COMMIT",
        "remove .incoming/upload-…",
    ]
    remaining = iter(steps)
    assert [label for label in in_order if label not in remaining] == []
    assert steps.count("COMMIT") == 1 + steps.count("BEGIN DEFERRED")
    assert not any(label.startswith("rename to <job>/document") for label in steps)


@pytest.mark.long
def test_point_before_the_commit_of_an_answer_leaves_the_earlier_job_and_files_for_the_sweeper(
    template: Template, tmp_path: Path
) -> None:
    points = list(fault_points(OPERATION_OF_NAME["submit again"], Fault.CRASH, template, tmp_path / "worlds"))
    outcomes = [point.survivors.outcome for point in points]
    assert set(outcomes) == {"never accepted", "FINISHED, attempt 1"}
    committed = outcomes.index("FINISHED, attempt 1")
    assert "folder without a row" in points[committed - 1].survivors.left
    assert not any("folder without a row" in point.survivors.left for point in points[committed:])
