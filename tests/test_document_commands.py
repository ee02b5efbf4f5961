"""The shell commands of the documents: each is run by a test, here those that need no server, or the document's source says why not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from recto import accounts
from recto.database.connections import Begin, connect, transaction
from tests.document_blocks import ROOT, ShellBlock, blocks_run_by, shell_blocks
from tests.drawing import draw_page, save_pdf

HERE = "tests/test_document_commands.py"
OURS = blocks_run_by(HERE)


def place(block: ShellBlock) -> str:
    return f"{block.document}:{block.line}"


@pytest.mark.parametrize("block", list(shell_blocks()), ids=place)
def test_block_of_shell_is_run_by_a_test_or_says_why_not(block: ShellBlock) -> None:
    assert block.test or block.reason, "Above it: <!-- run by tests/… --> or <!-- not run: … -->"
    if block.test:
        source = (ROOT / block.test).read_text(encoding="utf-8")
        assert block.test == HERE or Path(block.document).name in source, f"{block.test} does not read this document"


@pytest.fixture
def workplace(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder that looks like a clone in use: the programs, a Python environment, storage with a user, a scan."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / "ocr_worker.py").symlink_to(ROOT / "ocr_worker.py")
    save_pdf(tmp_path / "scan.pdf", [draw_page().pixels])
    (tmp_path / "scan.png").symlink_to(tmp_path / "scan.pdf")  # a document is judged by its content
    (tmp_path / "storage").mkdir()
    shutil.copy(migrated_file, tmp_path / "storage" / "recto.db")
    engine = connect(f"sqlite:///{tmp_path}/storage/recto.db", 10.0)
    with transaction(Session(engine), Begin.WRITE) as session:
        accounts.create_user(session, "admin", accounts.hash_password("a long password"), is_admin=True)
    engine.dispose()
    return tmp_path


@pytest.mark.parametrize("document", sorted({block.document for block in OURS}))
def test_commands_of_the_document_run(document: str, workplace: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    for block in blocks_run_by(HERE, document):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.script],
            cwd=workplace,
            env=environ | {"RECTO_FILE_STORAGE_PATH": str(workplace / "storage")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{place(block)}\n{done.stdout}{done.stderr}"
