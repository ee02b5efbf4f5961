"""Documentation that cannot fall behind: settings, commands and error codes against the code."""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from models import MAY_FOLLOW
from ocr_worker import main
from recto.errors import DocumentError, IdempotencyKeyInUse, RectoError
from recto.setting_layers import DEFAULTS_FILE
from recto.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def rows(file: str, section: str = "") -> Iterator[list[str]]:
    """Cells of the rows of the tables in a file, or in one of its sections, without the heads."""
    text = (DOCS / file).read_text(encoding="utf-8")
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            yield [cells[0].strip("`"), *cells[1:]]


def shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "(empty)"


DEFAULTS = tomllib.loads(DEFAULTS_FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("section", DEFAULTS)
def test_settings_document_lists_each_key_with_its_default_and_variable(section: str) -> None:
    documented = [(key, default, variable) for key, default, _, _, variable in rows("settings.md", f"[{section}]")]
    assert documented == [
        (key, shown(value), f"`RECTO_{section}_{key}`".upper()) for key, value in DEFAULTS[section].items()
    ]


def test_settings_document_names_no_section_that_is_not_there() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(\w+)\]$", text, re.MULTILINE) == list(DEFAULTS)


def test_settings_document_gives_every_setting_a_unit_and_a_meaning() -> None:
    assert all(unit and meaning for _, _, unit, meaning, _ in rows("settings.md"))


def test_every_documented_variable_is_read() -> None:
    environ = {row[4].strip("`"): row[1].strip("`").replace("(empty)", "") for row in rows("settings.md")}
    assert load_settings(environ) == load_settings({})


def error_classes(top: type[RectoError] = RectoError) -> Iterator[type[RectoError]]:
    yield top
    for cls in top.__subclasses__():
        yield from error_classes(cls)


def test_errors_document_lists_each_code_with_its_status() -> None:
    documented = {code: status for code, status, *_ in rows("errors.md", "Answers to a request")}
    assert documented == {cls.code: str(cls.status) for cls in error_classes() if not issubclass(cls, DocumentError)}


def test_errors_document_lists_each_reason_of_a_failure() -> None:
    documented = [code for code, *_ in rows("errors.md", "Why a job failed, or a page is missing")]
    assert documented == [cls.code for cls in error_classes(DocumentError)]


def test_errors_document_says_of_each_code_when_and_what_to_do() -> None:
    assert all(all(cells) for cells in rows("errors.md"))


def test_errors_document_names_the_statuses_that_may_be_tried_again() -> None:
    retryable = {cls for cls in error_classes() if cls.retryable} - {IdempotencyKeyInUse}
    assert {cls.status for cls in retryable} == {429, 503, 507}


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, groups left out."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def test_commands_document_lists_each_command_with_its_arguments() -> None:
    named = {
        " ".join([name, *(p.name.upper() for p in command.params if isinstance(p, click.Argument) and p.name)])
        for name, command in commands(main)
    }
    assert {usage for usage, _ in rows("commands.md")} == named


def test_commands_document_names_each_option() -> None:
    described = dict(rows("commands.md"))
    for name, command in commands(main):
        (text,) = [text for usage, text in described.items() if usage == name or usage.startswith(f"{name} ")]
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.opts[-1] in text, f"{name} {option.opts[-1]}"


def test_commands_document_names_each_exit_status() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert f"{os.EX_CONFIG} for wrong settings" in text


def test_every_command_and_option_has_a_help_text() -> None:
    for name, command in commands(main):
        assert command.help, name
        assert all(option.help for option in command.params if isinstance(option, click.Option)), name


def test_diagram_of_the_statuses_has_what_may_follow_what() -> None:
    drawn = re.findall(
        r"<title>(\w+) to (\w+)</title>", (DOCS / "images" / "job-states.svg").read_text(encoding="utf-8")
    )
    allowed = {(before.name, after.name) for before, later in MAY_FOLLOW.items() if before for after in later}
    assert set(drawn) == allowed


def test_troubleshooting_document_names_codes_that_there_are_with_their_statuses() -> None:
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    known = {cls.code: cls.status for cls in error_classes()}
    named = re.findall(r"`(\d{3})` ((?:`[a-z_]+`(?:, )?)+)", text)
    assert named
    for status, codes in named:
        for code in re.findall(r"`(\w+)`", codes):
            assert str(known[code]) == status, code


LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize(
    "file", [*ROOT.glob("*.md"), *DOCS.rglob("*.md")], ids=lambda file: str(file.relative_to(ROOT))
)
def test_links_of_a_document_lead_to_files_that_are_there(file: Path) -> None:
    targets = LINK.findall(file.read_text(encoding="utf-8"))
    assert [target for target in targets if not (file.parent / target).exists()] == []


def test_changes_document_has_each_kind_of_change_once_for_a_version() -> None:
    _, *versions = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")
    for version in versions:
        kinds = re.findall(r"^### (.+)$", version, re.MULTILINE)
        assert len(kinds) == len(set(kinds)), version.partition("\n")[0]


def test_architecture_document_says_where_each_module_and_folder_is() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8").partition("\n## Where things are\n")[2]
    there = [one.name for one in (ROOT / "recto").iterdir() if one.name[0] not in "_."]
    assert [name for name in there if not re.search(rf"`(recto/)?{re.escape(name)}/?`", text)] == []


def test_site_leads_to_every_document() -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    documents = [
        *DOCS.rglob("*.md"),
        *(ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    ]
    names = {str(file.relative_to(ROOT)) for file in documents if file.parent.name != "decisions"}
    assert {name for name in names if f": {name}\n" not in listed} == set()


def test_security_document_is_linked_and_names_tests_that_are_there() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b(test_\w+\.py)", text))
    assert named
    assert named <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}
