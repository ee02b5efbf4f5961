"""What ended in the last days, gathered into bars of a plot: counts and the heights that they are drawn at, no markup."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from recto.tallies import FINISHED, Tally

HEIGHT: Final = 100.0
"""Of a plot's highest tick, in units of its drawing."""
_STEPS: Final = (1, 2, 5)


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
    """A span as drawn: `low` is its lower part, `high` what stands on that, both as heights; what it says is the template's."""

    span: Span
    low: float
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars from left to right, and the value of the highest tick, which is drawn at HEIGHT."""

    bars: tuple[Bar, ...]
    top: int


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


def pages_plot(found: Sequence[Span]) -> Plot:
    """Pages that were read."""
    top = round_top(max((span.pages for span in found), default=0))
    return Plot(tuple(Bar(span, HEIGHT * span.pages / top) for span in found), top)


def jobs_plot(found: Sequence[Span]) -> Plot:
    """Jobs that failed, below, and jobs that were read or answered, on top of them."""
    top = round_top(max((span.finished + span.answered + span.failed for span in found), default=0))
    bars = (Bar(span, HEIGHT * span.failed / top, HEIGHT * (span.finished + span.answered) / top) for span in found)
    return Plot(tuple(bars), top)


def round_top(most: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50 … that is not below `most`."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= most:
                return step * power
        power *= 10


def total(found: Iterable[Span]) -> Span | None:
    """All spans together; None where there are none."""
    whole: Span | None = None
    for span in found:
        whole = whole or Span(span.begin)
        whole.pages += span.pages
        whole.finished += span.finished
        whole.answered += span.answered
        whole.cancelled += span.cancelled
        whole.failures += span.failures
    return whole
