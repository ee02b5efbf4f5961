"""`make sbom`: what Recto, and its client, are made of, as CycloneDX in build/sbom.

cyclonedx-py reads the installed packages with their licences. From that, each bill keeps what its program needs, says what the program is, and adds the hashes that requirements.txt pins. Tesseract and the system's packages are not Python's, and not in it.
"""

import json
import subprocess
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import click
from packaging.requirements import Requirement

import recto
from recto.setting_layers import PROJECT_FOLDER
from tools.licences import RELEASE_TOOLS
from tools.pins import Pin, asked, normalised, pins

FOLDER: Final = PROJECT_FOLDER / "build" / "sbom"
_CLIENT_NEEDS: Final = ("click", "httpx")
_VALIDATE: Final = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1], encoding="utf-8").read())
sys.exit(str(fault) if fault else 0)
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a program asks for itself, and all that comes with it."""

    direct: Collection[str]
    all: Collection[str]


def whole_environment() -> dict[str, Any]:
    """The bill of everything that is installed beside Recto."""
    command = [
        str(RELEASE_TOOLS / "cyclonedx-py"),
        "environment",
        "--spec-version",
        "1.6",
        "--output-reproducible",
        sys.executable,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def needs_of_installed() -> dict[str, list[str]]:
    """Of each installed package what it needs here, by normalised names; what only an extra needs is left out."""
    graph = {}
    for distribution in distributions():
        required = [Requirement(one) for one in distribution.requires or []]
        here = [one for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
        graph[normalised(distribution.metadata["Name"])] = [normalised(one.name) for one in here]
    return graph


def bill_of(
    program: str, parts: Parts, whole: dict[str, Any], graph: dict[str, list[str]], pinned: dict[str, Pin]
) -> dict[str, Any]:
    """Those parts of `whole` that are the program's. ClickException where something else is installed than is pinned."""
    found = {normalised(one["name"]): one for one in whole["components"]}
    direct, kept = parts.direct, sorted(parts.all)
    refs = {name: found[name]["bom-ref"] for name in kept}
    root = {
        "type": "application",
        "bom-ref": program,
        "name": program,
        "version": recto.__version__,
        "licenses": [{"license": {"id": "MIT"}}],
    }
    depends = [{"ref": program, "dependsOn": sorted(refs[name] for name in direct)}]
    depends += [
        {"ref": refs[name], "dependsOn": sorted({refs[one] for one in graph.get(name, []) if one in refs})}
        for name in kept
    ]
    return {
        **whole,
        "metadata": {**whole["metadata"], "component": root},
        "components": [_with_hashes(found[name], pinned) for name in kept],
        "dependencies": depends,
    }


def reachable(start: Iterable[str], graph: dict[str, list[str]]) -> set[str]:
    """All that is needed, and all that this needs."""
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        ref = waiting.pop()
        if ref not in seen:
            seen.add(ref)
            waiting += graph.get(ref, [])
    return seen


def _with_hashes(component: dict[str, Any], pinned: dict[str, Pin]) -> dict[str, Any]:
    pin = pinned.get(normalised(component["name"]))
    if pin is None or pin.version != component["version"]:
        raise click.ClickException(
            f"{component['name']} {component['version']} is not what is pinned. Run make setup in a fresh environment."
        )
    return {**component, "hashes": [{"alg": "SHA-256", "content": one} for one in pin.sha256]}


def write(program: str, bill: dict[str, Any]) -> Path:
    """Writes it and has the CycloneDX library hold it against the schema; CalledProcessError where it does not fit."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{program}.cdx.json"
    file.write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    subprocess.run([RELEASE_TOOLS / "python", "-c", _VALIDATE, file], check=True)
    return file


def main() -> int:
    """Both bills."""
    whole = whole_environment()
    graph = needs_of_installed()
    pinned = pins("requirements-dev") | pins("requirements")
    programs = {
        "recto": Parts(asked("requirements"), pins("requirements")),
        "recto-client": Parts(_CLIENT_NEEDS, reachable(_CLIENT_NEEDS, graph)),
    }
    for program, parts in programs.items():
        bill = bill_of(program, parts, whole, graph, pinned)
        file = write(program, bill)
        click.echo(f"{file.relative_to(PROJECT_FOLDER)}: {len(bill['components'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
