"""What benchmarks/scaling.py makes of what it has measured: figures from counts, tables, a file and back."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from benchmarks.scaling import POSTGRESQL, SQLITE, Report, as_json, assumed, from_json, tables
from benchmarks.scaling_costs import Bench, Request, held_steps, traffic_of
from benchmarks.scaling_model import PARTS, PageCosts, Prices, Site
from benchmarks.scaling_runs import Run, steady_rate
from benchmarks.scaling_tables import error_percent, write_curves
from models import Job, JobStatus
from tests.benchmarks.scaling_example import EXAMPLE
from tests.conftest import JobTable

COSTS = PageCosts(1.0, 0.05, 0.02, 0.01, 0.02)
REPORT = Report(
    tuple(
        Run(name, workers, processes, 48, rate, 1.9, COSTS, 1.5)
        for name in (POSTGRESQL, SQLITE)
        for workers, processes, rate in ((1, 1, 0.99), (1, 2, 1.75), (2, 1, 1.7))
    ),
    {name: dict(EXAMPLE.operations) for name in (SQLITE, POSTGRESQL)},
    EXAMPLE,
)


def test_steady_rate_leaves_out_the_first_end_and_those_after_a_process_had_nothing_left() -> None:
    assert steady_rate([10.0, 12.0, 14.0], 1) == pytest.approx(0.5)
    assert steady_rate([10.0, 11.0, 12.0, 13.0, 100.0], 2) == pytest.approx(1.0)


def test_error_is_positive_where_too_much_was_predicted() -> None:
    assert error_percent(1.1, 1.0) == pytest.approx(10.0)
    assert error_percent(0.5, 1.0) == pytest.approx(-50.0)


def test_steps_with_the_counter_are_counted_from_its_statement_to_the_commit() -> None:
    assert held_steps(["SELECT 1", "UPDATE change_counter SET value = 1"]) == 2
    assert held_steps(["WITH number AS (UPDATE change_counter SET …) …", "INSERT …"]) == 3
    assert held_steps(["SELECT value FROM change_counter", "UPDATE worker SET …"]) == 0


def test_requests_are_told_apart_by_document_page_and_fetch() -> None:
    document, page = "documents/uuid/document", "documents/uuid/attempts/token/pages/0001.json"
    opening = [Request("PutObject", document), Request("GetObject", document), Request("ListObjectsV2")]
    reading = [Request("HeadObject", document), Request("PutObject", page)]
    writing = [Request("GetObject", page), Request("HeadObject", document), Request("PutObject", "documents/uuid/x")]
    found = traffic_of((opening, reading, [*writing, Request("DeleteObject", "part")]), 1, 1000, 100)
    assert (found.puts_a_page, found.gets_a_page, found.gets_a_page_fetched) == (1, 2, 1)
    assert (found.puts_a_document, found.gets_a_document) == (3, 1)
    assert (found.document_bytes_a_page, found.written_bytes_a_page) == (1000, 100)


def test_bench_leads_jobs_through_their_life_and_counts_statements(table: JobTable) -> None:
    bench = Bench(table.engine.url.render_as_string(hide_password=False))
    found = bench.measure(2)
    bench.engine.dispose()
    assert set(found) == set(EXAMPLE.operations)
    assert all(each.statements > 0 and each.took_ms > 0 for each in found.values())
    assert {name for name, each in found.items() if each.held_steps} == {"submit", "claim", "opened", "page", "finish"}
    with Session(table.engine) as session:
        assert {job.status for job in session.query(Job)} == {JobStatus.FINISHED}


def test_report_is_the_same_after_it_was_written_and_read() -> None:
    assert from_json(as_json(REPORT, Site(), Prices())) == REPORT


def test_tables_show_every_run_part_and_way() -> None:
    shown = tables(REPORT, Site(), Prices())
    assert shown.count("2 × 1") == 2
    assert all(part in shown for part in PARTS)
    assert shown.count("`dispatch`") >= 7
    assert "1,000" in shown


def test_assumptions_and_prices_are_set_by_name_in_their_own_types() -> None:
    site, prices = assumed(["core_hour=0.05", "database_cores=16", "step_ms=1"])
    assert (prices, site) == (Prices(core_hour=0.05), replace(Site(), database_cores=16, step_ms=1.0))
    with pytest.raises(SystemExit, match="no assumption colour"):
        assumed(["colour=red"])


def test_curves_are_drawn_as_an_image(tmp_path: Path) -> None:
    write_curves(tmp_path / "curves.svg", EXAMPLE, Site())
    drawn = ElementTree.parse(tmp_path / "curves.svg").getroot()  # noqa: S314 - written a line above
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 3
