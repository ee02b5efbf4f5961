"""`node`: a node of a cluster, which reads the pages that dispatchers send it. The Dask option `--preload recto.commands.node` makes one of any Dask worker."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recto.commands.needed_packages import DASK, needs_package
from recto.commands.page_processes import core_count, page_process_setup
from recto.commands.parts import open_storage
from recto.errors import SettingsError
from recto.file_storage.document_cache import DocumentCache
from recto.logs import configure_logging, get_logger
from recto.settings import Settings, load_settings

if TYPE_CHECKING:
    from distributed import Worker

    from recto.cluster.node import PageNode

_log = get_logger(__name__)


@click.command()
@click.option(
    "--scheduler",
    help="Address of the Dask scheduler, such as tcp://10.0.0.1:8786; cluster.scheduler where it is left out.",
)
@click.option("--processes", type=click.IntRange(min=1), help="Page processes; one per core where it is left out.")
def node(scheduler: str | None, processes: int | None) -> None:
    """Read pages for the dispatchers of a Dask scheduler, until stopped."""
    settings = load_settings(os.environ)
    address = scheduler or settings.cluster.scheduler
    if not address:
        raise SettingsError("Which scheduler? Name it by --scheduler tcp://HOST:8786 or in cluster.scheduler.")
    configure_logging(settings.log.level, settings.log.format)
    asyncio.run(_serve(address, processes or settings.worker.processes or core_count(), settings))
    _log.info("node_stopped")


async def dask_setup(worker: "Worker") -> None:
    """What Dask calls where a worker was started with `--preload recto.commands.node`."""
    settings = load_settings(os.environ)
    configure_logging(settings.log.level, settings.log.format)
    await worker.plugin_add(_plugin(settings), catch_errors=False)


async def _serve(address: str, processes: int, settings: Settings) -> None:
    with needs_package(*DASK):
        from recto.cluster.node import serve
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve(address, processes, lambda: _plugin(settings), stopping)


def _plugin(settings: Settings) -> "PageNode":
    from recto.cluster.node import PageNode

    open_storage(settings)
    setup, cluster = page_process_setup(settings, with_storage=True), settings.cluster
    if cluster.document_cache_path:
        cache = DocumentCache(Path(cluster.document_cache_path), cluster.document_cache_bytes)
        setup = replace(setup, document_cache=cache)
    return PageNode(setup, settings.worker.pages_per_process)
