"""`run`: the Worker."""

import os

import click

from recto.commands.page_processes import core_count, page_process_setup
from recto.commands.working import Working
from recto.executors import LocalProcesses, start_engines
from recto.settings import load_settings


@click.command()
@click.option("--processes", type=click.IntRange(min=1), help="Page processes; one per core where it is left out.")
def run(processes: int | None) -> None:
    """Claim jobs and read them, until stopped."""
    settings = load_settings(os.environ)
    working = Working(settings, "recto-worker")
    count = processes or settings.worker.processes or core_count()
    executor = LocalProcesses(count, settings.worker.pages_per_process, page_process_setup(settings, with_storage=True))
    try:
        working.work(executor, start_engines(executor))
    finally:
        executor.stop()
        working.ended()
