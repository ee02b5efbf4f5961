"""`dispatch` and `node` where they cannot start: what is missing, and what to do. How they work: tests/cluster/."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WITHOUT = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from ocr_worker import run_command_line
sys.exit(run_command_line())
"""


def start(folder: Path, *arguments: str, without: str = "nothing", **variables: str) -> tuple[int, str]:
    """Exit status and standard error."""
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT, without, *arguments],
        cwd=ROOT,
        env=os.environ | {"RECTO_FILE_STORAGE_PATH": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("command", ["dispatch", "node"])
def test_command_without_a_scheduler_says_how_to_name_one(tmp_path: Path, command: str) -> None:
    status, error = start(tmp_path, command)
    assert status == os.EX_CONFIG
    assert "--scheduler tcp://HOST:8786" in error
    assert "cluster.scheduler" in error


@pytest.mark.parametrize("command", ["dispatch", "node"])
def test_command_without_dask_says_what_to_install(tmp_path: Path, command: str) -> None:
    status, error = start(tmp_path, command, "--scheduler", "tcp://127.0.0.1:1", without="distributed")
    assert status == os.EX_CONFIG
    assert ".venv/bin/pip install -r requirements-cluster.txt" in error
    assert "Traceback" not in error


def test_address_that_is_none_is_refused(tmp_path: Path) -> None:
    status, error = start(tmp_path, "dispatch", RECTO_CLUSTER_SCHEDULER="10.0.0.1")
    assert status == os.EX_CONFIG
    assert "RECTO_CLUSTER_SCHEDULER" in error


def test_scheduler_and_cluster_together_are_refused(tmp_path: Path) -> None:
    status, error = start(tmp_path, "dispatch", "--scheduler", "tcp://127.0.0.1:1", "--cluster", "local")
    assert status == 2
    assert "give one of them" in error


def test_more_nodes_at_least_than_at_most_are_refused(tmp_path: Path) -> None:
    status, error = start(tmp_path, "dispatch", RECTO_CLUSTER_MIN_NODES="11")
    assert status == os.EX_CONFIG
    assert "min_nodes must be at most max_nodes" in error


@pytest.mark.services
@pytest.mark.parametrize(("kind", "package"), [("slurm", "dask-jobqueue"), ("kubernetes", "dask-kubernetes")])
def test_cluster_whose_package_is_missing_says_what_to_install(tmp_path: Path, kind: str, package: str) -> None:
    status, error = start(tmp_path, "dispatch", "--cluster", kind, without="dask_jobqueue,dask_kubernetes")
    assert status == os.EX_CONFIG
    assert f".venv/bin/pip install {package}" in error
    assert "Traceback" not in error
