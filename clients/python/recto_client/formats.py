"""The formats of results, and how the names of their files end."""

from typing import Final

SUFFIXES: Final = {
    "txt": ".txt",
    "md": ".md",
    "json": ".json",
    "pdf": ".pdf",
    "pdfa": ".pdfa.pdf",
    "hocr": ".hocr",
    "alto": ".alto.xml",
    "tsv": ".tsv",
    "pages.zip": ".pages.zip",
}

NOT_FOR_TERMINALS: Final = ("pdf", "pdfa", "pages.zip")
