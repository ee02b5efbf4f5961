"""What requirements*.txt pin: names, versions and the hashes of their files."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recto.setting_layers import PROJECT_FOLDER

_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_ASKED: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)

LOCKED: Final = {
    "requirements": "runs in the service",
    "requirements-otel": "sends traces, where they are wanted",
    "requirements-cluster": "reads on a Dask cluster",
    "requirements-dev": "checks and tests it",
    "requirements-docs": "draws the documentation's site",
    "requirements-release": "makes the reports of a release",
}
"""Each file's name without its ending, and what its packages are for."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package. `name` is normalised (PEP 503); `sha256` are those of all its files, for every platform."""

    name: str
    version: str
    sha256: tuple[str, ...]


def normalised(name: str) -> str:
    """As package indices compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(locked: str, folder: Path = PROJECT_FOLDER) -> dict[str, Pin]:
    """By name, what that file of LOCKED pins."""
    text = (folder / f"{locked}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if match := _PIN.match(line):
            name = normalised(match["name"])
            found[name] = Pin(name, match["version"], tuple(_HASH.findall(line)))
    return found


def asked(locked: str, folder: Path = PROJECT_FOLDER) -> list[str]:
    """Names of the packages that its `.in` file asks for; the others came with them."""
    return [normalised(name) for name in _ASKED.findall((folder / f"{locked}.in").read_text(encoding="utf-8"))]
