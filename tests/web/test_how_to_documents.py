"""docs/quick-start.md and the how-tos watch-a-folder.md, webhooks.md and batches.md: their commands against a running Backend."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.document_blocks import ROOT, blocks_run_by
from tests.drawing import blank_page, save_pdf
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.reading_by_hand import reading

RunDocument: TypeAlias = Callable[[str], str]

HERE = "tests/web/test_how_to_documents.py"
RECTO_COMMAND = (
    f'#!/bin/sh\nPYTHONPATH="{ROOT / "clients/python"}" exec "{sys.executable}" -m recto_client.commands "$@"\n'
)


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with two scans, an inbox with one, and the command recto."""
    for name in ("scan.pdf", "letter.pdf"):
        save_pdf(tmp_path / name, [blank_page(60 + len(name), 40)])
    (tmp_path / "inbox").mkdir()
    shutil.copy(tmp_path / "scan.pdf", tmp_path / "inbox")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "recto").write_text(RECTO_COMMAND, encoding="utf-8")
    (tmp_path / "bin" / "recto").chmod(0o755)
    return tmp_path


@pytest.fixture
def run_document(live: LiveServer, live_token: str, live_worker: HandWorker, workplace: Path) -> RunDocument:
    """Runs the blocks of a document one after another in one shell; gives what they printed."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    own = {"RECTO": live.address, "TOKEN": live_token, "RECTO_URL": live.address, "RECTO_TOKEN": live_token}
    path = f"{workplace / 'bin'}:{outer['PATH']}"

    def run(document: str) -> str:
        lines = "".join(block.script for block in blocks_run_by(HERE, document)).splitlines(keepends=True)
        script = "".join(line for line in lines if not line.startswith("export RECTO="))
        live_worker.report("eng", "osd")
        live_worker.end_waiting()
        with reading(live_worker):
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=workplace,
                env=outer | own | {"PATH": path},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_quick_start_reads_a_scan_in_one_request(run_document: RunDocument) -> None:
    assert "Read by hand." in run_document("docs/quick-start.md")


def test_folder_is_watched_once(run_document: RunDocument, workplace: Path) -> None:
    run_document("docs/how-to/watch-a-folder.md")
    assert "Read by hand." in (workplace / "outbox" / "scan.txt").read_text(encoding="utf-8")
    assert (workplace / "outbox" / "scan.pdf").read_bytes().startswith(b"%PDF")


def test_webhook_is_set_and_its_messages_are_listed(run_document: RunDocument) -> None:
    printed = run_document("docs/how-to/webhooks.md")
    assert "whsec_" in printed
    assert '"status":"WAITING"' in printed.replace(" ", "") or '"deliveries":' in printed


def test_batch_gives_an_archive(run_document: RunDocument, workplace: Path) -> None:
    run_document("docs/how-to/batches.md")
    with zipfile.ZipFile(workplace / "results.zip") as archive:
        assert sorted(archive.namelist()) == ["letter.txt", "scan.txt"]
