"""`make tree`: how the code is laid out, in figures: lines by room, longest modules and functions, imports by layer, code that is there twice.

It only reads. Two runs with `--root` show what a change made of it.
"""

import ast
import io
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from recto.setting_layers import PROJECT_FOLDER
from tests.test_imports import MODULES, ROWS, imports, room

_ROW_NAMES: Final = ("entry points", "services", "operations", "foundations", "leaves")
_CODE: Final = (
    "app.py",
    "ocr_worker.py",
    "models.py",
    "recto",
    "clients",
    "migrations",
    "deploy",
    "tools",
    "benchmarks",
    "tests",
)
_NOISE: Final = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
_TWICE_LINES: Final = 8
"""Fewer equal lines in a row are how Python looks, not a copy."""
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Function:
    """`lines` without its docstring and decorators."""

    place: str
    lines: int


def files(root: Path) -> Iterator[Path]:
    """Every module of our own."""
    for name in _CODE:
        path = root / name
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def lines_by_room(root: Path) -> Counter[str]:
    """Lines, blank ones and comments too, by folder; those of recto/ by the folders in it."""
    counted: Counter[str] = Counter()
    for file in files(root):
        parts = file.relative_to(root).parts
        depth = 3 if parts[:2] in (("recto", "ocr"), ("recto", "web")) else 2
        folder = "/".join(parts[: min(depth, len(parts) - 1)]) or "."
        counted[folder] += len(file.read_text(encoding="utf-8").splitlines())
    return counted


def functions(file: Path, root: Path) -> Iterator[Function]:
    """Functions and methods of a module, those within others too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            yield Function(f"{file.relative_to(root)}:{node.lineno} {node.name}", lines)


def imports_by_row() -> Counter[tuple[str, str]]:
    """How often a module of one row imports one of another; the test of the imports knows which may."""
    counted: Counter[tuple[str, str]] = Counter()
    for module, file in MODULES.items():
        if module != "recto":
            for name in imports(file) - {"recto"}:
                counted[_ROW_NAMES[room(module)[0]], _ROW_NAMES[room(name)[0]]] += 1
    return counted


def twice(root: Path) -> list[tuple[int, list[str]]]:
    """(lines, places) of code that stands in several places, longest first: runs of at least eight lines whose tokens are equal."""
    windows: defaultdict[tuple[str, ...], list[tuple[str, int, int]]] = defaultdict(list)
    for file in files(root):
        code = list(_code_lines(file))
        for index in range(len(code) - _TWICE_LINES + 1):
            window = code[index : index + _TWICE_LINES]
            windows[tuple(text for _, text in window)].append((str(file.relative_to(root)), index, window[0][0]))
    return _joined([places for places in windows.values() if len(places) > 1])


def _joined(found: list[list[tuple[str, int, int]]]) -> list[tuple[int, list[str]]]:
    """Windows that follow one another in the same files are one piece of code."""
    starts = {
        tuple((name, index) for name, index, _ in places): [f"{n}:{line}" for n, _, line in places] for places in found
    }
    pieces = []
    for key, shown in starts.items():
        if tuple((name, index - 1) for name, index in key) in starts:
            continue
        length, following = _TWICE_LINES, tuple((name, index + 1) for name, index in key)
        while following in starts:
            length += 1
            following = tuple((name, index + 1) for name, index in following)
        pieces.append((length, shown))
    return sorted(pieces, reverse=True)


def _code_lines(file: Path) -> Iterator[tuple[int, str]]:
    """(number, tokens) of each line with code: without imports, comments, docstrings and blank ones."""
    text = file.read_text(encoding="utf-8")
    left_out = {
        number
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    by_line: defaultdict[int, list[str]] = defaultdict(list)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NOISE and token.string.strip():
            by_line[token.start[0]].append(token.string)
    for number, tokens in sorted(by_line.items()):
        if number not in left_out and not (len(tokens) == 1 and tokens[0].startswith('"""')):
            yield number, " ".join(tokens)


def report(root: Path) -> Iterator[str]:
    """In lines for people."""
    yield "Lines by folder"
    for folder, count in sorted(lines_by_room(root).items()):
        yield f"  {count:6,}  {folder}"
    yield "Longest modules"
    sizes = sorted(((len(file.read_text(encoding="utf-8").splitlines()), file) for file in files(root)), reverse=True)
    yield from (f"  {count:6,}  {file.relative_to(root)}" for count, file in sizes[:_SHOWN])
    yield "Longest functions"
    longest = sorted((one for file in files(root) for one in functions(file, root)), key=lambda one: -one.lines)
    yield from (f"  {one.lines:6,}  {one.place}" for one in longest[:_SHOWN])
    yield "Code that stands in several places (equal tokens, eight lines or more)"
    copies = twice(root)
    for length, places in copies[:_SHOWN]:
        yield f"  {length:6,}  {', '.join(places)}"
    yield f"  {len(copies)} in all"


@click.command()
@click.option(
    "--root", type=click.Path(exists=True, path_type=Path), default=PROJECT_FOLDER, help="Another tree to look at."
)
def main(root: Path) -> None:
    """Print the figures; of this tree also its imports by layer."""
    for line in report(root.resolve()):
        click.echo(line)
    if root == PROJECT_FOLDER:
        click.echo("Imports by layer, from above to below (tests/test_imports.py refuses the others)")
        for (upper, lower), count in sorted(
            imports_by_row().items(), key=lambda one: [_ROW_NAMES.index(name) for name in one[0]]
        ):
            click.echo(f"  {count:6,}  {upper} -> {lower}")
        click.echo(f"  {len(MODULES)} modules in {len(ROWS)} rows")


if __name__ == "__main__":
    main()
