"""The programs in the documentation, run against a real Backend. Those of the section on live streams have tests of their own."""

import re
import sys
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.drawing import blank_page, save_pdf
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.openapi.test_api_docs import ran
from tests.web.reading_by_hand import reading

ROOT = Path(__file__).resolve().parents[3]
NODE, _ = compute_driver_executable()  # Playwright brings its own
PLACES = {"api.md": "## From Python and JavaScript\n", "client.md": ""}
"""Documents, and the headings of the sections with the programs."""


def programs(document: str, heading: str) -> list[tuple[str, str]]:
    """(language, program) of each in the section, or in all of it where no heading is named."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    _, _, section = text.partition(heading) if heading else ("", "", text)
    section = section.partition("\n## ")[0] if heading else section
    return re.findall(r"^```(python|js)\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


EXAMPLES = [
    (document, language, program)
    for document, heading in PLACES.items()
    for language, program in programs(document, heading)
]


def test_documentation_has_examples_in_both_languages() -> None:
    assert [(document, language) for document, language, _ in EXAMPLES] == [
        ("api.md", "python"),
        ("api.md", "python"),
        ("api.md", "js"),
        ("client.md", "python"),
    ]


def command(language: str, program: str, folder: Path) -> list[str]:
    if language == "python":
        return [sys.executable, "-W", "error", "-c", program]
    (folder / "example.mjs").write_text(program, encoding="utf-8")
    return [NODE, "example.mjs"]


@pytest.mark.parametrize(
    ("document", "language", "program"),
    EXAMPLES,
    ids=[f"{one[0]}-{place}-{one[1]}" for place, one in enumerate(EXAMPLES)],
)
def test_example_prints_the_text_of_the_document(
    live: LiveServer,
    live_token: str,
    live_worker: HandWorker,
    tmp_path: Path,
    document: str,
    language: str,
    program: str,
) -> None:
    save_pdf(tmp_path / "scan.pdf", [blank_page(60, 40)])
    live_worker.report("eng", "osd")
    live_worker.end_waiting()
    clients = str(ROOT / "clients" / "python")
    with reading(live_worker):
        program_ran = ran(command(language, program, tmp_path), tmp_path, live, live_token, PYTHONPATH=clients)
    assert (program_ran.stderr, program_ran.stdout.rstrip(), program_ran.returncode) == ("", "Read by hand.", 0)
