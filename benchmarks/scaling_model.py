"""How far Recto goes: a calculation from what was measured on one Worker. No database, no processes, no clock here.

Two questions. `pages_a_second`: what some page processes make of some cores, which real runs can contradict. `wanted` and `carried`: how much of what it can
carry each part of a cluster has to carry when so many nodes read as fast as they can, and, where that is more than it can, how fast they then read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class PageCosts:
    """What a page takes, each with its share of opening and writing its document.

    `reading_s`, `loop_s`, `database_s`: seconds of processor time in page processes, in the Worker's own process (on SQLite with the database's), in PostgreSQL's.
    `pause_s`: how long a page process neither runs nor waits for a core, between two pieces of work and while it waits for the disk.
    `idle_cores`: what a Worker's own process uses of a core by the clock, pages or not: it renews leases, and looks whether there is news.
    """

    reading_s: float
    loop_s: float
    database_s: float
    pause_s: float
    idle_cores: float = 0.0

    @property
    def aside_s(self) -> float:
        """Processor time besides the page processes'."""
        return self.loop_s + self.database_s

    @property
    def cpu_s(self) -> float:
        """All that goes by the page."""
        return self.reading_s + self.aside_s


def pages_a_second(costs: PageCosts, processes: int, cores: float, workers: int = 1) -> float:
    """Of so many page processes of all Workers that have always something to read, together with Workers and database on so many cores.

    A closed queue: a page process pauses, then reads at the share of a core that is left for it. What stands aside takes its part of the cores
    first. So it is never more than processes / (pause + reading), nor than cores / all processor time of a page (Denning and Buzen,
    "The operational analysis of queueing network models", 1978, section 6).
    """
    cores = max(0.0, cores - workers * costs.idle_cores)
    low, high = 0.0, min(processes / (costs.pause_s + costs.reading_s), cores / costs.cpu_s)
    for _ in range(_HALVINGS):
        rate = (low + high) / 2
        left = cores - rate * costs.aside_s
        stretched = max(1.0, processes / left) if left > 0 else float("inf")
        low, high = (rate, high) if rate < processes / (costs.pause_s + costs.reading_s * stretched) else (low, rate)
    return low


@dataclass(frozen=True, slots=True)
class Operation:
    """One transaction. `held_steps`: ways to the server and back from the number of its change to its commit; 0: it takes none."""

    statements: int
    held_steps: int
    took_ms: float
    client_cpu_ms: float
    server_cpu_ms: float


JOB_OPERATIONS: Final = ("submit", "look", "claim", "opened", "finish")
"""Once for each document; "page" once for each page."""


@dataclass(frozen=True, slots=True)
class StoreTraffic:
    """Requests to an object store and bytes, of a document and of each page of it. A `put` also stands for lists, a `get` also for heads.

    `gets_a_page_fetched` and `document_bytes_a_page` are for each process that fetches the document.
    """

    puts_a_page: float
    gets_a_page: float
    puts_a_document: float
    gets_a_document: float
    gets_a_page_fetched: float
    document_bytes_a_page: float
    written_bytes_a_page: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All that goes in. `told_*`: of one listener that hears of one change. `task_*`: of one task through Dask's scheduler, there and at the dispatcher."""

    page: PageCosts
    operations: Mapping[str, Operation]
    told_server_ms: float
    told_client_ms: float
    task_scheduler_ms: float
    task_client_ms: float
    store: StoreTraffic


@dataclass(frozen=True, slots=True)
class Site:
    """What was not measured but is assumed.

    `step_ms`: to the database and back; `disk_ms`: one flush of its disk; `store_step_ms`: one request to the object store. `looks_a_second`: how often a
    Worker that is full looks up at most (recto/worker.py). The store's limits hold for one partition of a bucket. `busy`: how much of a dispatcher's time may be taken.
    """

    cores_a_node: int = 8
    pages_a_document: int = 10
    step_ms: float = 0.5
    disk_ms: float = 1.0
    database_cores: int = 8
    database_connections: int = 500
    connections_a_worker: int = 4
    renew_s: float = 5.0
    looks_a_second: float = 4.0
    busy: float = 0.7
    store_step_ms: float = 20.0
    store_puts_a_second: float = 3500.0
    store_gets_a_second: float = 5500.0


