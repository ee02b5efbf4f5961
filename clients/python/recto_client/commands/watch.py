"""`recto watch`."""

from pathlib import Path
from typing import Any, Final

import click

from recto_client.client import Client
from recto_client.commands import FAILED
from recto_client.commands.credentials import connected
from recto_client.commands.options import FORMAT, given_options, job_options
from recto_client.errors import Busy, NotReachable, RectoError
from recto_client.watching.journal import Journal, JournalInUse
from recto_client.watching.watcher import Folders, Pace, Watcher

_JOURNAL: Final = ".recto-watch.sqlite3"
_PATIENCE_S: Final = 30.0
_FOLDER: Final = click.Path(file_okay=False, path_type=Path)


@click.command(short_help="Read every document that appears in a folder, once.")
@click.argument("inbox", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", "outbox", type=_FOLDER, required=True, help="The folder for results; made where it is not there."
)
@click.option(
    "--format",
    "formats",
    type=FORMAT,
    multiple=True,
    help="What to write, more than once for more than one.  [default: txt]",
)
@job_options
@click.option(
    "--once",
    is_flag=True,
    help="End when all that lies in INBOX has been read. Exit status 1 where something could not be.",
)
@click.option(
    "--move-done", is_flag=True, help="Move documents that were read to INBOX/.done; left where they are otherwise."
)
@click.option(
    "--in-flight", type=click.IntRange(1, 256), default=8, show_default=True, help="Documents under way at a time."
)
@click.option(
    "--interval",
    "interval_s",
    type=click.FloatRange(0.1),
    default=1.0,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option(
    "--settle",
    "settle_s",
    type=click.FloatRange(0),
    default=3.0,
    show_default=True,
    help="Seconds without a change after which a file is complete.",
)
@click.option(
    "--journal",
    "journal_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Where to keep account.  [default: OUT/{_JOURNAL}]",
)
def watch(
    inbox: Path,
    outbox: Path,
    formats: tuple[str, ...],
    once: bool,
    move_done: bool,
    in_flight: int,
    interval_s: float,
    settle_s: float,
    journal_file: Path | None,
    **given: Any,
) -> int:
    """Read every document that appears in the folder INBOX, once, until Ctrl-C.

    A scan is taken when it has stopped growing. Its results appear in OUT, in the same sub-folder and under the same name; of two
    documents with one name the later gets another. Where a document cannot be read, NAME.error.txt says why and what to do.

    It may be killed at any moment, with the machine: started again, it goes on where it was, and nothing is read twice.
    """
    options = {"formats": "+".join(formats or ("txt",)), **given_options(given)}
    folders = Folders(inbox.resolve(), outbox.resolve(), move_done)
    if folders.inbox.is_relative_to(folders.outbox):
        raise click.UsageError(
            "Results in INBOX, or above it, would be taken for documents. Name another folder: --out OUT."
        )
    folders.outbox.mkdir(parents=True, exist_ok=True)
    with connected(_PATIENCE_S) as client:
        pace = Pace(min(in_flight, _most_unfinished(client, once=once)), interval_s, settle_s)
        journal = _journal(journal_file or folders.outbox / _JOURNAL)
        watcher = Watcher(client, folders, journal, options, pace, lambda line: click.echo(line, err=True))
        watcher.run(once=once)
        journal.close()
    return FAILED if watcher.failed or watcher.unreadable else 0


def _most_unfinished(client: Client, *, once: bool) -> int:
    """How many documents of one user this Recto takes at a time. One that is started later than the watcher is waited for."""
    while True:
        try:
            return max(1, int(client.limits()["queue"]["max_unfinished_per_user"]))
        except (NotReachable, Busy) as error:
            if once:
                raise
            click.echo(f"{error} Trying again.", err=True)


def _journal(file: Path) -> Journal:
    try:
        return Journal(file)
    except JournalInUse as error:
        raise RectoError(str(error)) from error
