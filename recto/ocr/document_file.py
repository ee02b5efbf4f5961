"""An uploaded document as the imaging code gets it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document as a file, whatever its name, and the password that opens it where it is an encrypted PDF."""

    path: Path
    password: str | None = None
