"""`python -m tests.fuzz.run`, which `make fuzz` calls: damaged files through the page process, and what became of them.

Exit status 1 where a file caused what none may: an error that recto/errors.py does not know, a process above its memory cap, files
left behind; or where less than half of the files passed the check of the type. A crash of this process is the parent's.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from recto.commands.page_processes import page_process_setup
from recto.settings import load_settings
from recto.storage_setup import StorageSetup
from tests.fuzz.cases import Case, make_case
from tests.fuzz.originals import drawn, read_folder
from tests.fuzz.page_process import Outcome, PageProcesses
from tests.fuzz.table import Row, lines, rows

_PAGE_TIMEOUT_S: Final = 60.0
_PROGRESS: Final = 100
_SLOW_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Found:
    """All outcomes by kind, and what no file may cause."""

    outcomes: list[tuple[str, Outcome]]
    faults: list[str]

    @property
    def table(self) -> dict[str, Row]:
        """See table.py."""
        return rows(self.outcomes)


def fuzz(seed: int, numbers: Iterable[int], originals: Mapping[str, bytes], *, repeat: str = "") -> Found:
    """Judge these cases. `repeat` says how a case is called again, but for its number."""
    found = Found([], [])
    with page_processes() as processes:
        for number in numbers:
            case = make_case(seed, number, originals)
            outcome = processes.judge(case)
            found.outcomes.append((case.kind, outcome))
            _tell(case, outcome, found, repeat)
        found.faults.extend(f"Left behind: {name}" for name in processes.left_behind())
    table = found.table["all"]
    if table.files > 1 and 2 * table.accepted < table.files:
        found.faults.append(f"Only {table.accepted} of {table.files} files passed the check of the type.")
    return found


@contextmanager
def page_processes() -> Iterator[PageProcesses]:
    """With the default settings, on a storage that goes with them."""
    settings = load_settings({})
    with TemporaryDirectory(prefix="recto-fuzz-") as folder:
        setup = replace(page_process_setup(settings, with_storage=True), storage=StorageSetup(Path(folder) / "storage"))
        processes = PageProcesses(setup, _PAGE_TIMEOUT_S, settings.worker.pages_per_process)
        try:
            yield processes
        finally:
            processes.stop()


def _tell(case: Case, outcome: Outcome, found: Found, repeat: str) -> None:
    """What is worth a line while it runs: faults, deaths, slow files, and that it goes on."""
    described = f"{case.number}: {case.kind} of {case.original}: {outcome.code}, {outcome.took_s:.1f} s"
    if outcome.fault is not None:
        found.faults.append(f"{described}\n{outcome.fault}\nAgain: {repeat} --only {case.number}")
        click.echo(found.faults[-1], err=True)
    elif outcome.code in ("page_crashed", "page_timeout", "page_out_of_memory") or outcome.took_s > _SLOW_S:
        click.echo(described, err=True)
    if len(found.outcomes) % _PROGRESS == 0:
        click.echo(f"{len(found.outcomes)} files", err=True)


@click.command(help="Send damaged documents through the page process and count how each ended.")
@click.option("--files", default=2000, show_default=True, help="How many.")
@click.option("--seed", default=1, show_default=True, help="Other seeds make other files.")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of more documents to damage.",
)
@click.option("--only", type=int, help="The one case of this number.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep the file of --only here.")
def main(files: int, seed: int, source: Path | None, only: int | None, save: Path | None) -> None:
    """Exit status 1 where there were faults."""
    originals = drawn() | (read_folder(source) if source else {})
    repeat = f"python -m tests.fuzz.run --seed {seed}" + (f" --source {source}" if source else "")
    click.echo(f"Seed {seed}, {len(originals)} originals. Again: {repeat} --files {files}", err=True)
    if save is not None and only is not None:
        save.write_bytes(make_case(seed, only, originals).content)
    found = fuzz(seed, range(files) if only is None else [only], originals, repeat=repeat)
    click.echo("\n".join(lines(found.table)))
    if found.faults:
        raise click.ClickException("\n\n".join([f"{len(found.faults)} faults:", *found.faults]))


if __name__ == "__main__":
    main()
