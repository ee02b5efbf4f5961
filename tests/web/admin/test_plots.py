from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recto.records.tallies import Tally
from recto.web.admin.plots import HEIGHT, failures, plot, round_top, spans

NOW = datetime(2026, 11, 26, 14, 35, tzinfo=UTC)
HOUR = NOW.replace(minute=0)


def test_spans_cover_the_time_up_to_now_without_a_gap() -> None:
    found = spans([], NOW, 24, 6)
    assert [span.begin for span in found] == [HOUR - timedelta(hours=hours) for hours in (23, 17, 11, 5)]
    assert sum(span.ended for span in found) == 0


def test_ends_are_gathered_by_what_they_were() -> None:
    tallies = [
        Tally(HOUR, "finished", 3, 30),
        Tally(HOUR, "answered", 2, 20),
        Tally(HOUR, "cancelled", 1, 4),
        Tally(HOUR, "job_timeout", 1, 5),
        Tally(HOUR - timedelta(hours=1), "finished", 1, 1),
        Tally(HOUR - timedelta(hours=99), "finished", 1, 1),
    ]
    before, last = spans(tallies, NOW, 2, 1)
    assert (before.finished, before.pages) == (1, 1)
    assert (last.finished, last.answered, last.cancelled, last.failed, last.pages) == (3, 2, 1, 1, 35)
    assert (last.ended, failures([before, last])) == (7, {"job_timeout": 1})


def test_bars_are_as_high_as_their_values() -> None:
    found = spans([Tally(HOUR, "finished", 3, 3), Tally(HOUR, "job_timeout", 1, 0)], NOW, 2, 1)
    drawn = plot(found, lambda span: span.pages)
    assert [(bar.value, bar.height) for bar in drawn.bars] == [(0, 0.0), (3, 100.0)]
    assert (drawn.top, drawn.total) == (3, 3)


@given(st.integers(0, 10**12))
def test_top_is_the_next_round_number(most: int) -> None:
    top = round_top(most)
    assert top >= max(1, most)
    assert len(str(top).rstrip("0")) == 1
    assert top <= 2 * max(1, most)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=24))
def test_no_bar_is_higher_than_the_plot(counts: list[int]) -> None:
    tallies = [Tally(HOUR - timedelta(hours=hour), "finished", count, count) for hour, count in enumerate(counts)]
    drawn = plot(spans(tallies, NOW, 24, 1), lambda span: span.finished)
    assert max(bar.height for bar in drawn.bars) <= HEIGHT
    assert drawn.total == sum(counts)