@dataclass(frozen=True, slots=True)
class Prices:
    """In dollars."""

    core_hour: float = 0.041
    thousand_puts: float = 0.005
    thousand_gets: float = 0.0004
    gigabyte_month: float = 0.023


@dataclass(frozen=True, slots=True)
class Load:
    """What some nodes make of all parts at so many pages a second. `shares`: by part, what it has to carry of what it can."""

    nodes: int
    dispatchers: int
    rate: float
    changes: float
    commits: float
    puts: float
    gets: float
    store_bytes: float
    connections: int
    database_cores: float
    scheduler_cores: float
    shares: Mapping[str, float]

    @property
    def listeners(self) -> int:
        """Workers of the database's, dispatchers among them."""
        return self.dispatchers or self.nodes

    @property
    def weakest(self) -> str:
        """The part that has the most to carry."""
        return max(self.shares, key=lambda part: self.shares[part])


COUNTER: Final = "change counter"
DATABASE: Final = "database's cores"
CONNECTIONS: Final = "connections"
LOOP: Final = "Worker's own process"
SCHEDULER: Final = "Dask scheduler"
STORE: Final = "object store"
PARTS: Final = (COUNTER, DATABASE, CONNECTIONS, LOOP, SCHEDULER, STORE)


def wanted(measured: Measured, site: Site, nodes: int, *, dispatched: bool) -> Load:
    """Of `ocr_worker.py run` on every node, or of `ocr_worker.py node` and dispatchers, where nothing but the nodes' cores limits them."""
    steps = measured.store.puts_a_page + measured.store.gets_a_page + measured.store.gets_a_page_fetched
    page, loop_s = measured.page, 0.0 if dispatched else measured.page.loop_s
    pause_s = page.pause_s + steps * site.store_step_ms / 1000
    here = PageCosts(page.reading_s, loop_s, 0.0, pause_s, page.idle_cores)
    rate = nodes * pages_a_second(here, site.cores_a_node, site.cores_a_node)
    return _load(measured, site, nodes, rate, dispatched=dispatched)


