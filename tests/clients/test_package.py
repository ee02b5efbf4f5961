"""The package as pip makes it from its folder."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import recto
import recto_client

PACKAGE = Path(__file__).resolve().parents[2] / "clients" / "python"


def test_package_made_from_its_folder_has_every_module_and_the_command(tmp_path: Path) -> None:
    source = shutil.copytree(PACKAGE, tmp_path / "source", ignore=shutil.ignore_patterns("__pycache__"))
    make = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run(
        [*make, "--disable-pip-version-check", "--wheel-dir", tmp_path, source],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("recto_client-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        (points,) = [name for name in names if name.endswith("entry_points.txt")]
        commands = packed.read(points).decode()
    modules = {str(file.relative_to(PACKAGE)) for file in (PACKAGE / "recto_client").rglob("*.py")}
    assert modules | {"recto_client/py.typed"} <= names
    assert "recto = recto_client.commands:run_command_line" in commands


def test_client_has_the_version_of_the_service() -> None:
    assert recto_client.__version__ == recto.__version__
