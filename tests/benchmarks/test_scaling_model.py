"""The calculation of benchmarks/scaling_model.py: its bounds hold for any figures, and examples come out as by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scaling_model import (
    COUNTER,
    DATABASE,
    JOB_OPERATIONS,
    PARTS,
    Measured,
    PageCosts,
    Prices,
    Site,
    StoreTraffic,
    carried,
    cost_a_million,
    held_s_a_page,
    nodes_until,
    pages_a_second,
    wanted,
)
from tests.benchmarks.scaling_example import EXAMPLE, operation

SECONDS = st.floats(0.001, 20.0)
SMALL = st.floats(0.0, 2.0)
COSTS = st.builds(PageCosts, reading_s=SECONDS, loop_s=SMALL, database_s=SMALL, pause_s=SMALL)
CORES = st.floats(0.1, 64.0)
PROCESSES = st.integers(1, 64)


MEASURED = st.builds(
    Measured,
    page=COSTS,
    operations=st.fixed_dictionaries(
        {
            name: st.builds(operation, st.integers(0, 8), SMALL)
            for name in ("page", "submit", "look", "claim", "opened", "finish", "held", "beat")
        }
    ),
    told_server_ms=SMALL,
    told_client_ms=SMALL,
    task_scheduler_ms=SMALL,
    task_client_ms=SMALL,
    store=st.builds(StoreTraffic, SMALL, SMALL, SMALL, SMALL, SMALL, st.floats(0, 1e7), st.floats(0, 1e7)),
)
NODES = st.integers(1, 2000)


@given(COSTS, PROCESSES, CORES)
def test_pages_a_second_never_exceed_what_processes_and_cores_allow(
    costs: PageCosts, processes: int, cores: float
) -> None:
    rate = pages_a_second(costs, processes, cores)
    assert 0 < rate <= processes / (costs.pause_s + costs.reading_s) * (1 + 1e-9)
    assert rate * costs.cpu_s <= cores * (1 + 1e-9)


@given(COSTS, PROCESSES, CORES)
def test_pages_a_second_with_one_more_process_or_core_are_not_fewer(
    costs: PageCosts, processes: int, cores: float
) -> None:
    rate = pages_a_second(costs, processes, cores)
    assert pages_a_second(costs, processes + 1, cores) >= rate * (1 - 1e-9)
    assert pages_a_second(costs, processes, cores + 1) >= rate * (1 - 1e-9)


@given(COSTS, PROCESSES)
def test_pages_a_second_with_cores_for_all_are_those_of_processes_alone(costs: PageCosts, processes: int) -> None:
    cores = processes + processes / (costs.pause_s + costs.reading_s) * costs.aside_s
    expected = processes / (costs.pause_s + costs.reading_s)
    assert pages_a_second(costs, processes, cores) == pytest.approx(expected)


def test_pages_a_second_of_two_processes_on_two_cores_leave_room_for_what_stands_aside() -> None:
    assert pages_a_second(PageCosts(0.9, 0.08, 0.02, 0.0), 2, 2.0) == pytest.approx(2.0)
    assert pages_a_second(PageCosts(0.9, 0.08, 0.02, 0.0), 1, 2.0) == pytest.approx(1 / 0.9)
    assert pages_a_second(PageCosts(0.9, 0.0, 0.0, 0.1), 1, 1.0) == pytest.approx(1.0)


def test_pages_a_second_are_fewer_by_what_workers_use_while_they_wait() -> None:
    costs = PageCosts(1.0, 0.0, 0.0, 0.0, idle_cores=0.1)
    assert pages_a_second(costs, 2, 2.0, workers=2) == pytest.approx(1.8)
    assert pages_a_second(costs, 2, 0.1, workers=2) == 0


@given(MEASURED, NODES, st.booleans())
def test_carried_load_is_within_what_every_part_can_and_no_more_than_wanted(
    measured: Measured, nodes: int, is_dispatched: bool
) -> None:
    site = Site(database_cores=10_000)  # renewing leases alone may be more than a few cores can
    load = carried(measured, site, nodes, dispatched=is_dispatched)
    assert all(load.shares[part] <= 1 for part in PARTS)
    assert 0 <= load.rate <= wanted(measured, site, nodes, dispatched=is_dispatched).rate * (1 + 1e-9)
    assert load.nodes == nodes


@given(MEASURED, NODES, st.booleans())
def test_carried_load_where_all_parts_have_room_is_the_wanted_one(
    measured: Measured, nodes: int, is_dispatched: bool
) -> None:
    load = wanted(measured, Site(), nodes, dispatched=is_dispatched)
    if all(share <= 1 for share in load.shares.values()):
        assert carried(measured, Site(), nodes, dispatched=is_dispatched) == load


@given(st.sampled_from(PARTS), st.booleans())
def test_part_is_full_with_the_number_of_nodes_that_is_said_and_not_with_one_fewer(
    part: str, is_dispatched: bool
) -> None:
    nodes = nodes_until(EXAMPLE, Site(), part, dispatched=is_dispatched)
    if nodes is None:
        assert wanted(EXAMPLE, Site(), 100_000, dispatched=is_dispatched).shares[part] < 1
        return
    assert wanted(EXAMPLE, Site(), nodes, dispatched=is_dispatched).shares[part] >= 1
    assert nodes == 1 or wanted(EXAMPLE, Site(), nodes - 1, dispatched=is_dispatched).shares[part] < 1


def test_change_counter_is_held_for_steps_and_disk_of_a_page_and_of_its_share_of_the_document() -> None:
    site = Site(pages_a_document=10, step_ms=0.5, disk_ms=1.0)
    assert held_s_a_page(EXAMPLE, site) == pytest.approx(0.002 + 4 * 0.002 / 10)
    load = wanted(EXAMPLE, site, 10, dispatched=True)
    assert load.shares[COUNTER] == pytest.approx(load.rate * 0.0028)
    assert load.changes == pytest.approx(load.rate * 1.4)


def test_telling_costs_the_database_more_with_each_worker_and_hardly_with_dispatchers() -> None:
    site = Site(database_cores=10_000, database_connections=100_000)
    ten, hundred = (wanted(EXAMPLE, site, nodes, dispatched=False) for nodes in (10, 100))
    assert hundred.shares[DATABASE] / ten.shares[DATABASE] > 30  # a hundred times the messages, ten times the rest
    dispatched = wanted(EXAMPLE, site, 100, dispatched=True)
    assert dispatched.listeners < hundred.listeners
    assert dispatched.shares[DATABASE] < hundred.shares[DATABASE]


def test_dispatchers_are_as_many_as_the_transactions_and_tasks_of_their_pages_take() -> None:
    load = wanted(EXAMPLE, Site(), 100, dispatched=True)
    a_page_s = 0.003 + 4 * 0.003 / 10 + 2 * 0.003 + 1.2 * 0.001
    assert load.dispatchers - 1 < load.rate * a_page_s / 0.7 <= load.dispatchers


def test_workers_without_a_connection_are_left_out() -> None:
    site = Site(database_connections=80, connections_a_worker=4)
    free = replace(site, database_connections=100_000)
    assert carried(EXAMPLE, site, 100, dispatched=False).rate == pytest.approx(
        carried(EXAMPLE, free, 20, dispatched=False).rate
    )


def test_cost_of_a_million_pages_is_that_of_cores_hours_requests_and_bytes() -> None:
    load = wanted(EXAMPLE, Site(database_cores=4), 1, dispatched=False)
    cost = cost_a_million(load, EXAMPLE, Site(database_cores=4), Prices(1.0, 1.0, 1.0, 1.0))
    assert cost["nodes"] == pytest.approx(8 * 1_000_000 / load.rate / 3600)
    assert cost["around"] == pytest.approx(cost["nodes"] / 2)
    assert cost["requests"] == pytest.approx(1000 * (1.0 + 4.0 / 10 + 5.0 + 8 * 0.1 + 10.0 / 10))
    assert cost["kept a month"] == pytest.approx(1200)


def test_jobs_operations_are_those_of_one_document() -> None:
    assert set(JOB_OPERATIONS) <= set(EXAMPLE.operations)
