"""Draw the pages.

    python -m benchmarks.drawn_pages OUT [--seed S] [--pages N] [--kinds a,b]

Writes OUT/KIND/ with LANG (Tesseract's name of the language), NAME.png and NAME.gt.txt, as benchmarks.page_sets reads them. A page depends on
seed, kind and its number alone.
"""

import argparse
from pathlib import Path

from benchmarks.drawn_pages.kinds import KINDS, PAGES, write_kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pages", type=int, default=PAGES, help="pages of each kind")
    parser.add_argument("--kinds", default=",".join(KINDS), help="comma-separated")
    options = parser.parse_args()
    for kind in options.kinds.split(","):
        folder = write_kind(kind, options.out, options.pages, options.seed)
        print(f"{folder}: {options.pages} pages, seed {options.seed}")


if __name__ == "__main__":
    main()
