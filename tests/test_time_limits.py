"""Limits follow sizes and page counts."""

from hypothesis import given
from hypothesis import strategies as st

from recto.time_limits import TimeLimits, job_timeout, page_timeout

SECONDS = st.floats(0.0, 1e6, allow_nan=False)
LIMITS = st.builds(TimeLimits, SECONDS, SECONDS, SECONDS, SECONDS)


@given(LIMITS, st.integers(0, 10**9), st.integers(0, 10**9))
def test_larger_page_may_take_at_least_as_long(limits: TimeLimits, some_px: int, more_px: int) -> None:
    assert limits.page_timeout_s <= limits.page_s(some_px) <= limits.page_s(some_px + more_px)


@given(LIMITS, st.integers(0, 10**5), st.integers(0, 10**5))
def test_job_of_more_pages_may_take_at_least_as_long(limits: TimeLimits, some: int, more: int) -> None:
    assert limits.job_timeout_s <= limits.job_s(some) <= limits.job_s(some + more)
    assert limits.page_timeout_s <= limits.writing_s(some) <= limits.writing_s(some + more)


def test_limits_are_base_and_rate() -> None:
    limits = TimeLimits(120.0, 8.0, 3600.0, 300.0)
    assert limits.page_s(8_700_000) == 120.0 + 8.7 * 8.0
    assert limits.job_s(12) == 7200.0


def test_errors_say_the_limit_and_what_it_follows_from() -> None:
    assert "Page 3 (24.0 megapixels) took longer than 312 s" in page_timeout("Page 3", 312.0, 24_000_000).detail
    assert "Opening the document took longer than 120 s" in page_timeout("Opening the document", 120.0, 0).detail
    assert "longer than 7200 s, the limit for its 12 pages" in job_timeout(7200.0, 12).detail
    assert "longer than 3600 s, the limit." in job_timeout(3600.0, 0).detail
