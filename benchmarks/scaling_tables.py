"""The tables of benchmarks/scaling.py, as Markdown, and its curves as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from math import log10
from pathlib import Path
from typing import Final

from benchmarks.reliability_diagram import COLOURS, STYLE
from benchmarks.scaling_model import (
    CONNECTIONS,
    COUNTER,
    DATABASE,
    LOOP,
    PARTS,
    SCHEDULER,
    STORE,
    Load,
    Measured,
    Operation,
    Prices,
    Site,
    carried,
    cost_a_million,
    held_s_a_page,
    nodes_until,
    pages_a_second,
    wanted,
)
from benchmarks.scaling_runs import Run

NODES: Final = (10, 100, 1000)
_WAYS: Final = ((False, "run"), (True, "dispatch"))
_SIDE_PX, _LEFT_PX, _TOP_PX = 360, 60, 20
_MOST_NODES, _MOST_RATE = 3, 4
"""Powers of ten at the ends of the two axes, which begin at one node and one page a second."""


def error_percent(predicted: float, measured: float) -> float:
    """By how much the prediction is above what was measured."""
    return 100 * (predicted / measured - 1)


def checks(runs: Sequence[Run]) -> str:
    """What the first run of each database, with one page process, says of the others, and what they say themselves."""
    rows = []
    for name in dict.fromkeys(run.name for run in runs):
        one, *others = [run for run in runs if run.name == name]
        for run in (one, *others):
            predicted = pages_a_second(one.costs, run.processes, run.cores_left, run.workers)
            rows.append(
                [
                    name,
                    f"{run.workers} × {run.processes_each}",
                    f"{run.cores_left:.2f}",
                    f"{predicted:.3f}",
                    f"{run.pages_a_second:.3f}",
                    f"{error_percent(predicted, run.pages_a_second):+.1f}",
                    f"{one.costs.cpu_s:.3f}",
                    f"{run.costs.cpu_s:.3f}",
                    f"{error_percent(one.costs.cpu_s, run.costs.cpu_s):+.1f}",
                ]
            )
    heads = [
        "database",
        "Workers × page processes",
        "cores that other programs left",
        "pages a second, predicted",
        "measured",
        "error, %",
        "processor s a page, as calibrated",
        "measured",
        "error, %",
    ]
    return _table(heads, rows)


def page(measured: Measured, site: Site) -> str:
    """Where the time of a page goes, and the rest of what was measured of one."""
    costs, store = measured.page, measured.store
    rows = [
        ["page processes, processor s a page", f"{costs.reading_s:.3f}"],
        ["a page process neither reads nor waits for a core, s a page", f"{costs.pause_s:.3f}"],
        ["the Worker's own process, processor s a page", f"{costs.loop_s:.3f}"],
        ["the same by the clock, pages or not, % of a core", f"{100 * costs.idle_cores:.1f}"],
        ["PostgreSQL, processor s a page", f"{costs.database_s:.3f}"],
        ["hearing of one change, processor ms: PostgreSQL, for each Worker", f"{measured.told_server_ms:.2f}"],
        ["the same: each Worker", f"{measured.told_client_ms:.2f}"],
        ["a task through Dask, processor ms: scheduler", f"{measured.task_scheduler_ms:.1f}"],
        ["the same: dispatcher", f"{measured.task_client_ms:.1f}"],
        ["requests to an object store a page: writing, reading", f"{store.puts_a_page:g}, {store.gets_a_page:g}"],
        ["requests a document: the same", f"{store.puts_a_document:g}, {store.gets_a_document:g}"],
        [
            "MB a page: document, checkpoint and results",
            f"{store.document_bytes_a_page / 1e6:.2f}, {store.written_bytes_a_page / 1e6:.2f}",
        ],
        [
            "a page has the change counter, ms, with its share of its document",
            f"{1000 * held_s_a_page(measured, site):.2f}",
        ],
    ]
    return _table(["measured, of one page", ""], rows)


def operations(of_databases: Mapping[str, Mapping[str, Operation]]) -> str:
    """Each transaction, on each database. The steps with the change counter are PostgreSQL's: on SQLite the whole transaction holds up others."""
    rows = []
    for name in next(iter(of_databases.values())):
        each = [of[name] for of in of_databases.values()]
        figures = [
            figure
            for found in each
            for figure in (found.statements, f"{found.took_ms:.1f}", f"{found.client_cpu_ms:.1f}")
        ]
        rows.append([name, *figures, f"{each[-1].server_cpu_ms:.2f}", each[-1].held_steps or ""])
    heads = [
        f"{database}: {what}" for database in of_databases for what in ("statements", "ms", "client's processor ms")
    ]
    last = list(of_databases)[-1]
    return _table(["transaction", *heads, f"{last}: server's processor ms", "steps with the change counter"], rows)


