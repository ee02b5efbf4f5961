from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recto.tallies import Tally
from recto.web.plots import HEIGHT, jobs_plot, pages_plot, round_top, spans, total

NOW = datetime(2026, 11, 26, 14, 35, tzinfo=UTC)
HOUR = NOW.replace(minute=0)


def test_spans_cover_the_time_up_to_now_without_a_gap() -> None:
    found = spans([], NOW, 24, 6)
    assert [span.begin for span in found] == [HOUR - timedelta(hours=hours) for hours in (23, 17, 11, 5)]
    assert total(found) is not None


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
    whole = total([before, last])
    assert whole is not None
    assert (whole.ended, whole.pages, whole.failures) == (8, 36, {"job_timeout": 1})


def test_bars_stand_on_each_other() -> None:
    (bar,) = jobs_plot(spans([Tally(HOUR, "finished", 3, 3), Tally(HOUR, "job_timeout", 1, 0)], NOW, 1, 1)).bars
    assert (bar.low, bar.high) == (20.0, 60.0)


@given(st.integers(0, 10**12))
def test_top_is_the_next_round_number(most: int) -> None:
    top = round_top(most)
    assert top >= max(1, most)
    assert str(top).rstrip("0") in ("1", "2", "5")
    assert top < 2.5 * max(1, most)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=24))
def test_no_bar_is_higher_than_the_plot(counts: list[int]) -> None:
    tallies = [Tally(HOUR - timedelta(hours=hour), "finished", count, count) for hour, count in enumerate(counts)]
    found = spans(tallies, NOW, 24, 1)
    for plot in (pages_plot(found), jobs_plot(found)):
        assert max(bar.low + bar.high for bar in plot.bars) <= HEIGHT
