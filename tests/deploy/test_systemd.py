"""deploy/systemd: what the files promise of the programs that they start, and what systemd itself says of them."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import click
import pytest

from ocr_worker import main
from recto.settings import load_settings
from tests.deploy.compose import ROOT

FOLDER: Final = ROOT / "deploy" / "systemd"
SERVICES: Final = ("recto-backend.service", "recto-worker.service")
MOST_EXPOSURE: Final = 2.0
"""Of `systemd-analyze security`, 0 the best and 10 the worst; a service that says nothing of itself has 9.6."""
each_service = pytest.mark.parametrize("name", SERVICES)


def values(name: str) -> dict[str, list[str]]:
    """Every key of the file with all its values."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


@each_service
def test_service_starts_a_program_that_there_is(name: str) -> None:
    (start,) = values(name)["ExecStart"]
    python, program, *arguments = start.split()
    assert python == "/opt/recto/.venv/bin/python"
    assert (ROOT / program).is_file()
    assert set(arguments) <= set(main.list_commands(click.Context(main)))


@each_service
def test_settings_of_a_service_are_taken(name: str) -> None:
    (line,) = values(name)["Environment"]
    environ = dict(pair.split("=", 1) for pair in line.split())
    settings = load_settings({key: value for key, value in environ.items() if key.startswith("RECTO_")})
    assert settings.file_storage.path == Path("/var/lib") / values(name)["StateDirectory"][0]


@each_service
def test_service_ends_by_itself_before_it_is_killed_and_does_not_come_back_with_wrong_settings(name: str) -> None:
    assert int(values(name)["TimeoutStopSec"][0]) > load_settings({}).server.stop_timeout_s + 5
    assert values(name)["RestartPreventExitStatus"] == [str(os.EX_CONFIG)]
    assert values(name)["Restart"] == ["always"]


@each_service
def test_service_gains_no_right_and_writes_to_its_own_folder_alone(name: str) -> None:
    found = values(name)
    assert found["User"] == ["recto"]
    assert found["NoNewPrivileges"] == ["true"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["ProtectSystem"] == ["strict"]
    assert "ReadWritePaths" not in found
    # Both compile regular expressions and call C code; page processes are started by exec.
    assert "MemoryDenyWriteExecute" not in found


def test_both_services_are_hardened_alike() -> None:
    hardened = [
        re.search(r"NoNewPrivileges.*SystemCallErrorNumber=\w+", (FOLDER / name).read_text(), re.DOTALL)
        for name in SERVICES
    ]
    backend, worker = (found[0] if found else name for found, name in zip(hardened, SERVICES, strict=True))
    assert backend == worker


def test_target_starts_both() -> None:
    assert values("recto.target")["Wants"] == [" ".join(SERVICES)]
    assert all(values(name)["WantedBy"] == ["recto.target"] for name in SERVICES)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The root of a machine that has the files and the programs, as docs/how-to/systemd.md puts them there."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for file in FOLDER.iterdir():
        if file.suffix != ".conf":
            shutil.copy(file, units)
    dropped = units / "recto-worker.service.d"
    dropped.mkdir()
    shutil.copy(FOLDER / "recto-worker-offline.conf", dropped / "offline.conf")
    python = tmp_path / "opt/recto/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch(0o755)
    for known in ("/usr/lib/systemd/system", "/lib/systemd/system"):
        if Path(known).is_dir():
            shutil.copytree(known, tmp_path / "usr/lib/systemd/system", symlinks=True, dirs_exist_ok=True)
            break
    return tmp_path


def analyze(*arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.services
@pytest.mark.skipif(os.uname().sysname != "Linux", reason="systemd is Linux'")
@pytest.mark.parametrize("name", [*SERVICES, "recto.target"])
def test_systemd_finds_no_fault(name: str, installed: Path) -> None:
    said = analyze("verify", "--man=no", f"--root={installed}", f"/etc/systemd/system/{name}")
    assert not [line for line in said.splitlines() if "recto" in line]


@pytest.mark.services
@pytest.mark.skipif(os.uname().sysname != "Linux", reason="systemd is Linux'")
@each_service
def test_services_are_little_exposed(name: str, installed: Path) -> None:
    said = analyze("security", "--offline=true", "--no-pager", f"--root={installed}", f"/etc/systemd/system/{name}")
    exposure = re.search(r"Overall exposure level for .*: (?P<level>[\d.]+)", said)
    assert exposure is not None, said
    assert float(exposure["level"]) <= MOST_EXPOSURE, said