def clusters(measured: Measured, site: Site, prices: Prices) -> str:
    """Both ways with 10, 100 and 1,000 nodes."""
    rows = [_cluster(measured, site, prices, nodes, way) for way in _WAYS for nodes in NODES]
    heads = [
        "way",
        "nodes",
        "pages a second that the cores could read",
        "pages a second",
        "what is full",
        "commits a second",
        "database's cores",
        "connections",
        "dispatchers",
        "Dask scheduler's core, %",
        "store: requests a second",
        "store: MB a second",
        "$ a million pages",
    ]
    return _table(heads, rows)


def _cluster(measured: Measured, site: Site, prices: Prices, nodes: int, way: tuple[bool, str]) -> list[str]:
    is_dispatched, name = way
    could = wanted(measured, site, nodes, dispatched=is_dispatched)
    does = carried(measured, site, nodes, dispatched=is_dispatched)
    is_full = could.shares[could.weakest] > 1
    cost = cost_a_million(does, measured, site, prices)
    return [
        f"`{name}`",
        f"{nodes:,}",
        _rounded(could.rate),
        _rounded(does.rate),
        ", ".join(_full(could)) if is_full else "the nodes' cores",
        _rounded(does.commits),
        f"{does.database_cores:.1f}",
        f"{does.connections:,}",
        str(does.dispatchers or ""),
        f"{100 * does.scheduler_cores:.0f}" if is_dispatched else "",
        _rounded(does.puts + does.gets),
        _rounded(does.store_bytes / 1e6),
        _rounded(sum(cost[part] for part in ("nodes", "around", "requests"))),
    ]


def _full(load: Load) -> Iterator[str]:
    """The parts that cannot carry it, the fullest first."""
    for part in sorted(PARTS, key=lambda part: -load.shares[part]):
        if load.shares[part] > 1:
            yield f"{part} (× {load.shares[part]:.1f})"


def bounds(measured: Measured, site: Site) -> str:
    """With how many nodes each part has more than it can carry."""
    carries = {
        COUNTER: f"{1 / held_s_a_page(measured, site):.0f} pages a second",
        DATABASE: f"{site.database_cores} cores",
        CONNECTIONS: f"{site.database_connections}, {site.connections_a_worker} a Worker",
        LOOP: "one core",
        SCHEDULER: "one core",
        STORE: f"{site.store_puts_a_second:,.0f} writes, {site.store_gets_a_second:,.0f} reads a second and partition",
    }
    rows = []
    for part in PARTS:
        until = [nodes_until(measured, site, part, dispatched=is_dispatched) for is_dispatched, _ in _WAYS]
        rows.append([part, carries[part], *("never" if nodes is None else f"{nodes:,}" for nodes in until)])
    return _table(["part", "carries", "is full with so many nodes: `run`", "`dispatch`"], rows)


def costs(measured: Measured, site: Site, prices: Prices) -> str:
    """Dollars for a million pages, by what they are for, rounded to what the prices are worth."""
    rows = []
    for is_dispatched, name in _WAYS:
        for nodes in NODES:
            cost = cost_a_million(carried(measured, site, nodes, dispatched=is_dispatched), measured, site, prices)
            rows.append([f"`{name}`", f"{nodes:,}", *(_rounded(dollars) for dollars in cost.values())])
    return _table(
        [
            "way",
            "nodes",
            "nodes, $",
            "database, dispatchers, scheduler, $",
            "requests to the store, $",
            "keeping it, $ a month",
        ],
        rows,
    )


