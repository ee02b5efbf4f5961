"""The fuzz run itself, on few files and on hundreds; faults are found, counted and can be had again."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from recto.errors import RectoError
from tests.fuzz import page_process, run
from tests.fuzz.cases import Case
from tests.fuzz.originals import drawn
from tests.fuzz.page_process import Outcome, PageProcesses
from tests.fuzz.table import lines, rows

MIB = 1 << 20


@pytest.fixture(scope="module")
def processes() -> Iterator[PageProcesses]:
    with run.page_processes() as processes:
        yield processes


def case_of(content: bytes) -> Case:
    return Case(0, "made", "none", content)


def test_whole_document_is_read_and_leaves_nothing(processes: PageProcesses) -> None:
    outcome = processes.judge(case_of(drawn()["drawn-scan.pdf"]))
    assert (outcome.code, outcome.fault) == ("read", None)
    assert outcome.took_s > 0
    assert 10 * MIB < outcome.peak_bytes < 1000 * MIB
    assert processes.left_behind() == []


def test_what_is_no_document_is_refused_without_a_process(processes: PageProcesses) -> None:
    assert processes.judge(case_of(b"plain words")) == Outcome("refused")


def test_damaged_document_ends_in_a_code_of_ours(processes: PageProcesses) -> None:
    assert processes.judge(case_of(drawn()["drawn.png"][:300])).code == "page_damaged"


def test_error_of_nobody_is_a_fault(processes: PageProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_process, "inspect_document", fail_as_nobody_does)
    outcome = processes.judge(case_of(drawn()["drawn.png"]))
    assert outcome.code == "KeyError"
    assert "KeyError: 'of nobody'" in (outcome.fault or "")


def test_error_of_the_service_is_a_fault(processes: PageProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_process, "inspect_document", fail_inside)
    assert "Inside." in (processes.judge(case_of(drawn()["drawn.png"])).fault or "")


def test_process_above_its_cap_is_a_fault(processes: PageProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_cap_bytes", MIB)
    assert "its cap is 1048576" in (processes.judge(case_of(drawn()["drawn.png"])).fault or "")


def fail_as_nobody_does(uuid: str) -> None:
    raise KeyError("of nobody")


def fail_inside(uuid: str) -> None:
    raise RectoError("Inside.")


def test_table_counts_each_kind_and_all() -> None:
    outcomes = [
        ("b", Outcome("read", 1.25, 3 * MIB)),
        ("a", Outcome("refused")),
        ("b", Outcome("page_damaged", 2, MIB)),
    ]
    assert list(lines(rows(outcomes)))[2:] == [
        "| a | 1 | 0 | refused 1 | 0.00 | 0 |",
        "| b | 2 | 2 | read 1, page_damaged 1 | 2.00 | 3 |",
        "| all | 3 | 2 | read 1, refused 1, page_damaged 1 | 2.00 | 3 |",
    ]


def test_command_with_a_fault_says_how_to_have_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PageProcesses, "judge", lambda self, case: Outcome("KeyError", fault="KeyError: x"))
    ended = CliRunner().invoke(run.main, ["--files", "2", "--seed", "9"])
    assert ended.exit_code == 1
    assert "Again: python -m tests.fuzz.run --seed 9 --only 1" in ended.output


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_hundreds_of_damaged_documents_end_in_codes_of_ours(seed: int) -> None:
    found = run.fuzz(seed, range(250), drawn())
    assert found.faults == []
