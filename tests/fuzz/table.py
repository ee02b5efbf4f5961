"""The fuzz table: for each kind of damage how many files ended how, the worst time and the worst memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.fuzz.page_process import REFUSED, Outcome

_MIB: Final = 1 << 20


@dataclass(slots=True)
class Row:
    """What became of the files of one kind."""

    files: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    worst_s: float = 0.0
    worst_bytes: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one file."""
        self.files += 1
        self.codes[outcome.code] += 1
        self.worst_s = max(self.worst_s, outcome.took_s)
        self.worst_bytes = max(self.worst_bytes, outcome.peak_bytes)

    @property
    def accepted(self) -> int:
        """How many passed the check of the type."""
        return self.files - self.codes[REFUSED]


def rows(outcomes: Sequence[tuple[str, Outcome]]) -> dict[str, Row]:
    """By kind, and of all together."""
    found: dict[str, Row] = {}
    total = Row()
    for kind, outcome in outcomes:
        found.setdefault(kind, Row()).add(outcome)
        total.add(outcome)
    return dict(sorted(found.items())) | {"all": total}


def lines(table: dict[str, Row]) -> Iterator[str]:
    """Markdown."""
    yield "| damage | files | pass the type check | outcomes | worst time (s) | worst memory (MiB) |"
    yield "|---|---|---|---|---|---|"
    for kind, row in table.items():
        codes = ", ".join(f"{code} {count}" for code, count in row.codes.most_common())
        yield f"| {kind} | {row.files} | {row.accepted} | {codes} | {row.worst_s:.2f} | {row.worst_bytes / _MIB:.0f} |"
