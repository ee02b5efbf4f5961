"""`make licences`: docs/licences.md, the licence of every pinned package, and whether it goes with Recto's own (MIT).

pip-licenses reads them from the packages that are installed. What it finds is held against a list: a licence that is not on it is refused
until somebody has read it.
"""

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from recto.setting_layers import PROJECT_FOLDER
from tools.pins import LOCKED, normalised, pins

DOCUMENT: Final = PROJECT_FOLDER / "docs" / "licences.md"
RELEASE_TOOLS: Final = PROJECT_FOLDER / ".make" / "release" / "bin"

PERMISSIVE: Final = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "HPND",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "PSF-2.0",
        "Python-2.0",
        "Unlicense",
        "ZPL-2.1",
        "Zlib",
    ]
)
"""SPDX names. They ask for their notice to be kept."""
OF_LIBRARIES: Final = frozenset(["LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "LGPL", "MPL-2.0"])
"""They ask for changes of their own files to be published, and that who has the whole can replace them. Recto uses them unchanged, as packages of their own."""
ACCEPTED: Final = PERMISSIVE | OF_LIBRARIES

SPELLED: Final = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Public Domain": "Unlicense",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
"""Licences by the names that packages used before SPDX."""
READ_BY_HAND: Final = {
    "axe-playwright-python": "MIT AND MPL-2.0",
    "kubernetes-validate": "Apache-2.0",
    "partd": "BSD-3-Clause",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
}
"""Of packages whose own words no program understands."""


def as_expression(package: str, said: str) -> str:
    """SPDX, as far as the package says it that way."""
    if package in READ_BY_HAND:
        return READ_BY_HAND[package]
    return " AND ".join(SPELLED.get(one.strip(), one.strip()) for one in said.split(";"))


def is_accepted(expression: str) -> bool:
    """Of what is joined by AND all, of what is joined by OR one has to be on the list (SPDX annex D). With parentheses, all that is named."""
    if "(" in expression:
        return all(one in ACCEPTED for one in re.split(r"\s+(?:AND|OR)\s+|[()]", expression) if one.strip())
    return any(all(one in ACCEPTED for one in each.split(" AND ")) for each in expression.split(" OR "))


def installed_licences(python: Path, names: Collection[str]) -> dict[str, str]:
    """Expressions by normalised name, of the packages that are installed for that Python."""
    command = [
        str(RELEASE_TOOLS / "pip-licenses"),
        "--python",
        str(python),
        "--from=mixed",
        "--with-system",
        "--format=json",
    ]
    done = subprocess.run([*command, "--packages", *names], capture_output=True, text=True, check=True)
    found = {normalised(one["Name"]): one["License"] for one in json.loads(done.stdout)}
    return {name: as_expression(name, said) for name, said in found.items()}


def licences_by_use() -> dict[str, dict[str, str]]:
    """Of each file of LOCKED its packages with their licences; one that is pinned in several counts for the first."""
    known: set[str] = set()
    by_use = {}
    for locked in LOCKED:
        names = sorted(set(pins(locked)) - known)
        known |= set(names)
        here = RELEASE_TOOLS / "python" if locked == "requirements-release" else Path(sys.executable)
        by_use[locked] = installed_licences(here, names)
        missing = set(names) - set(by_use[locked])
        if missing:
            raise click.ClickException(
                f"Not installed, so that nothing can be said of it: {', '.join(sorted(missing))}"
            )
    return by_use


def page(by_use: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The lines of docs/licences.md."""
    yield "# Licences of what Recto uses"
    yield ""
    yield "Written by `make licences` from what the pinned packages say of themselves; a test holds it to `requirements*.txt`."
    yield "Recto itself is under the MIT licence. All of these go with it: they are permissive, or, like LGPL and MPL, ask for their own"
    yield "files to stay free and replaceable, which packages of their own are. GPL and AGPL are not accepted in what runs."
    for locked, licences in by_use.items():
        yield from ("", f"## What {LOCKED[locked]}", "", "| package | licence |", "|---|---|")
        yield from (f"| {name} | {licence} |" for name, licence in sorted(licences.items()))
    yield from NOTES


NOTES: Final = (
    "",
    "## What no package says",
    "",
    "- Tesseract and its language data, which come from the system, are under Apache-2.0.",
    "- Wheels bring libraries along that their licence does not name: `opencv-python-headless` FFmpeg (LGPL-2.1), `pi-heif` libheif and libde265 (LGPL-3.0), `pikepdf` qpdf (Apache-2.0), `pypdfium2` PDFium (BSD-3-Clause),",
    "  `tesserocr` Tesseract (Apache-2.0) and Leptonica (BSD-2-Clause). `pillow-heif`, with which the tests write HEIC, brings x265 (GPL-2.0): it is in no image, and nothing that runs imports it.",
)


def main() -> int:
    """Exit status 1 where a licence is not accepted; the page is written all the same."""
    by_use = licences_by_use()
    DOCUMENT.write_text("\n".join([*page(by_use), ""]), encoding="utf-8")
    refused = [(name, one) for licences in by_use.values() for name, one in licences.items() if not is_accepted(one)]
    for name, licence in refused:
        click.echo(
            f"{name}: '{licence}' is not on the list in tools/licences.py. Read it, then add it or do without the package.",
            err=True,
        )
    click.echo(
        f"{sum(map(len, by_use.values()))} packages, {len(refused)} refused: {DOCUMENT.relative_to(PROJECT_FOLDER)}"
    )
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
