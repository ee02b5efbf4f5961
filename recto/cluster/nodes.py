"""Which nodes of a cluster a dispatcher uses, and why it does not use the others. Pure: it looks at what the scheduler tells of its workers."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from recto import __version__
from recto.working.page_tasks import EngineReport

NODE: Final = "recto"
"""The name under which a Dask worker tells that it is a node of Recto, and which."""
_PAGES_A_PROCESS: Final = 4
"""For fewer pages another node takes longer to start than the others take to read them."""

OTHER_STORAGE: Final = "It has another File Storage: a document that was put into this one is not there. Set file_storage.* alike on both, and start it anew."


@dataclass(frozen=True, slots=True)
class Node:
    """A Dask worker that reads pages: so many at once, so many now."""

    address: str
    processes: int
    running: int


@dataclass(frozen=True, slots=True)
class Nodes:
    """Those that are used, and the reason of each that is not, by its address."""

    used: tuple[Node, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def processes(self) -> int:
        """How many pages they read at once."""
        return sum(node.processes for node in self.used)

    @property
    def busy(self) -> int:
        """How many of them read something."""
        return sum(node.running > 0 for node in self.used)


def wanted_nodes(pages: int, nodes: Nodes) -> int:
    """How many nodes are worth having for so many pages. None that reads something is given up: its pages would be read again."""
    if not nodes.used:
        return min(pages, 1)  # the first one tells how many pages a node reads at once
    return max(math.ceil(pages / (nodes.processes / len(nodes.used) * _PAGES_A_PROCESS)), nodes.busy)


def described(report: EngineReport) -> dict[str, Any]:
    """What a node tells of itself: plain values, which any version understands."""
    return {"version": __version__, **asdict(report), "languages": list(report.languages)}


def sort_nodes(workers: Mapping[str, Mapping[str, Any]], mine: EngineReport) -> Nodes:
    """Sort what `Scheduler.identity` says of each worker. All nodes in use read as `mine`: a result says by what it was read."""
    used, refused = [], {}
    for address, worker in workers.items():
        reason = why_refused(worker.get(NODE), mine)
        if reason:
            refused[address] = reason
        else:
            used.append(Node(address, worker["nthreads"], worker.get("metrics", {}).get("executing", 0)))
    return Nodes(tuple(used), refused)


def with_storage(nodes: Nodes, objections: Mapping[str, str]) -> Nodes:
    """Less those whose File Storage speaks against them, and those that were not asked yet. `objections` is "" for one that has shown the right one."""
    used = tuple(node for node in nodes.used if objections.get(node.address) == "")
    refused = {node.address: objections[node.address] for node in nodes.used if objections.get(node.address)}
    return Nodes(used, {**nodes.refused, **refused})


def why_refused(told: Mapping[str, Any] | None, mine: EngineReport) -> str | None:
    """None for a node that reads as `mine` does."""
    if told is None:
        return "It is no node of Recto. Start it by `ocr_worker.py node`, or with the Dask option `--preload recto.commands.node`."
    if told["result_version"] == mine.result_version:
        return None
    if told["version"] != __version__:
        return f"It runs Recto {told['version']}, this dispatcher {__version__}. Install the same version on both."
    if told["engine"] != mine.engine:
        return f"It reads by {told['engine']}, this dispatcher by {mine.engine}. Install the same on both, or set ocr.engine."
    missing = sorted(set(mine.languages) - set(told["languages"]))
    if missing:
        return f"It lacks the languages {', '.join(missing)}. Install them there, or set ocr.tessdata_path (docs/languages.md)."
    more = sorted(set(told["languages"]) - set(mine.languages))
    if more:
        return f"It has languages that this dispatcher lacks: {', '.join(more)}. Install the same on both (docs/languages.md)."
    return "Its language data or its ocr.languages differ from this dispatcher's. Install and set the same on both."
