"""The shell blocks of the documents, and what the line above each says of it.

`<!-- run by FILE -->` names the test that runs the block, `<!-- not run: REASON -->` says why none does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "clients/python/README.md"])
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK: Final = re.compile(r"<!-- (run by (?P<test>[\w/.]+)|not run( here)?: (?P<reason>[^>]+)) -->\n\Z")
_PROMPTED: Final = re.compile(r"^(make|sudo|curl|pip|git|docker|\.venv/bin/\S+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ShellBlock:
    """One block: where it begins, what it holds, and the test that runs it, or the reason why none does. Empty: not said."""

    document: str
    line: int
    script: str
    test: str
    reason: str


def shell_blocks() -> Iterator[ShellBlock]:
    """Every block of every document that is shell by its language, or by its looks where none is named."""
    for file in DOCUMENTS:
        text = file.read_text(encoding="utf-8")
        for fence in _FENCE.finditer(text):
            language, content = fence.groups()
            if language in ("sh", "bash", "console") or (not language and _PROMPTED.search(content)):
                mark = _MARK.search(text, 0, fence.start())
                yield ShellBlock(
                    str(file.relative_to(ROOT)),
                    text.count("\n", 0, fence.start()) + 1,
                    content,
                    (mark["test"] or "") if mark else "",
                    (mark["reason"] or "") if mark else "",
                )


def blocks_run_by(test: str, document: str = "") -> list[ShellBlock]:
    """Those that name this test, of all documents or of one."""
    return [block for block in shell_blocks() if block.test == test and document in ("", block.document)]
