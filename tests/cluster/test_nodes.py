"""Which nodes a dispatcher uses, and how many it wants."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto import __version__
from recto.cluster.nodes import (
    OTHER_STORAGE,
    Node,
    Nodes,
    described,
    sort_nodes,
    wanted_nodes,
    why_refused,
    with_storage,
)
from recto.working.page_tasks import EngineReport

MINE = EngineReport("tesserocr 5.5.4", ("deu", "eng"), f"Recto {__version__}.1, tesserocr 5.5.4, data 0123")
OTHER = "Recto x, data 4567"


def worker(told: dict[str, Any] | None, processes: int = 2, running: int = 0) -> dict[str, Any]:
    """A worker as the scheduler tells of it."""
    node = {} if told is None else {"recto": told}
    return {"nthreads": processes, "metrics": {"executing": running}, **node}


def test_nodes_that_read_alike_are_used_with_all_their_processes() -> None:
    nodes = sort_nodes({"tcp://a:1": worker(described(MINE), 2, 1), "tcp://b:1": worker(described(MINE), 8)}, MINE)
    assert nodes.used == (Node("tcp://a:1", 2, 1), Node("tcp://b:1", 8, 0))
    assert (nodes.processes, nodes.busy, nodes.refused) == (10, 1, {})


def test_node_that_does_not_read_alike_is_not_used_and_has_its_reason() -> None:
    other = described(replace(MINE, result_version=OTHER, languages=("eng",)))
    nodes = sort_nodes({"tcp://a:1": worker(other), "tcp://b:1": worker(None)}, MINE)
    assert (nodes.used, nodes.processes) == ((), 0)
    assert set(nodes.refused) == {"tcp://a:1", "tcp://b:1"}


def test_node_with_another_file_storage_is_not_used_nor_one_that_was_not_asked_yet() -> None:
    addresses = ("tcp://a:1", "tcp://b:1", "tcp://c:1")
    nodes = sort_nodes({address: worker(described(MINE)) for address in addresses}, MINE)
    asked = with_storage(nodes, {"tcp://a:1": "", "tcp://b:1": OTHER_STORAGE})
    assert [node.address for node in asked.used] == ["tcp://a:1"]
    assert asked.refused == {"tcp://b:1": OTHER_STORAGE}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, "no node of Recto"),
        ({"version": "0.0.7"}, f"Recto 0.0.7, this dispatcher {__version__}"),
        ({"engine": "pytesseract 5.3"}, "reads by pytesseract 5.3"),
        ({"languages": ["eng"]}, "lacks the languages deu"),
        ({"languages": ["deu", "eng", "fra"]}, "this dispatcher lacks: fra"),
        ({}, "language data or its ocr.languages differ"),
    ],
)
def test_refusal_says_what_is_different(told: dict[str, Any] | None, words: str) -> None:
    reason = why_refused(None if told is None else described(MINE) | {"result_version": OTHER} | told, MINE)
    assert reason is not None
    assert words in reason


def test_node_that_reads_alike_has_no_reason() -> None:
    assert why_refused(described(MINE), MINE) is None


def of(count: int, processes: int = 2, busy: int = 0) -> Nodes:
    return Nodes(tuple(Node(f"tcp://{number}", processes, number < busy) for number in range(count)))


@pytest.mark.parametrize(
    ("pages", "nodes", "wanted"),
    [
        (0, of(0), 0),
        (1000, of(0), 1),  # the first tells how much the others can do
        (1000, of(1), 125),
        (1, of(1), 1),
        (8, of(1), 1),
        (9, of(1), 2),
        (0, of(3), 0),
        (0, of(3, busy=2), 2),
        (3, of(4, busy=3), 3),
    ],
)
def test_nodes_are_wanted_for_four_pages_a_process_and_busy_ones_stay(pages: int, nodes: Nodes, wanted: int) -> None:
    assert wanted_nodes(pages, nodes) == wanted


@given(st.integers(0, 100_000), st.integers(0, 50), st.integers(1, 64), st.integers(0, 50))
def test_wanted_nodes_are_never_fewer_than_work_keeps_busy(pages: int, count: int, processes: int, busy: int) -> None:
    wanted = wanted_nodes(pages, of(count, processes, busy))
    assert wanted >= min(busy, count)
    assert (wanted > 0) == (pages > 0 or min(busy, count) > 0)
