"""`make tree`: what it counts, on a tree made for it."""

from pathlib import Path

import pytest

from tools.tree import functions, lines_by_room, report, twice

COPIED = "\n".join(f"    value_{number} = {number} + offset" for number in range(9))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("recto/ocr/pdf", "recto/web", "clients", "migrations", "deploy", "tools", "benchmarks", "tests"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("app.py", "ocr_worker.py", "models.py"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "recto/ocr/pdf/one.py").write_text(f"import os\n\n\ndef first(offset):\n{COPIED}\n", encoding="utf-8")
    (tmp_path / "recto/web/two.py").write_text(
        f'"""Other."""\n\n\ndef second(offset):\n    """Say it."""\n    # why\n{COPIED}\n    return offset\n',
        encoding="utf-8",
    )
    return tmp_path


def test_lines_are_counted_by_room(root: Path) -> None:
    assert lines_by_room(root) == {".": 0, "recto/ocr/pdf": 13, "recto/web": 16}


def test_function_is_as_long_as_what_it_does(root: Path) -> None:
    (one,) = functions(root / "recto/web/two.py", root)
    assert (one.place, one.lines) == ("recto/web/two.py:4 second", 10)


def test_copied_code_is_found_with_its_places_and_its_length(root: Path) -> None:
    assert twice(root) == [(9, ["recto/ocr/pdf/one.py:5", "recto/web/two.py:7"])]


def test_imports_that_are_alike_are_no_copies(root: Path) -> None:
    names = "".join(f"    name_{number},\n" for number in range(12))
    for name in ("three", "four"):
        (root / f"recto/web/{name}.py").write_text(f"from elsewhere import (\n{names})\n", encoding="utf-8")
    assert len(twice(root)) == 1


def test_report_names_the_longest_function_and_the_copies(root: Path) -> None:
    lines = list(report(root))
    assert "      10  recto/web/two.py:4 second" in lines
    assert lines[-1] == "  1 in all"
