"""`recto read`, `recto submit`, `recto download`: documents there, results back."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import click

from recto_client.client import Client
from recto_client.commands import FAILED
from recto_client.commands.credentials import connected
from recto_client.commands.options import FORMAT, given_options, job_options, password_option
from recto_client.documents import Source
from recto_client.errors import JobFailed, NotAllowed, NotSignedIn, Problem, RectoError
from recto_client.formats import NOT_FOR_TERMINALS, SUFFIXES
from recto_client.job import Job

_LOOK_S = 2.0
_FILES = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True)
)
_OUTPUT = click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="A file, or a folder that is there; standard output if left out.",
)
_FORMAT = click.option(
    "--format", "result_format", type=FORMAT, default="txt", show_default=True, help="What to write."
)


@click.command(short_help="Send documents, wait, and write what was read.")
@_FILES
@job_options
@password_option
@_FORMAT
@_OUTPUT
def read(files: tuple[Path, ...], result_format: str, output: Path | None, **given: Any) -> int:
    """Read documents: send each FILE, wait for it, and write what was read. - is standard input.

    Several files are read at the same time and written in their order: into a folder, or one after another to standard output. One that
    cannot be read is told of, the others are written, and the exit status is 1.
    """
    options = given_options(given) | {"formats": result_format}
    _check_output(result_format, output, len(files))
    status = 0
    with connected() as client:
        sent = [(file, _sent(client, file, options)) for file in files]
        taken: set[Path] = set()
        for file, job in sent:
            if isinstance(job, Job) and _has_ended_well(client, file, job):
                target = _target(output, file, result_format, taken)
                status = max(status, _fetched(client, file, job, result_format, target))
            else:
                status = FAILED
    return status


@click.command()
@_FILES
@job_options
@password_option
@click.option("--json", "as_json", is_flag=True, help="Whole jobs, one JSON object in a line.")
def submit(files: tuple[Path, ...], as_json: bool, **given: Any) -> int:
    """Send documents and print the uuid of each job, without waiting. - is standard input."""
    options, status = given_options(given), 0
    with connected() as client:
        for file in files:
            job = _sent(client, file, options)
            if job is None:
                status = FAILED
            else:
                click.echo(json.dumps(dict(job.json)) if as_json else job.uuid)
    return status


@click.command()
@click.argument("uuid", type=click.UUID)
@_FORMAT
@_OUTPUT
def download(uuid: UUID, result_format: str, output: Path | None) -> None:
    """Write the result of a job, as soon as it is there."""
    _check_output(result_format, output, 1)
    with connected() as client:
        target = _target(output, Path(client.job(str(uuid)).file_name), result_format, set())
        _bring(client, str(uuid), result_format, target)


def _check_output(result_format: str, output: Path | None, count: int) -> None:
    if output is None and result_format in NOT_FOR_TERMINALS:
        if sys.stdout.isatty():
            raise click.UsageError(f"{result_format} is not for a terminal. Name a file: -o FILE.")
        if count > 1:
            raise click.UsageError(
                f"Several files of {result_format} do not go into one stream. Name a folder: -o FOLDER/."
            )
    if output and count > 1 and not output.is_dir():
        raise click.UsageError(f"{output} is no folder, but there are {count} files. Make one: mkdir {output}")


def _sent(client: Client, file: Path, options: dict[str, str]) -> Job | None:
    """The job; None where the document was refused, which is told."""
    source: Source = sys.stdin.buffer if str(file) == "-" else file
    try:
        return client.submit(source, **options)
    except (NotSignedIn, NotAllowed):
        raise
    except Problem as problem:
        _tell(file, problem)
    except OSError as error:
        _tell(file, f"{error.strerror}. Check the path and its permissions.")
    return None


def _has_ended_well(client: Client, file: Path, job: Job) -> bool:
    """Waits, and tells a terminal how far it is."""
    job = _watched(client, file, job) if sys.stderr.isatty() else client.wait(job)
    if job.reason:
        _tell(file, f"{job.reason.detail} ({job.reason.code})")
    for warning in job.warnings:
        _tell(file, f"Warning: {warning.detail}")
    return job.reason is None


def _watched(client: Client, file: Path, job: Job) -> Job:
    """Waits with a line that changes, and is gone at the end."""
    told, state = "", job
    for state in client.states(job, every_s=_LOOK_S):
        if state.page_count and not state.is_final:
            told = f"{file.name}: {state.pages_done} of {state.page_count} pages"
            click.echo(f"\r{told}", err=True, nl=False)
    if told:
        click.echo(f"\r{' ' * len(told)}\r", err=True, nl=False)
    return state


def _fetched(client: Client, file: Path, job: Job, result_format: str, target: Path | None) -> int:
    """The exit status of one document; what is wrong is told."""
    try:
        _bring(client, job.uuid, result_format, target)
    except (NotSignedIn, NotAllowed):
        raise
    except Problem as problem:
        _tell(file, problem)
        return FAILED
    return 0


def _target(output: Path | None, file: Path, result_format: str, taken: set[Path]) -> Path | None:
    """Where the result of that document goes: no two into one file."""
    if output is None or not output.is_dir():
        return output
    target = output / f"{file.stem}{SUFFIXES[result_format]}"
    if target in taken:
        target = output / f"{file.name}{SUFFIXES[result_format]}"
    number = 2
    while target in taken:
        target = output / f"{file.stem}-{number}{SUFFIXES[result_format]}"
        number += 1
    taken.add(target)
    return target


def _bring(client: Client, uuid: str, result_format: str, target: Path | None) -> None:
    """Into a file that appears when it is complete; into standard output, pipes and devices as they are."""
    try:
        if target and (target.is_file() or not target.exists()):
            client.download(uuid, result_format, target)
            return
        with tempfile.TemporaryFile() as whole, _stream(target) as out:
            client.download(uuid, result_format, whole)
            whole.seek(0)
            shutil.copyfileobj(whole, out)
    except JobFailed as error:
        reason = client.job(uuid).reason
        raise RectoError(f"{reason.detail} ({reason.code})" if reason else str(error)) from error


@contextmanager
def _stream(target: Path | None) -> Iterator[BinaryIO]:
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with target.open("wb") as file:
            yield file


def _tell(file: Path, what: object) -> None:
    click.echo(f"{file}: {what}", err=True)
