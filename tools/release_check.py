"""`make release-check`: what a release needs, and whether it is there. It changes nothing but build/. docs/releasing.md has the steps."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import click

import recto
from recto.setting_layers import PROJECT_FOLDER
from tools import docs_site, licences, sbom
from tools.pins import LOCKED, pins

PYTHONS: Final = ("3.11", "3.12", "3.13")
_PLATFORMS: Final = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64")

Faults: TypeAlias = Iterator[str]
"""What is missing, in sentences."""


def version_is_ready() -> Faults:
    """The changes have a heading of this version, and nothing is unreleased."""
    text = (PROJECT_FOLDER / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    if not any(re.fullmatch(rf"{re.escape(recto.__version__)} - \d{{4}}-\d\d-\d\d", heading) for heading in headings):
        yield f"CHANGELOG.md has no heading '## {recto.__version__} - DATE'"
    if text.partition("\n## Unreleased\n")[2].partition("\n## ")[0].strip():
        yield "CHANGELOG.md has changes under 'Unreleased': put them under the version"


def tree_is_clean() -> Faults:
    """Everything is committed, and the version is not tagged yet."""
    if _output("git", "status", "--porcelain"):
        yield "There are changes that are not committed: git status"
    if _output("git", "tag", "--list", f"v{recto.__version__}"):
        yield f"v{recto.__version__} is tagged already: set the next version"


def packages_are_pinned_by_hash() -> Faults:
    """Each file of each package."""
    for locked in LOCKED:
        bare = [pin.name for pin in pins(locked).values() if not pin.sha256]
        if bare:
            yield f"{locked}.txt has no hashes of {', '.join(bare)}: make lock"


def packages_are_there_for_each_python() -> Faults:
    """A wheel, or a source of pure Python, that pip would take on Linux. Asks the index; installs nothing."""
    for python in PYTHONS:
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--dry-run",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
            ]
            command += ["--target", folder, "--python-version", python, "-r", "requirements.txt"]
            command += [f"--platform={platform}" for platform in _PLATFORMS]
            done = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"Python {python}: {_last_line(done.stderr)}"


def types_hold_for_each_python() -> Faults:
    """What mypy says of the service as that Python would run it."""
    for python in PYTHONS:
        command = [
            sys.executable,
            "-m",
            "mypy",
            "--python-version",
            python,
            "app.py",
            "ocr_worker.py",
            "models.py",
            "recto",
        ]
        done = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"Python {python}: {_last_line(done.stdout)}"


def licences_are_noted() -> Faults:
    """docs/licences.md is what `make licences` would write."""
    by_use = licences.licences_by_use()
    if "\n".join([*licences.page(by_use), ""]) != licences.DOCUMENT.read_text(encoding="utf-8"):
        yield "docs/licences.md is not what the packages say: make licences"


def bills_of_materials_are_made() -> Faults:
    """Both, into build/sbom."""
    if sbom.main():
        yield "make sbom fails"


def documents_are_whole() -> Faults:
    """The site is drawn without a warning, and no link leads nowhere."""
    if docs_site.main():
        yield "make docs fails"


CHECKS: Final[tuple[Callable[[], Faults], ...]] = (
    version_is_ready,
    tree_is_clean,
    packages_are_pinned_by_hash,
    packages_are_there_for_each_python,
    types_hold_for_each_python,
    licences_are_noted,
    bills_of_materials_are_made,
    documents_are_whole,
)
BY_HAND: Final = ("make audit", "make test-all", "make test-pythons", "make bench-full DATA=… where reading changed")


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no word of why")


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Only checks whose name has this in it.")
def main(only: tuple[str, ...]) -> None:
    """Say of each check whether it holds; exit status 1 where one does not."""
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    failed = 0
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        if only and not any(part in check.__name__ for part in only):
            continue
        faults = list(check())
        failed += bool(faults)
        click.echo(f"{'no ' if faults else 'yes'} {name}")
        for fault in faults:
            click.echo(f"      {fault}")
    click.echo(f"By hand, on an idle machine: {', '.join(BY_HAND)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
