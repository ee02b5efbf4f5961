"""`dispatch`: the Worker Dispatcher, a Worker whose pages are read on the nodes of a Dask cluster."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from recto.commands.needed_packages import DASK, needs_package
from recto.commands.page_processes import page_process_setup
from recto.commands.working import Working
from recto.errors import SettingsError
from recto.executors import LocalProcesses, start_engines
from recto.settings import Settings, load_settings
from recto.working.page_tasks import EngineReport

if TYPE_CHECKING:
    from recto.cluster.executor import DaskExecutor

CLUSTERS = ("local", "kubernetes", "slurm", "pbs", "sge", "lsf", "htcondor", "oar", "moab")
_PACKAGES = {"local": DASK, "kubernetes": ("dask-kubernetes", ".venv/bin/pip install dask-kubernetes")}
_JOB_QUEUE = ("dask-jobqueue", ".venv/bin/pip install dask-jobqueue")


@click.command()
@click.option(
    "--scheduler",
    help="Address of the Dask scheduler, such as tcp://10.0.0.1:8786; cluster.scheduler where it is left out.",
)
@click.option(
    "--cluster",
    type=click.Choice(CLUSTERS),
    help="Instead: start a scheduler, and as many nodes as the queue has work for, by that system.",
)
def dispatch(scheduler: str | None, cluster: str | None) -> None:
    """Claim jobs and have their pages read on the nodes of a Dask cluster, until stopped."""
    if scheduler and cluster:
        raise click.UsageError("--scheduler names a cluster that runs, --cluster starts one: give one of them.")
    settings = load_settings(os.environ)
    address = "" if cluster else scheduler or settings.cluster.scheduler
    if not address and not cluster:
        raise SettingsError(
            "Which cluster? Name its scheduler by --scheduler tcp://HOST:8786 or in cluster.scheduler, or have one started by --cluster."
        )
    with needs_package(*DASK):
        import recto.cluster.executor  # noqa: F401 - before anything is begun
    working = Working(settings, "recto-dispatcher")
    try:
        engine = _own_engine(settings)
        with _executor(settings, working, engine, address, cluster) as executor:
            working.work(executor, engine)
    finally:
        working.ended()


def _own_engine(settings: Settings) -> EngineReport:
    """What this machine reads with: nodes have to read alike."""
    processes = LocalProcesses(1, 1, page_process_setup(settings, with_storage=True))
    try:
        return start_engines(processes)
    finally:
        processes.stop()


@contextmanager
def _executor(
    settings: Settings, working: Working, engine: EngineReport, address: str, cluster: str | None
) -> Iterator["DaskExecutor"]:
    from recto.cluster.executor import DaskExecutor

    if cluster is None:
        executor = DaskExecutor(address, engine, working.storage)
        try:
            yield executor
        finally:
            executor.stop()
        return
    from recto.cluster.nodes import wanted_nodes

    def wanted() -> int:
        return wanted_nodes(working.work_left(), executor.nodes)

    with needs_package(*_PACKAGES.get(cluster, _JOB_QUEUE)):
        from recto.cluster.starting import growing, new_cluster

        running = new_cluster(cluster)
    with running:
        executor = DaskExecutor(running.scheduler_address, engine, working.storage, getattr(running, "security", None))
        try:
            with growing(running, wanted, settings.cluster.min_nodes, settings.cluster.max_nodes):
                yield executor
        finally:
            executor.stop()
