"""How far Recto goes: real runs on this machine, what single steps cost, and a calculation of 10, 100 and 1,000 nodes from both.

    python -m benchmarks.scaling [--pages N] [--repeats N] [--json FILE] [--plot FILE.svg] [--assume NAME=VALUE ...]
    python -m benchmarks.scaling --from FILE [--plot FILE.svg] [--assume NAME=VALUE ...]

First the service itself, `ocr_worker.py run` on N drawn pages (300 dpi, English), on SQLite and on PostgreSQL: one Worker with one page process, one with two, two
with one each. The first is the calibration; the others are what it predicts (benchmarks/scaling_model.py). The cores are shared by Workers,
database, this program and whatever else runs. So the prediction is made from processor time, and for as many cores as other programs left during
the run that it is compared with; beside it stands the processor time that a page took, which a busy machine disturbs least.

Then what one transaction costs on both databases, what it costs to be told of one, a task through Dask's scheduler, and which requests a page makes to
an object store. All programs are on this machine, PostgreSQL with its own settings; it is started for this, as is a store (Moto): `make test-services` installs them.

--assume sets one of the assumptions or prices (Site and Prices in benchmarks/scaling_model.py), as in core_hour=0.05; --from takes what was measured from what
--json wrote.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import cv2
import img2pdf

from benchmarks.drawn_pages.kinds import drawn
from benchmarks.scaling_costs import Bench, store_traffic, task_ms
from benchmarks.scaling_model import Measured, Operation, PageCosts, Prices, Site, StoreTraffic
from benchmarks.scaling_runs import Run, run
from benchmarks.scaling_tables import assumptions, bounds, checks, clusters, costs, operations, page, write_curves
from benchmarks.throughput import KINDS, draw_documents
from tests.postgresql import Server, running_server
from tests.s3_servers import running

SQLITE: Final = "SQLite"
POSTGRESQL: Final = "PostgreSQL"
_SHAPES: Final = ((1, 1), (1, 2), (2, 1))
"""Workers, and page processes of each."""
_SCAN_PAGES: Final = 4
_JPEG_QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured on this machine. `operations` by database."""

    runs: tuple[Run, ...]
    operations: dict[str, dict[str, Operation]]
    measured: Measured


def measure(page_count: int, repeats: int) -> Report:
    """All of it."""
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as name, running_server(("max_connections=200",)) as server:
        folder = Path(name)
        documents = draw_documents(folder / "documents", page_count)
        runs = [_run(folder, documents, shape, server) for shape in _SHAPES]
        runs += [_run(folder, documents, shape, None) for shape in _SHAPES]
        lite = Bench(f"sqlite:///{folder / 'operations.db'}")
        of_lite = lite.measure(repeats)
        lite.engine.dispose()
        bench = Bench(server.make("recto_operations"), _pid(server))
        of_server = bench.measure(repeats)
        told_server_ms, told_client_ms = bench.told(repeats)
        bench.engine.dispose()
        scheduler_ms, client_ms = task_ms(folder / "tasks", repeats)
        scan = _scan(folder / "scan.pdf")
        with running("moto", folder / "moto") as store:
            traffic = store_traffic(store.place(), scan, _SCAN_PAGES)
    measured = Measured(runs[0].costs, of_server, told_server_ms, told_client_ms, scheduler_ms, client_ms, traffic)
    return Report(tuple(runs), {SQLITE: of_lite, POSTGRESQL: of_server}, measured)


def _run(folder: Path, documents: Sequence[Path], shape: tuple[int, int], server: Server | None) -> Run:
    workers, processes_each = shape
    kind = POSTGRESQL if server else SQLITE
    name = f"{kind.lower()}_{workers}_{processes_each}"
    at = (server.make(f"recto_{name}"), _pid(server)) if server else ("", 0)
    return run(kind, folder / name, documents, workers, processes_each, *at)


def _pid(server: Server) -> int:
    return int((server.folder / "postmaster.pid").read_text().split()[0])


def _scan(path: Path) -> Path:
    """A document as scanners send it: pages as grey JPEG at 300 dpi."""
    pages = []
    for number in range(_SCAN_PAGES):
        picture, _ = drawn(KINDS[number % len(KINDS)], number // len(KINDS), 0)
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        pages.append(jpeg.tobytes())
    with path.open("wb") as file:
        img2pdf.convert(pages, outputstream=file, layout_fun=img2pdf.get_fixed_dpi_layout_fun((300, 300)))
    return path


def tables(report: Report, site: Site, prices: Prices) -> str:
    """What docs/scaling.md shows."""
    measured = report.measured
    return "\n\n".join(
        [
            checks(report.runs),
            page(measured, site),
            operations(report.operations),
            clusters(measured, site, prices),
            bounds(measured, site),
            costs(measured, site, prices),
            assumptions(site, prices),
        ]
    )


def as_json(report: Report, site: Site, prices: Prices) -> str:
    return json.dumps(asdict(report) | {"site": asdict(site), "prices": asdict(prices)}, indent=1) + "\n"


def from_json(text: str) -> Report:
    """What was measured when it was written."""
    found = json.loads(text)
    runs = tuple(Run(**each | {"costs": PageCosts(**each["costs"])}) for each in found["runs"])
    of_databases = {name: _operations(each) for name, each in found["operations"].items()}
    measured = found["measured"]
    nested = {
        "page": PageCosts(**measured["page"]),
        "operations": _operations(measured["operations"]),
        "store": StoreTraffic(**measured["store"]),
    }
    return Report(runs, of_databases, Measured(**measured | nested))


def _operations(found: dict[str, Any]) -> dict[str, Operation]:
    return {name: Operation(**each) for name, each in found.items()}


def assumed(given: Sequence[str]) -> tuple[Site, Prices]:
    """Their own values where NAME=VALUE says nothing else. SystemExit for a name that they have not."""
    site, prices = Site(), Prices()
    for name, _, value in (each.partition("=") for each in given):
        of = next((each for each in (site, prices) if name in {field.name for field in fields(each)}), None)
        if of is None:
            raise SystemExit(f"There is no assumption {name}. benchmarks/scaling_model.py names them: Site and Prices.")
        kind = type(getattr(of, name))
        if isinstance(of, Site):
            site = replace(site, **{name: kind(value)})
        else:
            prices = replace(prices, **{name: kind(value)})
    return site, prices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=48, help="drawn pages of a run (48)")
    parser.add_argument("--repeats", type=int, default=200, help="how often each transaction and task is made (200)")
    parser.add_argument("--from", type=Path, dest="source", metavar="FILE", help="measure nothing: calculate anew")
    parser.add_argument("--json", type=Path, help="write what was measured into this file as well")
    parser.add_argument("--plot", type=Path, help="draw pages a second against nodes")
    parser.add_argument("--assume", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    site, prices = assumed(given.assume)
    report = from_json(given.source.read_text()) if given.source else measure(given.pages, given.repeats)
    print(tables(report, site, prices))
    if given.json:
        given.json.write_text(as_json(report, site, prices), encoding="utf-8")
    if given.plot:
        write_curves(given.plot, report.measured, site)


if __name__ == "__main__":
    main()
