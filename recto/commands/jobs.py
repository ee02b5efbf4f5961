"""`jobs`: what is in the queue, and what became of it."""

import json
import os
from dataclasses import asdict
from uuid import UUID

import click
from sqlalchemy.orm import Session, sessionmaker

from models import JobStatus
from recto import audit
from recto.audit import COMMAND_LINE, Action, Event
from recto.commands.parts import job_operations, open_sessions, open_storage
from recto.commands.sweep import sweep
from recto.commands.tables import json_flag, print_rows
from recto.database.connections import Begin, transaction
from recto.errors import FileNotFound
from recto.file_storage.base import FileKind
from recto.records.deletion_proof import find_deletion, rows_left
from recto.settings import Settings, load_settings
from recto.text_search import text_index
from recto.views import reports
from recto.views.jobs import JobView, find_job, job_not_found, page_failures, with_transitions
from recto.working.text_indexer import TextIndexer


@click.group()
def jobs() -> None:
    """List, show, cancel and delete jobs; clean up behind them."""


jobs.add_command(sweep)


@jobs.command("list")
@click.option(
    "--status",
    type=click.Choice([status.value for status in JobStatus], case_sensitive=False),
    help="Only those in this status.",
)
@click.option("--user", help="Only those of this user.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@json_flag
def list_command(status: str | None, user: str | None, limit: int, as_json: bool) -> None:
    """Jobs of everybody, newest first."""
    settings = load_settings(os.environ)
    open_sessions(settings)
    rows = reports.list_jobs(settings.database_url, status, user, limit)
    print_rows(rows, as_json=as_json, empty="There are no such jobs.")


@jobs.command()
@click.argument("uuid", type=click.UUID)
def show(uuid: UUID) -> None:
    """One job with its log, as JSON."""
    with transaction(open_sessions(load_settings(os.environ))(), Begin.READ) as session:
        job = find_job(session, str(uuid))
        if job is None:
            raise job_not_found()
        failures = page_failures(session, job.uuid)
        values = _job_values(with_transitions(session, [job])[0])
    values["warnings"] = [asdict(warning) for warning in (*job.warnings, *failures)]
    click.echo(json.dumps(values, ensure_ascii=False, indent=2))


@jobs.command()
@click.argument("uuid", type=click.UUID)
def cancel(uuid: UUID) -> None:
    """Stop a job; it ends in FAILURE with reason `cancelled`."""
    settings = load_settings(os.environ)
    with transaction(open_sessions(settings)(), Begin.WRITE) as session:
        job = find_job(session, str(uuid))
        if job is None:
            raise job_not_found()
        job_operations(settings).cancel(session, job.user_id, job.uuid)
    click.echo(f"Job {uuid} is stopped." if not job.status.is_final else f"Job {uuid} had ended before: {job.status}.")


@jobs.command()
@click.argument("uuid", type=click.UUID)
def delete(uuid: UUID) -> None:
    """Stop a job and remove it with its document and its results."""
    settings = load_settings(os.environ)
    sessions, operations = open_sessions(settings), job_operations(settings)
    with transaction(sessions(), Begin.WRITE) as session:
        job = find_job(session, str(uuid))
        if job is None:
            raise job_not_found()
        operations.delete(session, job.user_id, job.uuid)
        audit.note(session, Event(Action.JOB_DELETED, COMMAND_LINE, job.uuid))
    open_storage(settings).delete(job.uuid)
    with transaction(sessions(), Begin.WRITE) as session:
        operations.files_removed(session, job.uuid)
    click.echo(f"Job {uuid} is deleted.")


@jobs.command()
@click.option("--anew", is_flag=True, help="Make the index anew first, from what is stored of every finished job.")
def index(anew: bool) -> None:
    """Index the text that waits for it at once, and take deleted text out for good; a running Worker does both by itself."""
    settings = load_settings(os.environ)
    sessions = open_sessions(settings)
    if anew:
        with transaction(sessions(), Begin.WRITE) as session:
            text_index.rebuild(session)
        for uuid in _indexed_jobs(sessions):
            with transaction(sessions(), Begin.WRITE) as session:
                text_index.index_again(session, uuid)
    indexer = TextIndexer(sessions, open_storage(settings))
    pages = indexer.index_all()
    indexer.purge()
    click.echo(f"Indexed {pages} page{'' if pages == 1 else 's'}.")


def _indexed_jobs(sessions: sessionmaker[Session]) -> list[str]:
    with transaction(sessions(), Begin.READ) as session:
        return text_index.indexed_jobs(session)


@jobs.command()
@click.argument("uuid", type=click.UUID)
def deleted(uuid: UUID) -> None:
    """Prove that a job is gone: its rows and files are looked for, and what is noted of its deletion is shown. Exit status 1 where something is left."""
    settings = load_settings(os.environ)
    with transaction(open_sessions(settings)(), Begin.READ) as session:
        deletion, rows = find_deletion(session, str(uuid)), rows_left(session, str(uuid))
        is_purged = text_index.removals_to_purge(session) is None
    files = _files_left(settings, str(uuid))
    noted = {
        "deleted": deletion.deleted.isoformat() if deletion else None,
        "by": deletion.by if deletion else None,
        "files_removed": deletion.files_removed if deletion else None,
    }
    left = {"rows_left": rows, "files_left": files, "search_index_purged": is_purged}
    click.echo(json.dumps({"uuid": str(uuid), **noted, **left}, indent=2))
    if rows or files or not is_purged or deletion is None:
        raise click.exceptions.Exit(1)


def _files_left(settings: Settings, uuid: str) -> list[str]:
    storage = open_storage(settings)
    withdrawn = [file.name for file in storage.outside() if file.kind is FileKind.DELETED and file.name.endswith(uuid)]
    try:
        return withdrawn + [file.name for file in storage.contents(uuid)]
    except FileNotFound:
        return withdrawn


def _job_values(job: JobView) -> dict[str, object]:
    return {
        "uuid": job.uuid,
        "status": job.status.value,
        "file_name": job.file_name,
        "media_type": job.media_type,
        "size_bytes": job.size_bytes,
        "options": job.options.public(),
        "pages_done": job.pages_done,
        "page_count": job.page_count,
        "attempt": job.attempt,
        "reason": job.reason.code if job.reason else None,
        "transitions": [
            {
                "status": t.status.value,
                "timestamp": t.timestamp.isoformat(),
                "reason": t.reason.detail if t.reason else None,
            }
            for t in job.transitions
        ],
    }