def carried(measured: Measured, site: Site, nodes: int, *, dispatched: bool) -> Load:
    """The same at the highest rate that all parts can carry. Nodes whose Worker has no connection are left out; of dispatchers there are as many as that rate takes."""
    connected = nodes if dispatched else min(nodes, site.database_connections // site.connections_a_worker)
    load = wanted(measured, site, connected, dispatched=dispatched)
    low, high = 0.0, load.rate
    if load.shares[load.weakest] > 1:
        for _ in range(_HALVINGS):
            load = _load(measured, site, connected, (low + high) / 2, dispatched=dispatched)
            low, high = (low, load.rate) if load.shares[load.weakest] > 1 else (load.rate, high)
        load = _load(measured, site, connected, low, dispatched=dispatched)
    return replace(load, nodes=nodes)


def _load(measured: Measured, site: Site, nodes: int, rate: float, *, dispatched: bool) -> Load:
    loop_s = _loop_s(measured, site, dispatched=dispatched)
    dispatchers = max(1, ceil(rate * loop_s / site.busy)) if dispatched else 0
    listeners = dispatchers or nodes
    changes = rate * _a_page(measured, site, lambda operation: float(operation.held_steps > 0))
    beats = listeners / site.renew_s
    store = measured.store
    puts = rate * (store.puts_a_page + store.puts_a_document / site.pages_a_document)
    fetches = min(site.pages_a_document, nodes * site.cores_a_node if dispatchers else site.cores_a_node)
    gets = rate * (
        store.gets_a_page + store.gets_a_page_fetched * fetches + store.gets_a_document / site.pages_a_document
    )
    database = _database_cores(measured, site, listeners, rate, changes)
    scheduler = rate * _tasks_a_page(site) * measured.task_scheduler_ms / 1000 if dispatchers else 0.0
    connections = listeners * site.connections_a_worker
    shares = {
        COUNTER: rate * held_s_a_page(measured, site),
        DATABASE: database / site.database_cores,
        CONNECTIONS: connections / site.database_connections,
        LOOP: measured.page.idle_cores + rate / listeners * loop_s + changes * measured.told_client_ms / 1000,
        SCHEDULER: scheduler,
        STORE: max(puts / site.store_puts_a_second, gets / site.store_gets_a_second),
    }
    traffic = rate * (store.document_bytes_a_page * fetches + store.written_bytes_a_page)
    return Load(
        nodes,
        dispatchers,
        rate,
        changes,
        changes + beats,
        puts,
        gets,
        traffic,
        connections,
        database,
        scheduler,
        shares,
    )


def _database_cores(measured: Measured, site: Site, listeners: int, rate: float, changes: float) -> float:
    """Cores that PostgreSQL uses: for pages, for Workers that look whether what they have is still theirs and whether there is more, for leases, for telling."""
    looks = listeners * min(site.looks_a_second, changes)
    return (
        rate * _a_page(measured, site, lambda operation: operation.server_cpu_ms)
        + looks * (_server_ms(measured, "held") + _server_ms(measured, "look"))
        + listeners / site.renew_s * _server_ms(measured, "beat")
        + listeners * changes * measured.told_server_ms
    ) / 1000


def held_s_a_page(measured: Measured, site: Site) -> float:
    """Seconds for which a page, with its share of its document, holds the counter of changes: nobody else can meanwhile."""

    def held_ms(operation: Operation) -> float:
        return operation.held_steps * site.step_ms + site.disk_ms if operation.held_steps else 0.0

    return _a_page(measured, site, held_ms) / 1000


def nodes_until(measured: Measured, site: Site, part: str, *, dispatched: bool) -> int | None:
    """With how many nodes this part has more than it can carry; None where a million of them do not get there."""
    low, high = 0, 1_000_000
    if wanted(measured, site, high, dispatched=dispatched).shares[part] < 1:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        is_enough = wanted(measured, site, middle, dispatched=dispatched).shares[part] < 1
        low, high = (middle, high) if is_enough else (low, middle)
    return high


def cost_a_million(load: Load, measured: Measured, site: Site, prices: Prices) -> dict[str, float]:
    """Dollars for a million pages at this rate: nodes, hosts around them, requests; and to keep it all for a month. What leaves the store is not in it."""
    hours = 1_000_000 / load.rate / 3600
    around = site.database_cores + load.dispatchers + (1 if load.dispatchers else 0)
    kept = measured.store.document_bytes_a_page + measured.store.written_bytes_a_page
    return {
        "nodes": load.nodes * site.cores_a_node * prices.core_hour * hours,
        "around": around * prices.core_hour * hours,
        "requests": 1000 * (load.puts * prices.thousand_puts + load.gets * prices.thousand_gets) / load.rate,
        "kept a month": kept * 1_000_000 / 1e9 * prices.gigabyte_month,
    }


def _a_page(measured: Measured, site: Site, of: Callable[[Operation], float]) -> float:
    """Of a page, with its share of its document."""
    operations = measured.operations
    return of(operations["page"]) + sum(of(operations[name]) for name in JOB_OPERATIONS) / site.pages_a_document


def _tasks_a_page(site: Site) -> float:
    """Opening the document and writing the results are tasks as well."""
    return 1 + 2 / site.pages_a_document


def _loop_s(measured: Measured, site: Site, *, dispatched: bool) -> float:
    """Processor time of a page in a Worker's own process that is busy with pages all the time: its transactions, and as a dispatcher its tasks.

    `loop_s` of a calibration is more: with few pages a second, much of it goes by the clock.
    """
    of_operations = _a_page(measured, site, lambda operation: operation.client_cpu_ms)
    submitting = measured.operations["submit"].client_cpu_ms / site.pages_a_document  # the Backend's
    looking = measured.operations["held"].client_cpu_ms + measured.operations["look"].client_cpu_ms
    tasks = _tasks_a_page(site) * measured.task_client_ms if dispatched else 0.0
    return (of_operations - submitting + looking + tasks) / 1000


def _server_ms(measured: Measured, name: str) -> float:
    return measured.operations[name].server_cpu_ms
