import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recto.errors import EngineMissing, PageUnreadable
from recto.ocr.engines.pytesseract_engine import PytesseractEngine, tesseract_command
from tests.drawing import blank_page
from tests.patience import wait_until
from tests.process_tree import command_of, lives

ROOT = Path(__file__).parents[3]
ENDLESS_PAGE = """
import numpy as np
from recto.ocr.engines.pytesseract_engine import PytesseractEngine
noise = np.random.default_rng(1).integers(0, 256, (6000, 6000), np.uint8)
PytesseractEngine().recognise(noise, 300, ("eng",))
"""


@pytest.fixture
def fake_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], PytesseractEngine]:
    """An engine whose `tesseract` is a shell script."""

    def make(script: str) -> PytesseractEngine:
        engine = PytesseractEngine()
        command = tmp_path / "tesseract"
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return engine

    return make


def test_recognise_where_tesseract_ends_well_without_output_is_unreadable(
    fake_tesseract: Callable[[str], PytesseractEngine],
) -> None:
    with pytest.raises(PageUnreadable, match="without an answer"):
        fake_tesseract("exit 0").recognise(blank_page(), 300, ("eng",))


def test_recognise_where_tesseract_fails_says_what_it_said(fake_tesseract: Callable[[str], PytesseractEngine]) -> None:
    with pytest.raises(PageUnreadable, match=r"status 3.*out of luck"):
        fake_tesseract("echo out of luck >&2; exit 3").recognise(blank_page(), 300, ("eng",))


def test_engine_without_a_tesseract_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineMissing, match="apt install"):
        PytesseractEngine()


def test_command_shipped_is_executable() -> None:
    assert tesseract_command() != "tesseract"


@pytest.mark.skipif(
    not (shutil.which("setpriv") and Path("/proc").is_dir()), reason="the guard needs Linux and setpriv"
)
def test_tesseract_dies_with_the_process_that_started_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ENDLESS_PAGE], cwd=ROOT)
    try:
        wait_until(lambda: reading(parent.pid))
        (child,) = reading(parent.pid)
        parent.kill()
        parent.wait()
        wait_until(lambda: not lives(child))
    finally:
        parent.kill()
        parent.wait()


def reading(parent: int) -> list[int]:
    """Without those that only ask for the version: they end by themselves, between two looks."""
    return [pid for pid in children_named("tesseract", parent) if "eng" in command_of(pid).split()]


def children_named(name: str, parent: int) -> Iterator[int]:
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            command, _, fields = status.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if command == name and int(fields.split()[1]) == parent:
            yield int(status.parent.name)
