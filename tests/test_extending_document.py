"""docs/how-to/extend.md: its examples applied to a copy of the tree, by what the document says alone, and tested there."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs" / "how-to" / "extend.md").read_text(encoding="utf-8")
COPIED = ("recto", "tests", "docs", "clients", "migrations", "benchmarks", "tools", "deploy")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEW_FILE, CHANGED_FILE = "# new file: ", "--- a/"


def copy_of_the_tree(folder: Path) -> Path:
    for file in ROOT.iterdir():
        if file.name in COPIED:
            shutil.copytree(file, folder / file.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif file.is_file() and file.name != ".git":
            shutil.copy(file, folder / file.name)
    return folder


def blocks(section: str) -> list[tuple[str, str]]:
    """(language, content) of the fenced blocks of a section, in their order."""
    text = DOCUMENT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert text, f"The document has no section {section}"
    return BLOCK.findall(text)


def follow(tree: Path, section: str) -> tuple[list[str], list[str]]:
    """What a reader does: make the files, change the others. The names of both."""
    made, changed = [], []
    for language, content in blocks(section):
        head, _, body = content.partition("\n")
        if head.startswith(NEW_FILE):
            made.append(head.removeprefix(NEW_FILE))
            assert language == "python"
            assert not (tree / made[-1]).exists()
            (tree / made[-1]).write_text(body, encoding="utf-8")
        elif head.startswith(CHANGED_FILE):
            changed.append(head.removeprefix(CHANGED_FILE))
            change(tree / changed[-1], body)
    return made, changed


def change(file: Path, difference: str) -> None:
    """Lines with `-` go, with `+` come; together with the others they have to be found exactly once."""
    lines = difference.splitlines(keepends=True)
    assert all(line[0] in " +-" for line in lines), difference
    before = "".join(line[1:] for line in lines if line[0] != "+")
    after = "".join(line[1:] for line in lines if line[0] != "-")
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{file.name} has {text.count(before)} times:\n{before}"
    file.write_text(text.replace(before, after), encoding="utf-8")


def commands(section: str) -> list[list[str]]:
    """The test command of a section: the one that a block of shell runs with the environment's Python."""
    lines = [line for language, content in blocks(section) if language == "sh" for line in content.splitlines()]
    return [[sys.executable, *shlex.split(line)[1:]] for line in lines if line.startswith(".venv/bin/python -m pytest")]


@pytest.mark.parametrize("section", ["A result format", "A preprocessing step"])
def test_example_of_the_document_works_in_a_copy_of_the_tree(section: str, tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    made, changed = follow(tree, section)
    assert len(made) == 2
    (command,) = commands(section)
    tested = subprocess.run(
        [*command, "-n", "0", "-p", "no:cacheprovider"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout[-4000:]
    assert " skipped" not in tested.stdout
    modules = [name for name in (*made, *changed) if name.endswith(".py")]
    for check in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *check, "--quiet", "--no-cache", *modules],
            cwd=tree,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_example_that_no_longer_fits_is_told_with_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("a = 1\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"file\.py has 0 times:\n\s*b = 2"):
        change(tmp_path / "file.py", "-b = 2\n+b = 3\n")
