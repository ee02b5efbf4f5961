"""Schemathesis finds every answer of a running Backend in its document, and none that it should not give."""

from pathlib import Path

import pytest

from tests.fuzz.api import run


@pytest.mark.services
def test_backend_answers_what_its_document_says(tmp_path: Path) -> None:
    done = run(tmp_path, examples=5, seed=1)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    assert "Warnings" not in done.stdout, "some addresses were not really reached"
