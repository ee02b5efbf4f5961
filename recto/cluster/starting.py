"""Clusters that a dispatcher starts itself, and that grow and shrink with the queue.

`local` has its nodes on this machine. The others are dask-kubernetes' and dask-jobqueue's, by their own configuration: what starts a node there, with
which image and how much of a machine, is written in Dask's configuration files (docs/scaling.md).
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import dask
from distributed import LocalCluster
from distributed.deploy.adaptive import Adaptive
from distributed.deploy.cluster import Cluster
from distributed.deploy.spec import SpecCluster

from recto.logs import get_logger

_log = get_logger(__name__)
PRELOAD: Final = "recto.commands.node"
_JOB_QUEUES: Final = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "lsf": "LSFCluster",
    "htcondor": "HTCondorCluster",
    "oar": "OARCluster",
    "moab": "MoabCluster",
}
_LOOK_S: Final = 1.0
_LOOK_AT_KUBERNETES_S: Final = 5.0


def new_cluster(kind: str) -> Cluster:
    """A scheduler without nodes. ModuleNotFoundError where the package of that kind is not installed."""
    if kind == "local":
        # Daemons may not have processes of their own (multiprocessing), and nodes have.
        dask.config.set({"distributed.worker.daemon": False})
        return LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=0, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0, preload=[PRELOAD]
        )
    cluster: Cluster
    if kind == "kubernetes":
        cluster = import_module("dask_kubernetes.operator").KubeCluster()
    else:
        # Without a nanny: see above.
        cluster = getattr(import_module("dask_jobqueue"), _JOB_QUEUES[kind])(nanny=False)
    return cluster


@contextmanager
def growing(cluster: Cluster, wanted: Callable[[], int], least: int, most: int) -> Iterator[None]:
    """While the block runs, have `wanted()` nodes, but at least `least` and at most `most`. `wanted` may ask the database: it has a thread."""
    if isinstance(cluster, SpecCluster):
        adapting = cluster.adapt(Adaptive=ByQueue, wanted=wanted, minimum=least, maximum=most, interval=_LOOK_S)
        try:
            yield
        finally:
            adapting.stop(reason="dispatcher-stops")
        return
    # dask-kubernetes leaves adapting to its operator, which looks at the scheduler alone: it sees only what was claimed already.
    stopping = threading.Event()
    scaling = threading.Thread(
        target=_scale, args=(cluster, wanted, least, most, stopping), name="scaling", daemon=True
    )
    scaling.start()
    try:
        yield
    finally:
        stopping.set()
        scaling.join()


class ByQueue(Adaptive):
    """Dask's way to adapt a cluster, which closes idle nodes first; but how many nodes there should be says the queue."""

    def __init__(self, cluster: Any, wanted: Callable[[], int], **options: Any) -> None:
        super().__init__(cluster, **options)
        self._wanted = wanted

    async def target(self) -> int:
        """See Adaptive."""
        return await asyncio.to_thread(self._wanted)


def _scale(cluster: Cluster, wanted: Callable[[], int], least: int, most: int, stopping: threading.Event) -> None:
    asked = None
    while not stopping.wait(_LOOK_AT_KUBERNETES_S):
        try:
            count = min(max(wanted(), least), most)
            if count != asked:
                cluster.scale(count)
                asked = count
        except Exception:  # noqa: BLE001 - the database is busy, or the cluster's API away: asked again at the next look, as Adaptive does
            _log.exception("cluster_not_scaled")
