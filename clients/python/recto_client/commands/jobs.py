"""`recto wait`, `recto jobs`, `recto cancel`, `recto delete`: what becomes of jobs."""

import json
from itertools import islice
from uuid import UUID

import click

from recto_client.commands import FAILED
from recto_client.commands.credentials import connected
from recto_client.job import Job

_PATIENCE_S = 10.0
_UUIDS = click.argument("uuids", metavar="UUID...", nargs=-1, required=True, type=click.UUID)
_JSON = click.option("--json", "as_json", is_flag=True, help="Whole jobs, one JSON object in a line.")


@click.command()
@_UUIDS
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Give up after so long; wait for ever if left out.",
)
@_JSON
def wait(uuids: tuple[UUID, ...], timeout_s: float | None, as_json: bool) -> int:
    """Wait until jobs have ended and print how. Exit status 1 where one failed, or did not end in time."""
    status = 0
    with connected(_PATIENCE_S) as client:
        for uuid in uuids:
            job = client.wait(str(uuid), timeout_s=timeout_s)
            click.echo(json.dumps(dict(job.json)) if as_json else f"{job.uuid} {job.status}")
            if job.reason:
                click.echo(f"{job.file_name}: {job.reason.detail} ({job.reason.code})", err=True)
                status = FAILED
    return status


@click.command()
@click.option(
    "--status",
    metavar="STATUS",
    help="Only those: QUEUED, IN_PROGRESS, FINISHED, FAILURE, or several joined by a comma.",
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@_JSON
def jobs(status: str | None, limit: int, as_json: bool) -> None:
    """List your jobs, newest first."""
    with connected(_PATIENCE_S) as client:
        for job in islice(client.jobs(status=status), limit):
            click.echo(json.dumps(dict(job.json)) if as_json else _row(job))


@click.command()
@_UUIDS
def cancel(uuids: tuple[UUID, ...]) -> None:
    """Stop jobs and keep their documents. One that has ended stays as it ended."""
    with connected(_PATIENCE_S) as client:
        for uuid in uuids:
            job = client.cancel(str(uuid))
            click.echo(f"{job.uuid} {job.status}")


@click.command()
@_UUIDS
def delete(uuids: tuple[UUID, ...]) -> None:
    """Stop jobs and remove them with their documents and results."""
    with connected(_PATIENCE_S) as client:
        for uuid in uuids:
            client.delete(str(uuid))


def _row(job: Job) -> str:
    pages = f"{job.pages_done}/{job.page_count if job.page_count is not None else '?'}"
    why = f"  {job.reason.code}" if job.reason else ""
    return f"{job.uuid}  {job.created.astimezone():%Y-%m-%d %H:%M}  {job.status:<11}  {pages:>9}  {job.file_name}{why}"
