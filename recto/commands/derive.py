"""`derive`: one format of a finished job's result, made from what was read. The Backend runs it in a process of its own."""

import os
from uuid import UUID, uuid4

import click
from sqlalchemy.orm import Session, sessionmaker

from models import JobStatus
from recto import derivations
from recto.commands.page_processes import page_process_setup
from recto.commands.parts import connect_sessions, open_sessions
from recto.database import Begin, transaction
from recto.errors import RectoError, ResultNotMade
from recto.job_views import JobView, checkpoints, find_job, job_not_found, page_failures
from recto.logs import configure_logging, get_logger
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.page_tasks import (
    describe_result,
    inspect_document,
    limit_this_process,
    prepare_this_process,
    result_not_made,
    write_result,
)
from recto.settings import Settings, load_settings

_log = get_logger(__name__)


@click.command()
@click.argument("uuid", type=click.UUID)
@click.argument("result_format", metavar="FORMAT", type=click.Choice(list(RESULT_FORMATS)))
@click.option("--token", help="Go on with a derivation that the Backend has begun under this token.")
def derive(uuid: UUID, result_format: ResultFormat, token: str | None) -> None:
    """Make a format of a finished job's result, without reading the document again."""
    settings = load_settings(os.environ)
    configure_logging(settings.log.level, settings.log.format)
    sessions = connect_sessions(settings) if token else open_sessions(settings)
    with transaction(sessions(), Begin.READ) as session:
        job = find_job(session, str(uuid))
    if job is None:
        raise job_not_found()
    if job.status is not JobStatus.FINISHED:
        raise ResultNotMade(f"Job {uuid} is {job.status}; formats are made of jobs that are FINISHED.")
    if token is None:
        token = uuid4().hex
        hold_s = derivations.time_limit_s(settings.worker.page_timeout_s, job.page_count or 0)
        with transaction(sessions(), Begin.WRITE) as session:
            if not derivations.begin(session, job.uuid, result_format, token, hold_s):
                raise ResultNotMade("This format is being made already, or failed a moment ago. Try again in a minute.")
    _make(settings, sessions, job, result_format, token)


def _make(
    settings: Settings, sessions: sessionmaker[Session], job: JobView, result_format: ResultFormat, token: str
) -> None:
    """Write the file, and record the end of the derivation either way."""
    setup = page_process_setup(settings, with_storage=True)
    limit_this_process(setup)
    prepare_this_process(setup, reads=False)
    try:
        _write(sessions, job, result_format)
    except Exception as error:
        if not isinstance(error, RectoError):
            _log.exception("format_not_made", job=job.uuid, format=result_format)
        problem = result_not_made(result_format, error)
        with transaction(sessions(), Begin.WRITE) as session:
            derivations.fail(session, job.uuid, result_format, token, problem)
        raise problem from error
    with transaction(sessions(), Begin.WRITE) as session:
        derivations.end(session, job.uuid, result_format, token)


def _write(sessions: sessionmaker[Session], job: JobView, result_format: ResultFormat) -> None:
    with transaction(sessions(), Begin.READ) as session:
        pages, failures = checkpoints(session, job.uuid), page_failures(session, job.uuid)
    password = job.options.plain_password
    page_count = inspect_document(job.uuid, password).page_count
    document = describe_result(page_count, (*job.warnings, *failures), job.created, job.options)
    write_result(job.uuid, job.result_token or "", result_format, pages, document, password)
