"""`make docs`: the documentation as a site in build/docs, with every link checked.

The files are laid out under build/docs-source as they lie in the repository, so that their links lead to the same places in both. With them
go the files of code that they link to, and pages that are made from the code (docs_reference.py).
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from recto.setting_layers import PROJECT_FOLDER
from tools.docs_reference import write_reference
from tools.site_links import look_at_site, report

SOURCE: Final = PROJECT_FOLDER / "build" / "docs-source"
SITE: Final = PROJECT_FOLDER / "build" / "docs"
"""Where mkdocs.yml reads and writes."""
EXTERNAL: Final = PROJECT_FOLDER / "build" / "docs-external-links.txt"
_LINK: Final = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def lay_out(source: Path) -> None:
    """Documents, and what they link to, as they lie in the repository; what was there before goes."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(PROJECT_FOLDER / "docs", source / "docs")
    for file in PROJECT_FOLDER.glob("*.md"):
        shutil.copy(file, source)
    for name in sorted(set(_linked_files(source))):
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT_FOLDER / name, target)


def _linked_files(source: Path) -> Iterator[Path]:
    """Files of the repository that the documents link to and that are not among them."""
    for document in source.rglob("*.md"):
        for link in _LINK.findall(document.read_text(encoding="utf-8")):
            name = Path(os.path.normpath(document.parent.relative_to(source) / link))
            if (PROJECT_FOLDER / name).is_file() and not (source / name).exists():
                yield name


def _draw() -> bool:
    """Whether mkdocs has nothing to say against it: a warning is an error. What it says is printed."""
    # The theme's makers advertise its successor with every build.
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(command, cwd=PROJECT_FOLDER, env=environ, capture_output=True, text=True, check=False)
    for line in done.stderr.splitlines():
        if not line.startswith("INFO"):
            click.echo(line, err=True)
    return done.returncode == 0


def main() -> int:
    """Exit status 1 where mkdocs warns of something, or a link leads nowhere."""
    lay_out(SOURCE)
    write_reference(SOURCE / "docs" / "reference")
    if not _draw():
        return 1
    found = look_at_site(SITE)
    EXTERNAL.write_text("".join(f"{link}\n" for link in found.external), encoding="utf-8")
    for line in report(found):
        click.echo(line)
    site = SITE.relative_to(PROJECT_FOLDER)
    click.echo(f"The site is in {site}. To read it: python3 -m http.server --bind 127.0.0.1 --directory {site} 8000")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
