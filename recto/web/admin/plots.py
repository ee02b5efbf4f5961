"""What ended in the last days, gathered into bars of a plot: counts and the heights that they are drawn at, no markup."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from recto.records.tallies import FINISHED, Tally

HEIGHT: Final = 100.0
"""Of a plot's highest tick, in units of its drawing."""


@dataclass(slots=True)
class Span:
    """One stretch of time: `begin` to the next one's. Pages read, jobs that finished, answers from earlier jobs, failures by their codes."""

    begin: datetime
    pages: int = 0
    finished: int = 0
    answered: int = 0
    cancelled: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """Jobs that Recto could not read."""
        return self.failures.total()

    @property
    def ended(self) -> int:
        """All jobs that ended."""
        return self.finished + self.answered + self.cancelled + self.failed


@dataclass(frozen=True, slots=True)
class Bar:
    """A span as drawn: its value, and its height of HEIGHT at most."""

    span: Span
    value: int
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars from left to right, the value of the highest tick, which is drawn at HEIGHT, and all values together."""

    bars: tuple[Bar, ...]
    top: int
    total: int


def spans(tallies: Iterable[Tally], now: datetime, hours: int, hours_in_span: int) -> list[Span]:
    """The last `hours`, the present one with it, in equal stretches; those in which nothing ended are there as well."""
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    found = [Span(begin + timedelta(hours=hour)) for hour in range(0, hours, hours_in_span)]
    for tally in tallies:
        place = int((tally.hour - begin) / timedelta(hours=hours_in_span))
        if 0 <= place < len(found):
            _add(found[place], tally)
    return found


def _add(span: Span, tally: Tally) -> None:
    span.pages += tally.pages if tally.outcome == FINISHED or tally.is_failure else 0
    if tally.is_failure:
        span.failures[tally.outcome] += tally.jobs
    elif tally.outcome == FINISHED:
        span.finished += tally.jobs
    elif tally.outcome == "cancelled":
        span.cancelled += tally.jobs
    else:
        span.answered += tally.jobs


def plot(found: Sequence[Span], value_of: Callable[[Span], int]) -> Plot:
    """One value of each span."""
    values = [value_of(span) for span in found]
    top = round_top(max(values, default=0))
    bars = (Bar(span, value, HEIGHT * value / top) for span, value in zip(found, values, strict=True))
    return Plot(tuple(bars), top, sum(values))


def round_top(most: int) -> int:
    """The least number of one digit and zeros that is not below `most`."""
    power = 1
    while 9 * power < most:
        power *= 10
    return max(1, -(-most // power)) * power


def failures(found: Iterable[Span]) -> Counter[str]:
    """Jobs that failed in all of the spans, by their codes."""
    return sum((span.failures for span in found), Counter[str]())
