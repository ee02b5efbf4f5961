"""What only a PDF's objects tell, asked of qpdf: PDFium draws a page, or does not, and gives no reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_T = TypeVar("_T")


def asked(path: Path, password: str | None, question: Callable[[pikepdf.Pdf], _T], otherwise: _T) -> _T:
    """What `question` answers of the file; `otherwise` where qpdf cannot open it, or walk its page tree, as PDFium can."""
    for given in dict.fromkeys(("", password or "")):
        try:
            with pikepdf.open(path, password=given, suppress_warnings=True) as pdf:
                return question(pdf)
        except pikepdf.PasswordError:
            continue  # PDFium knows more encodings of a password
        except (pikepdf.PdfError, ValueError, RuntimeError):
            break
    return otherwise
