"""Schemathesis finds every answer of a running Backend in its document, and none that it should not give."""

import re
from pathlib import Path

import pytest

from tests.fuzz.api import run


@pytest.mark.services
def test_backend_answers_what_its_document_says(tmp_path: Path) -> None:
    done = run(tmp_path, examples=5, seed=1)
    assert done.returncode == 0, done.stdout + done.stderr
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested, done.stdout
    assert int(tested[1]) >= 40
    assert "Warnings" not in done.stdout, "some addresses were not really reached"
