"""The queries about jobs seek what they want by an index, however many jobs have ended."""

import pytest

from tests.conftest import JobTable
from tests.job_queries import ACTIONS
from tests.query_costs import add_a_thousand_ended_jobs, instructions_of, plans_of

pytestmark = pytest.mark.each_database


@pytest.mark.sqlite_alone
@pytest.mark.parametrize("name", ACTIONS)
def test_query_plan_of_an_operation_scans_no_whole_table(table: JobTable, ann: int, name: str) -> None:
    table.submit(ann)
    plans = plans_of(table.engine, lambda: ACTIONS[name](table, ann))
    steps = [step for plan in plans.values() for step in plan]
    assert any(step.startswith(("SEARCH job", "SCAN job USING", "SCAN job_deletion USING")) for step in steps)
    whole = [step for step in steps if step.startswith("SCAN") and "job" in step and "INDEX job_" not in step]
    assert whole == []


@pytest.mark.sqlite_alone
def test_look_for_work_asks_one_question_by_the_index_where_nothing_is_queued(table: JobTable, ann: int) -> None:
    table.submit(ann)
    table.claim()
    plans = plans_of(table.engine, lambda: table.read(table.jobs.has_claimable))
    (steps,) = plans.values()
    (step,) = steps
    assert step.startswith("SCAN job USING")
    assert "INDEX job_queued" in step


@pytest.mark.sqlite_alone
@pytest.mark.parametrize("name", ["claim", "has_claimable", "submit"])
def test_query_plan_of_a_claim_or_an_upload_reads_the_partial_indices(table: JobTable, ann: int, name: str) -> None:
    table.submit(ann)
    plans = plans_of(table.engine, lambda: ACTIONS[name](table, ann))
    steps = "\n".join(step for plan in plans.values() for step in plan)
    assert "INDEX job_queued (user_id=?" in steps
    assert "INDEX job_in_progress (user_id=?" in steps


@pytest.mark.sqlite_alone
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("list", {"SEARCH job USING INDEX job_of_user (user_id=? AND (created_us,uuid)<(?,?))"}),
        (
            "list by tags",
            {
                "SEARCH job_tag USING COVERING INDEX job_tag_of_user (user_id=? AND tag=? AND created_us>? AND (created_us,job_uuid)<(?,?))",
                "SEARCH job USING INDEX sqlite_autoindex_job_1 (uuid=?)",
                "CORRELATED SCALAR SUBQUERY 1",
                "SEARCH job_tag_1 USING COVERING INDEX sqlite_autoindex_job_tag_1 (job_uuid=? AND tag=?)",
            },
        ),
        ("list by time", {"SEARCH job USING INDEX job_of_user (user_id=? AND created_us>? AND created_us<?)"}),
        (
            "list of the ended",
            {
                "SEARCH job USING INDEX job_finished (user_id=? AND created_us>? AND (created_us,uuid)<(?,?))",
                "SEARCH job USING INDEX job_failed (user_id=? AND created_us>? AND (created_us,uuid)<(?,?))",
            },
        ),
        (
            "list of the others",
            {
                "SEARCH job USING INDEX job_queued (user_id=? AND created_us>? AND (created_us,uuid)<(?,?))",
                "SEARCH job USING INDEX job_in_progress (user_id=? AND lease_expires_us>?)",  # as few as the work in hand
                "USE TEMP B-TREE FOR ORDER BY",
            },
        ),
    ],
)
def test_query_plan_of_a_list_seeks_its_place(table: JobTable, ann: int, name: str, expected: set[str]) -> None:
    table.submit(ann)
    plans = plans_of(table.engine, lambda: ACTIONS[name](table, ann))
    assert {step for plan in plans.values() for step in plan} == expected


@pytest.mark.sqlite_alone
def test_claim_counts_as_many_rows_with_a_thousand_ended_jobs_behind_it(table: JobTable, ann: int) -> None:
    """SQLite's own count of instructions stays the same, so the cost does not grow with the history."""
    table.submit(ann)

    before = instructions_of(table.engine, table.jobs.has_claimable)
    add_a_thousand_ended_jobs(table, ann)
    assert instructions_of(table.engine, table.jobs.has_claimable) == before
