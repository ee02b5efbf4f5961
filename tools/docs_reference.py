"""Pages of the documentation's site that are made from the code while it is drawn: options, addresses, commands' help, decisions.

Nothing of them is kept in the repository, so that none can fall behind. Each function gives Markdown.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

import ocr_worker
from app import create_app
from recto.setting_layers import PROJECT_FOLDER
from recto.settings import load_settings
from recto.web.openapi.document import openapi_document
from recto.web.openapi.option_schema import options_schema

_HELP_WIDTH: Final = 110
_CLIENT: Final = PROJECT_FOLDER / "clients" / "python"


def write_reference(folder: Path) -> None:
    """All of them into `folder`, and `openapi.json` for programs."""
    folder.mkdir(parents=True)
    document = openapi()
    (folder / "openapi.json").write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    pages = {
        "options.md": options_page(options_schema((), load_settings({}).ocr.languages)),
        "addresses.md": addresses_page(document),
        "command-help.md": command_help_page(),
        "decisions.md": decisions_page(PROJECT_FOLDER / "docs" / "decisions"),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def openapi() -> dict[str, Any]:
    """The document as a Backend at the root of its host answers it."""
    with tempfile.TemporaryDirectory() as storage:
        return openapi_document(create_app(load_settings({"RECTO_FILE_STORAGE_PATH": storage})), "")


def options_page(schema: dict[str, Any]) -> str:
    """`schema` is that of `GET /api/v1/options`."""
    rows = [
        f"| `{name}` | {_cell(option.get('description', ''))} | {_code(option.get('default'))} | {_allowed(option)} |"
        for name, option in schema["properties"].items()
    ]
    return "\n".join(
        [
            "# Every option of a job",
            "",
            "Made from the schema that a running Recto answers at `GET /api/v1/options`. [The API](../api.md#submit-post-apiv1jobs) explains them with examples.",
            "",
            schema["description"],
            "",
            "| option | what it says | default | what it may be |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _allowed(option: dict[str, Any]) -> str:
    if "enum" in option:
        return ", ".join(f"`{one}`" for one in option["enum"] if one)
    examples = option.get("examples") or option.get("items", {}).get("examples", [])
    longest = f"at most {option['maxLength']} characters" if "maxLength" in option else ""
    such_as = f"such as {', '.join(_code(one) for one in examples)}" if examples else ""
    return ", ".join(filter(None, [such_as, longest])) or "text"


def addresses_page(document: dict[str, Any]) -> str:
    """Methods and paths by subject, each with what it takes and answers."""
    lines = [
        "# Every address",
        "",
        "Made from the [OpenAPI document](openapi.json), which a running Recto answers at `/openapi.json` and shows at `/docs`. [The API](../api.md) explains them with examples.",
    ]
    subjects: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            subjects.setdefault(operation["tags"][0], []).extend(_operation(method.upper(), path, operation))
    for subject, described in subjects.items():
        lines += ["", f"## {subject}", *described]
    return "\n".join([*lines, ""])


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield from ("", f"### `{method} {path}`", "", _plain(operation["description"]), "")
    parameters = [one for one in operation.get("parameters", []) if "name" in one]
    if parameters:
        yield from ("| takes | in | |", "|---|---|---|")
        for one in parameters:
            yield f"| `{one['name']}` | {one['in']} | {_cell(one.get('description', ''))} |"
        yield ""
    yield from ("| answers | |", "|---|---|")
    for status, reply in operation["responses"].items():
        yield f"| `{status}` | {_cell(reply['description'])}{_codes(reply)} |"


def _codes(reply: dict[str, Any]) -> str:
    """The codes of a problem, each with a link to what to do."""
    problem = reply.get("content", {}).get("application/problem+json", {})
    codes = [f"[`{code}`](../errors.md)" for code in problem.get("examples", ())]
    return f": {', '.join(codes)}" if codes else ""


def command_help_page() -> str:
    """`--help` of every command of both programs."""
    if str(_CLIENT) not in sys.path:
        sys.path.append(str(_CLIENT))
    from recto_client import commands

    lines = [
        "# What each command says",
        "",
        "What `--help` prints. [Commands](../commands.md) and [the command recto](../client.md) say more.",
    ]
    for title, program, main in (
        ("The Worker, and the administrator's tool", "ocr_worker.py", ocr_worker.main),
        ("The client", "recto", commands.main),
    ):
        lines += ["", f"## {title}"]
        for name, text in command_help(program, main):
            lines += ["", f"### `{name}`", "", "```text", text, "```"]
    return "\n".join([*lines, ""])


def command_help(name: str, command: click.Command, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """(whole name, help) of the command, and of all below it."""
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=_HELP_WIDTH, max_content_width=_HELP_WIDTH
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found:
                yield from command_help(below, found, context)


def decisions_page(folder: Path) -> str:
    """Their titles, newest last."""
    lines = ["# Decisions", "", "Why things are as they are, and what was rejected.", ""]
    for file in sorted(folder.glob("*.md")):
        title = re.sub(r"^# (\d+)\. ", r"\1\\. ", file.read_text(encoding="utf-8").partition("\n")[0])
        lines.append(f"- [{title}](../decisions/{file.name})")
    return "\n".join([*lines, ""])


def _code(value: Any) -> str:
    return "" if value is None else f"`{value}`"


def _plain(text: str) -> str:
    """A docstring as running text: Markdown takes its line ends for spaces, and its stars for emphasis."""
    return text.replace("*", r"\*")


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", r"\|")
