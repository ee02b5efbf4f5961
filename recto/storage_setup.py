"""Where the File Storage is: what the settings say of it, in values that every process is started with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StorageSetup:
    """`folder` holds the documents, and what is in passing on this machine; below `min_free_bytes` of free disk it takes no new ones."""

    folder: Path
    min_free_bytes: int = 0
