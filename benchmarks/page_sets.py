"""Sets of page images with ground truth: folders of NAME.png (or jpg, tif) with NAME.gt.txt beside it, and a file LANG."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

IMAGE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


def pages_of(folder: Path, most: int) -> list[tuple[Path, str]]:
    """Images with their truth, at most `most`, evenly spread; 0 is all."""
    pages = list(_pages_with_truth(folder))
    if most and len(pages) > most:
        pages = [pages[index * len(pages) // most] for index in range(most)]
    return pages


def _pages_with_truth(folder: Path) -> Iterator[tuple[Path, str]]:
    for truth in sorted(folder.glob("*.gt.txt")):
        stem = truth.name.removesuffix(".gt.txt")
        images = [folder / (stem + suffix) for suffix in IMAGE_SUFFIXES if (folder / (stem + suffix)).exists()]
        if images:
            yield images[0], truth.read_text(encoding="utf-8")
