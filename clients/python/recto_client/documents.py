"""The document that is sent: a path, or a file object, which may be a pipe."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

from recto_client.digests import CHUNK_BYTES, sha256_of
from recto_client.errors import DocumentChanged

Source: TypeAlias = str | os.PathLike[str] | BinaryIO
_NAMELESS: Final = "document"
_MEMORY_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """`file` can be read again from its beginning; `sha256` in hexadecimals; `name` is what people see."""

    file: BinaryIO
    name: str
    size_bytes: int
    sha256: str

    def chunks(self) -> Iterator[bytes]:
        """The content from its beginning. DocumentChanged where it has another length by now."""
        self.file.seek(0)
        left_bytes = self.size_bytes
        while left_bytes and (chunk := self.file.read(min(CHUNK_BYTES, left_bytes))):
            left_bytes -= len(chunk)
            yield chunk
        if left_bytes or self.file.read(1):
            raise DocumentChanged(
                f"{self.name} was written to while it was being sent. Send it again when it is complete."
            )


@contextmanager
def opened(source: Source | Document, name: str | None = None) -> Iterator[Document]:
    """The source as a Document for the time of the block. A file object is read whole and stays open; of a pipe a copy is kept."""
    if isinstance(source, Document):
        yield source
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        with path.open("rb") as file:
            yield _document(file, name or path.name)
    elif source.seekable():
        yield _document(source, name or _name_of(source))
    else:
        with tempfile.SpooledTemporaryFile(_MEMORY_BYTES) as copy:
            shutil.copyfileobj(source, copy)
            yield _document(cast(BinaryIO, copy), name or _name_of(source))


def _document(file: BinaryIO, name: str) -> Document:
    sha256, size_bytes = sha256_of(file)
    sendable = name.encode("utf-8", "replace").decode()  # names of files need not be valid text
    return Document(file, sendable, size_bytes, sha256)


def _name_of(file: BinaryIO) -> str:
    name = getattr(file, "name", None)
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else _NAMELESS
