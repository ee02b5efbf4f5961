"""`derive`: a format of a finished job's result, or a picture of one of its pages. The Backend runs it in a process of its own."""

import os
import signal
from uuid import UUID, uuid4

import click
from sqlalchemy.orm import Session, sessionmaker

from models import JobStatus
from recto.commands.page_processes import page_process_setup
from recto.commands.parts import connect_sessions, open_sessions
from recto.database.connections import Begin, transaction
from recto.errors import PageNotFound, RectoError, ResultNotMade
from recto.logs import configure_logging, get_logger
from recto.ocr.options import RESULT_FORMATS, STAGES, Options, ResultFormat
from recto.parent_death import die_with_parent
from recto.records import corrections, derivations
from recto.records.derivations import PagePicture, ResultFile, parse_name
from recto.settings import Settings, load_settings
from recto.views.jobs import JobView, checkpoints, find_job, job_not_found, page_failures
from recto.working.page_tasks import (
    describe_result,
    inspect_document,
    limit_this_process,
    prepare_this_process,
    result_not_made,
    write_picture,
    write_result,
)

_log = get_logger(__name__)


def _named(_context: click.Context, _parameter: click.Parameter, name: str) -> ResultFile | PagePicture:
    """What is called so. click.BadParameter where nothing is."""
    found = parse_name(name)
    if found is None:
        pictures = ", ".join(f"page-0001-{stage}.png" for stage in STAGES)
        raise click.BadParameter(f"'{name}' is none of {', '.join(RESULT_FORMATS)}, {pictures}.")
    return found


@click.command()
@click.argument("uuid", type=click.UUID)
@click.argument("wanted", callback=_named)
@click.option("--token", help="Go on with a derivation that the Backend has begun under this token.")
@click.option(
    "--parent-pid", type=int, help="Process id of the program that asks for it: its end is the end of this one."
)
def derive(uuid: UUID, wanted: ResultFile | PagePicture, token: str | None, parent_pid: int | None) -> None:
    """Make WANTED of a finished job without reading the document again: a format, or a picture such as page-0001-preprocessed.png."""
    if parent_pid is not None:
        die_with_parent(signal.SIGKILL, parent_pid=parent_pid)
    settings = load_settings(os.environ)
    configure_logging(settings.log.level, settings.log.format)
    sessions = connect_sessions(settings) if token else open_sessions(settings)
    with transaction(sessions(), Begin.READ) as session:
        job = find_job(session, str(uuid))
    if job is None:
        raise job_not_found()
    if job.status is not JobStatus.FINISHED:
        raise ResultNotMade(f"Job {uuid} is {job.status}; formats and pictures are made of jobs that are FINISHED.")
    if token is None:
        token = uuid4().hex
        hold_s = settings.worker.time_limits.writing_s(job.page_count or 0)
        with transaction(sessions(), Begin.WRITE) as session:
            if not derivations.begin(session, job.uuid, wanted.name, token, hold_s):
                raise ResultNotMade("This is being made already, or failed a moment ago. Try again in a minute.")
    _make(settings, sessions, job, wanted, token)


def _make(
    settings: Settings, sessions: sessionmaker[Session], job: JobView, wanted: ResultFile | PagePicture, token: str
) -> None:
    """Write the file, and record the end of the derivation either way."""
    setup = page_process_setup(settings, with_storage=True)
    limit_this_process(setup)
    prepare_this_process(setup, reads=False)
    try:
        if isinstance(wanted, PagePicture):
            _write_picture(sessions, job, wanted)
        else:
            _write_format(sessions, job, wanted.result_format)
    except Exception as error:
        if not isinstance(error, RectoError):
            _log.exception("derivation_failed", job=job.uuid, name=wanted.name)
        problem = result_not_made(wanted.title, error)
        with transaction(sessions(), Begin.WRITE) as session:
            derivations.fail(session, job.uuid, wanted.name, token, problem)
        raise problem from error
    with transaction(sessions(), Begin.WRITE) as session:
        derivations.end(session, job.uuid, wanted.name, token)


def _write_format(sessions: sessionmaker[Session], job: JobView, result_format: ResultFormat) -> None:
    with transaction(sessions(), Begin.READ) as session:
        pages, failures = checkpoints(session, job.uuid), page_failures(session, job.uuid)
        standing = corrections.of_job(session, job.uuid)
    password = job.options.plain_password
    page_count = inspect_document(job.uuid, password).page_count
    document = describe_result(page_count, (*job.warnings, *failures), job.result_created, job.options)
    read, mended = standing.checkpoints(pages), standing.corrections
    write_result(job.uuid, job.result_token or "", result_format, read, document, password, mended)


def _write_picture(sessions: sessionmaker[Session], job: JobView, wanted: PagePicture) -> None:
    with transaction(sessions(), Begin.READ) as session:
        tokens = dict(checkpoints(session, job.uuid))
        reading = corrections.of_job(session, job.uuid).page(wanted.number).reading
    if wanted.number not in tokens:
        raise PageNotFound(f"The job has not read page {wanted.number}. Ask for a page that is in its result.")
    if reading:
        options = Options.model_validate(reading.options | {"password": job.options.plain_password})
        write_picture(job.uuid, reading.token, (wanted.number, reading.token), wanted.stage, options)
    else:
        checkpoint = wanted.number, tokens[wanted.number]
        write_picture(job.uuid, job.result_token or "", checkpoint, wanted.stage, job.options)