def assumptions(site: Site, prices: Prices) -> str:
    """What was not measured."""
    return (
        f"Assumed: nodes of {site.cores_a_node} cores as these, documents of {site.pages_a_document} pages; {site.step_ms:g} ms to the database and back, {site.disk_ms:g} ms for "
        f"its disk, {site.database_cores} cores and {site.database_connections} connections there; {site.store_step_ms:g} ms a request to the store, "
        f"{site.store_puts_a_second:,.0f} writes and {site.store_gets_a_second:,.0f} reads a second; a document is fetched by each page process that reads of it; "
        f"{prices.core_hour:g} $ a core and hour, {prices.thousand_puts:g} $ a thousand writes, {prices.thousand_gets:g} $ a thousand reads, "
        f"{prices.gigabyte_month:g} $ a GB and month."
    )


def write_curves(path: Path, measured: Measured, site: Site) -> None:
    """Pages a second against nodes, both logarithmic: what the cores could read, and what comes out."""
    curves = {
        "the nodes' cores": [wanted(measured, site, nodes, dispatched=True).rate for nodes in _CURVE],
        "ocr_worker.py run": [carried(measured, site, nodes, dispatched=False).rate for nodes in _CURVE],
        "ocr_worker.py dispatch": [carried(measured, site, nodes, dispatched=True).rate for nodes in _CURVE],
    }
    width_px, height_px = _LEFT_PX + _SIDE_PX + 190, _TOP_PX + _SIDE_PX + 60
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width_px} {height_px}" width="{width_px}" height="{height_px}">'
    body = [*_grid(), *(line for number, curve in enumerate(curves.items()) for line in _curve(number, *curve))]
    path.write_text("\n".join([head, f"<style>{STYLE}</style>", *body, "</svg>", ""]), encoding="utf-8")


_CURVE: Final = tuple(round(10 ** (step / 10)) for step in range(10 * _MOST_NODES + 1))


def _grid() -> Iterator[str]:
    for power in range(_MOST_NODES + 1):
        x, y = _place(10**power, 1)
        yield f'<path class="grid" d="M{x} {_TOP_PX}V{y}"/><text x="{x}" y="{y + 18}" text-anchor="middle">{10**power:,}</text>'
    for power in range(_MOST_RATE + 1):
        x, y = _place(1, 10**power)
        yield f'<path class="grid" d="M{x} {y}H{_LEFT_PX + _SIDE_PX}"/><text x="{x - 8}" y="{y + 4}" text-anchor="end">{10**power:,}</text>'
    yield f'<text x="{_LEFT_PX + _SIDE_PX / 2:g}" y="{_TOP_PX + _SIDE_PX + 42}" text-anchor="middle">nodes</text>'
    yield f'<text transform="translate(14 {_TOP_PX + _SIDE_PX / 2:g}) rotate(-90)" text-anchor="middle">pages a second</text>'


def _curve(number: int, name: str, rates: Sequence[float]) -> Iterator[str]:
    colour = COLOURS[number]
    points = " ".join("{},{}".format(*_place(nodes, rate)) for nodes, rate in zip(_CURVE, rates, strict=True))
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
    x_px, y_px = _LEFT_PX + _SIDE_PX + 16, _TOP_PX + 14 + 22 * number
    yield f'<circle cx="{x_px}" cy="{y_px - 4}" r="5" fill="{colour}"/><text x="{x_px + 12}" y="{y_px}">{name}</text>'


def _place(nodes: float, rate: float) -> tuple[float, float]:
    """Pixels from the left and the top."""
    x = _LEFT_PX + _SIDE_PX * log10(nodes) / _MOST_NODES
    y = _TOP_PX + _SIDE_PX * (1 - log10(max(rate, 1.0)) / _MOST_RATE)
    return round(x, 1), round(y, 1)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _rounded(value: float) -> str:
    """Two figures: the inputs are not worth more."""
    if value == 0:
        return "0"
    digits = 1 - int(log10(value) // 1)
    return f"{round(value, digits):,.{max(0, digits)}f}"
