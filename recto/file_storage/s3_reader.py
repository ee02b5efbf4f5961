"""An object of the store as a file that can be read anywhere: by requests for ranges, of which one is in memory at a time."""

import io
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from recto.errors import StorageUnavailable
from recto.file_storage.s3_client import S3Clients, is_condition_failed, is_out_of_range, translated

_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an object. `size_bytes` is the length of the whole."""

    content: bytes
    size_bytes: int
    etag: str


class S3Reader(io.RawIOBase):
    """Reads an object as it was when it was opened. Where it is replaced meanwhile, reading on is StorageUnavailable: nothing is mixed.

    Each read uses the client of its own context (S3Clients): a file that was opened in a thread may be read in another.
    """

    def __init__(self, clients: S3Clients, bucket: str, key: str, piece_bytes: int) -> None:
        """Reads the first piece at once. FileNotFound, StorageUnavailable."""
        super().__init__()
        self._clients, self._bucket, self._key = clients, bucket, key
        self._piece_bytes = piece_bytes
        self._place = self._start = 0
        self._piece = read_piece(clients.own(), bucket, key, 0, piece_bytes)

    @property
    def size_bytes(self) -> int:
        """Length of the object."""
        return self._piece.size_bytes

    def readable(self) -> bool:
        """See io.IOBase."""
        return True

    def seekable(self) -> bool:
        """See io.IOBase."""
        return True

    def tell(self) -> int:
        """See io.IOBase."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See io.IOBase."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size_bytes}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase. StorageUnavailable."""
        if self._place >= self.size_bytes:
            return 0
        if not self._start <= self._place < self._start + len(self._piece.content):
            self._turn_to(self._place)
        found = memoryview(self._piece.content)[self._place - self._start :][: len(buffer)]
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)

    def _turn_to(self, start: int) -> None:
        etag = self._piece.etag
        piece = read_piece(self._clients.own(), self._bucket, self._key, start, self._piece_bytes, etag)
        if piece.etag != etag:  # the store may not know the condition
            raise _replaced()
        self._piece, self._start = piece, start


def read_piece(client: Any, bucket: str, key: str, start: int, piece_bytes: int, etag: str | None = None) -> Piece:
    """Up to so many bytes of an object. FileNotFound, StorageUnavailable.

    boto3 repeats a request that is not answered, but not the reading of an answer that breaks off.
    """
    with translated(key.rpartition("/")[2]):
        for _ in range(_TRIES - 1):
            with suppress(BotoCoreError):
                return _read_once(client, bucket, key, start, piece_bytes, etag)
        return _read_once(client, bucket, key, start, piece_bytes, etag)


def _read_once(client: Any, bucket: str, key: str, start: int, piece_bytes: int, etag: str | None) -> Piece:
    condition = {"IfMatch": etag} if etag else {}
    try:
        answer = client.get_object(
            Bucket=bucket, Key=key, Range=f"bytes={start}-{start + piece_bytes - 1}", **condition
        )
    except ClientError as error:
        if is_out_of_range(error) and start == 0:
            return Piece(b"", 0, "")  # an empty object has no range
        if is_condition_failed(error):
            raise _replaced() from error
        raise
    content = answer["Body"].read()
    size_bytes = int(answer["ContentRange"].rpartition("/")[2]) if "ContentRange" in answer else len(content)
    return Piece(content, size_bytes, answer["ETag"])


def _replaced() -> StorageUnavailable:
    return StorageUnavailable("The file was replaced in the object store while it was read. Ask for it again.")
