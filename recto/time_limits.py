"""How long work on a document may take. Pure arithmetic of the settings: what is large, or has many pages, may take longer."""

from dataclasses import dataclass
from typing import Final

from recto.errors import JobTimeout, PageTimeout

_PX_PER_MEGAPIXEL: Final = 1_000_000
_WRITING_S_PER_PAGE: Final = 0.5


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Settings of the section [worker], in seconds."""

    page_timeout_s: float
    page_timeout_s_per_megapixel: float
    job_timeout_s: float
    job_timeout_s_per_page: float

    def page_s(self, page_px: int) -> float:
        """For reading, or drawing, a page of so many pixels (width x height)."""
        return self.page_timeout_s + megapixels(page_px) * self.page_timeout_s_per_megapixel

    def job_s(self, page_count: int) -> float:
        """For one attempt of a job of which so many pages are to be read."""
        return self.job_timeout_s + page_count * self.job_timeout_s_per_page

    def writing_s(self, page_count: int) -> float:
        """For writing a result of so many pages: as long as one page may take, and some more for each."""
        return self.page_timeout_s + page_count * _WRITING_S_PER_PAGE


def page_timeout(what: str, limit_s: float, page_px: int) -> PageTimeout:
    """The error of `what`, such as "Page 3", that has outlasted its limit."""
    size = f" ({megapixels(page_px):.1f} megapixels)" if page_px else ""
    return PageTimeout(
        f"{what}{size} took longer than {limit_s:g} s, twice. An administrator can raise worker.page_timeout_s, "
        "or worker.page_timeout_s_per_megapixel."
    )


def job_timeout(limit_s: float, page_count: int) -> JobTimeout:
    """The error of a job that has outlasted its limit."""
    pages = f" for its {page_count} pages" if page_count else ""
    return JobTimeout(
        f"The job took longer than {limit_s:g} s, the limit{pages}. Send fewer pages at once, or have worker.job_timeout_s "
        "or worker.job_timeout_s_per_page raised."
    )


def megapixels(page_px: int) -> float:
    """Millions of pixels."""
    return page_px / _PX_PER_MEGAPIXEL
