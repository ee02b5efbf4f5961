"""The figures against what happened, what they cost, and the names that dashboard, alerts and documentation give them."""

import json
import re
from pathlib import Path

import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from recto import workers
from recto.errors import PageDamaged
from recto.file_storage.base import Space
from recto.metrics import metrics_of, read_figures
from recto.records import meters
from recto.records.meters import Metered
from tests.conftest import SECOND_US, JobTable
from tests.query_costs import add_a_thousand_ended_jobs, instructions_of, plans_of

ROOT = Path(__file__).resolve().parent.parent
SPACE = Space(total_bytes=1000, free_bytes=400, refused_below_bytes=100)
DAMAGED = PageDamaged("It is damaged.")


class _Collector(Collector):
    def __init__(self, table: JobTable) -> None:
        self.metrics = list(metrics_of(table.read(read_figures), SPACE))

    def collect(self) -> list[object]:  # type: ignore[override]
        return list(self.metrics)


def scraped(table: JobTable) -> dict[str, float]:
    """Values by name with labels, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Collector(table))
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_figures_of_an_empty_database_are_zero(table: JobTable) -> None:
    values = scraped(table)
    assert (
        values["recto_queue_oldest_age_seconds"]
        == values["recto_workers_alive"]
        == values["recto_jobs_submitted_total"]
        == 0
    )
    assert values["recto_jobs status=QUEUED"] == values["recto_leases_lost_total"] == 0
    assert values["recto_database_bytes"] > 4096
    assert values["recto_stage_seconds_count stage=recognise"] == 0


def test_figures_follow_jobs_through_their_lives(table: JobTable, ann: int, bob: int) -> None:
    table.clock.now_us = now_us(table) - 90 * SECOND_US
    waiting = table.submit(ann)
    table.clock.move(30)
    for _ in range(4):
        table.submit(bob)
    claims = [table.claim() for _ in range(4)]
    assert waiting in {claim.lease.job_uuid for claim in claims}
    table.do(table.jobs.adopt_page, claims[0].lease, 1)
    table.do(table.jobs.finish, claims[0].lease)
    table.do(table.jobs.adopt_page, claims[1].lease, 1, DAMAGED)
    table.do(table.jobs.fail, claims[1].lease, DAMAGED)
    table.do(table.jobs.delete, owner(table, claims[1].lease.job_uuid), claims[1].lease.job_uuid)
    table.do(table.jobs.delete, owner(table, claims[2].lease.job_uuid), claims[2].lease.job_uuid)
    values = scraped(table)
    assert [values[f"recto_jobs status={status}"] for status in ("QUEUED", "IN_PROGRESS", "FINISHED", "FAILURE")] == [
        1,
        1,
        1,
        0,
    ]
    assert values["recto_jobs_submitted_total"] == 5
    assert values["recto_jobs_finished_total"] == 1
    assert values["recto_jobs_failed_total reason=page_damaged"] == 1
    assert values["recto_jobs_deleted_total"] == 2
    assert values["recto_pages_read_total"] == 1
    assert values["recto_pages_failed_total reason=page_damaged"] == 1
    assert 60 <= values["recto_queue_oldest_age_seconds"] < 80


def owner(table: JobTable, uuid: str) -> int:
    return table.job(uuid).user_id


def now_us(table: JobTable) -> int:
    from sqlalchemy import select

    from recto.database.connections import NowMicroseconds

    return table.read(lambda session: session.scalars(select(NowMicroseconds())).one())


def test_stages_become_a_cumulative_histogram_of_seconds(table: JobTable) -> None:
    table.do(
        meters.add_stage_times, {"recognise 0": 1, "recognise 5": 2, "recognise 11": 1}, {"recognise": 154_500_000}
    )
    values = scraped(table)
    assert values["recto_stage_seconds_bucket le=0.05 stage=recognise"] == 1
    assert values["recto_stage_seconds_bucket le=1.0 stage=recognise"] == 1
    assert values["recto_stage_seconds_bucket le=2.5 stage=recognise"] == 3
    assert values["recto_stage_seconds_bucket le=+Inf stage=recognise"] == 4
    assert values["recto_stage_seconds_sum stage=recognise"] == 154.5


def test_workers_count_while_they_are_heard_from(table: JobTable) -> None:
    table.do(workers.report, "one", "1", "double", ("eng",), 4)
    table.do(workers.report, "two", "1", "double", ("eng",), 2)
    table.do(workers.sign_off, "two")
    values = scraped(table)
    assert (values["recto_workers_alive"], values["recto_worker_processes"]) == (1, 4)


def test_room_is_that_of_the_disk_and_of_the_last_sweep(table: JobTable) -> None:
    assert "recto_storage_bytes kind=documents" not in scraped(table)  # nobody has looked yet
    table.do(meters.put, Metered.STORED_BYTES, "documents", 700)
    table.do(meters.put_time, Metered.SWEPT_US)
    values = scraped(table)
    assert values["recto_storage_bytes kind=documents"] == 700
    assert values["recto_storage_swept_timestamp_seconds"] > 1_700_000_000
    assert (values["recto_storage_free_bytes"], values["recto_storage_refused_below_bytes"]) == (400, 100)


def test_scrape_costs_the_same_however_many_jobs_have_ended(table: JobTable, engine: Engine, ann: int) -> None:
    for _ in range(3):
        table.submit(ann)
    table.claim()
    before = instructions_of(engine, read_figures)
    add_a_thousand_ended_jobs(table, ann)
    assert instructions_of(engine, read_figures) == before


def test_scrape_reads_jobs_by_their_small_indices_alone(table: JobTable, engine: Engine, ann: int) -> None:
    plans = plans_of(engine, lambda: table.read(read_figures))
    of_jobs = [step for steps in plans.values() for step in steps if " job" in step]
    assert len(of_jobs) == 2
    assert all("INDEX job_queued" in step or "INDEX job_in_progress" in step for step in of_jobs), of_jobs


def names_in_the_documentation() -> set[str]:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(recto_\w+)`", text, re.MULTILINE))


def names_that_are_there(table: JobTable) -> set[str]:
    """Of the Database, and of each Backend, as a test of those shows (tests/web/serving/test_metrics.py)."""
    for count, label in (
        (Metered.STORED_BYTES, "documents"),
        (Metered.SWEPT_US, ""),
        (Metered.BACKED_UP_US, ""),
        (Metered.JOBS_FAILED, "x"),
    ):
        table.do(meters.put, count, label, 1)
    families = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in metrics_of(table.read(read_figures), SPACE)
    }
    return families | {"recto_http_requests_total", "recto_waiters"}


def test_documentation_has_every_metric_and_no_other(table: JobTable) -> None:
    assert names_in_the_documentation() == names_that_are_there(table)


def used_in(expressions: list[str]) -> set[str]:
    names = {name for text in expressions for name in re.findall(r"\brecto_\w+", text)}
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def test_dashboard_uses_metrics_that_are_there(table: JobTable) -> None:
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "recto.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(expressions) >= 15
    assert used_in(expressions) <= names_that_are_there(table)


def test_alerts_use_metrics_that_are_there_and_say_what_to_do(table: JobTable) -> None:
    (group,) = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    assert used_in([rule["expr"] for rule in group["rules"]]) <= names_that_are_there(table)
    documented = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert all(rule["annotations"][part].endswith(".") for part in ("summary", "description"))
        assert f"| `{rule['alert']}` |" in documented
