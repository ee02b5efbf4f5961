"""The pages of the site that are made from the code."""

import json
from pathlib import Path
from typing import Any

import pytest

from recto.ocr.options import Options
from recto.web.openapi.option_schema import BESIDE_READING
from tests.document_blocks import ROOT
from tools.docs_reference import addresses_page, command_help_page, decisions_page, openapi, write_reference


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi()


def test_page_of_addresses_has_each_with_its_answers(document: dict[str, Any]) -> None:
    page = addresses_page(document)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            section = page.partition(f"\n### `{method.upper()} {path}`\n")[2].partition("\n### ")[0]
            assert all(f"| `{status}` |" in section for status in operation["responses"]), path


def test_reference_has_every_option_and_the_document_for_programs(tmp_path: Path) -> None:
    write_reference(tmp_path / "reference")
    page = (tmp_path / "reference" / "options.md").read_text(encoding="utf-8")
    assert all(f"\n| `{name}` | " in page for name in (*Options.model_fields, *BESIDE_READING))
    assert json.loads((tmp_path / "reference" / "openapi.json").read_text(encoding="utf-8"))["openapi"].startswith(
        "3.1"
    )


def test_page_of_commands_has_the_help_of_both_programs() -> None:
    page = command_help_page()
    for name in ("ocr_worker.py recognise", "ocr_worker.py users add", "recto watch"):
        help_text = page.partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]
        assert f"Usage: {name}" in help_text
        assert "--help" in help_text


def test_page_of_decisions_links_each_of_them() -> None:
    folder = ROOT / "docs" / "decisions"
    page = decisions_page(folder)
    assert all(f"(../decisions/{file.name})" in page for file in folder.glob("*.md"))
