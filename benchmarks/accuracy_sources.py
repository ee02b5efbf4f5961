"""Pages for the accuracy benchmark: sets of scans, seeded degradations of them, and drawn pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.degradations import write_damaged
from benchmarks.drawn_pages.kinds import KINDS, PAGES, write_kind
from benchmarks.page_sets import pages_of

UNTOUCHED: Final = "untouched"
QUARTER_TURNS: Final = "quarter_turns"


@dataclass(frozen=True, slots=True)
class Page:
    """An image with its true text; `group` is the row of the tables that it counts in."""

    group: str
    image: Path
    truth: str
    language: str

    @property
    def upright(self) -> bool:
        """Whether it stands as it is read: quarter turns do not, nor does an image with 'rotated' in its name."""
        return not self.group.startswith(QUARTER_TURNS) and "rotated" not in self.image.name


def folders(data: Path) -> list[Path]:
    return [language.parent for language in sorted(data.glob("*/LANG"))]


def set_pages(folder: Path, group: str, most: int) -> Iterator[Page]:
    language = (folder / "LANG").read_text(encoding="utf-8").strip()
    for image, truth in pages_of(folder, most):
        yield Page(group, image, truth, language)


def scanned(data: Path, most: int) -> list[Page]:
    """A group for each set."""
    return [page for folder in folders(data) for page in set_pages(folder, folder.name, most)]


def damaged(data: Path, out: Path, families: list[str], strengths: list[str], most: int, seed: int) -> list[Page]:
    """The pages untouched, and a group for each family and strength, all sets together; the images are written to `out`."""
    pages = [page for folder in folders(data) for page in set_pages(folder, UNTOUCHED, most)]
    for folder in folders(data):
        for _ in write_damaged(folder, out, families, most, seed):
            pass
    for family in families:
        for folder in folders(out / family):
            for page in set_pages(folder, family, 0):
                strength = page.image.suffixes[-2].removeprefix(".")
                if strength in strengths:
                    pages.append(Page(f"{family} {strength}", page.image, page.truth, page.language))
    return pages


def drawn(out: Path, most: int, seed: int) -> list[Page]:
    """A group for each kind; the images are written to `out`."""
    return [
        page for kind in KINDS for page in set_pages(write_kind(kind, out, min(most or PAGES, PAGES), seed), kind, 0)
    ]
