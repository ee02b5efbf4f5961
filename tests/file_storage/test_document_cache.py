"""Copies of documents on a node's disk: fetched once, kept while they are read, and no more of them than asked for."""

import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

import pytest

from recto.errors import FileNotFound, StorageUnavailable
from recto.file_storage.base import DOCUMENT, FileStorage
from recto.file_storage.document_cache import DocumentCache
from recto.file_storage.volume import VolumeStorage

UUIDS = [str(UUID(int=number)) for number in range(1, 6)]


class CountedStorage(VolumeStorage):
    """Counts how often a document was read from the store."""

    opened = 0

    def open(self, uuid: str, name: str) -> BinaryIO:
        self.opened += 1
        return super().open(uuid, name)


@pytest.fixture
def storage(tmp_path: Path) -> CountedStorage:
    """Five documents of ten bytes."""
    storage = CountedStorage(tmp_path / "store")
    storage.prepare()
    for uuid in UUIDS:
        incoming = storage.incoming()
        incoming.file.write(uuid[-10:].encode())
        incoming.keep(uuid, DOCUMENT)
    return storage


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path, clock: Clock) -> DocumentCache:
    """Room for two of them."""
    return DocumentCache(tmp_path / "cache", 25, clock)


def cached(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".lock"))


def read(cache: DocumentCache, storage: FileStorage, uuid: str) -> bytes:
    with cache.local_path(storage, uuid) as path:
        return path.read_bytes()


def test_document_is_fetched_once_however_often_it_is_read(cache: DocumentCache, storage: CountedStorage) -> None:
    assert [read(cache, storage, UUIDS[0]) for _ in range(3)] == [b"0000000001"] * 3
    assert storage.opened == 1


def test_document_that_many_want_at_once_is_fetched_once(cache: DocumentCache, storage: CountedStorage) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: read(cache, storage, UUIDS[0]), range(40))) == {b"0000000001"}
    assert storage.opened == 1


def test_copy_that_was_not_used_for_longest_makes_room(
    cache: DocumentCache, storage: CountedStorage, tmp_path: Path
) -> None:
    for number in (0, 1, 0, 2):
        read(cache, storage, UUIDS[number])
    assert cached(tmp_path) == [UUIDS[0], UUIDS[2]]


def test_copy_that_is_read_stays_although_there_is_no_room(
    cache: DocumentCache, storage: CountedStorage, tmp_path: Path
) -> None:
    with cache.local_path(storage, UUIDS[0]) as path:
        for uuid in UUIDS[1:]:
            read(cache, storage, uuid)
        assert path.read_bytes() == b"0000000001"
        cache.clear()
        assert cached(tmp_path) == [UUIDS[0]]
    cache.clear()
    assert cached(tmp_path) == []


def test_copy_that_nobody_used_for_an_hour_is_removed(
    cache: DocumentCache, storage: CountedStorage, clock: Clock, tmp_path: Path
) -> None:
    read(cache, storage, UUIDS[0])
    clock.now_s += 3700.0
    read(cache, storage, UUIDS[1])
    assert cached(tmp_path) == [UUIDS[1]]


def test_document_that_is_gone_leaves_nothing(cache: DocumentCache, storage: CountedStorage, tmp_path: Path) -> None:
    storage.delete(UUIDS[0])
    with pytest.raises(FileNotFound), cache.local_path(storage, UUIDS[0]):
        pass
    assert cached(tmp_path) == []


class BrokenStorage(CountedStorage):
    """Breaks off in the middle."""

    def open(self, uuid: str, name: str) -> BinaryIO:
        class Stream(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise StorageUnavailable("The store is gone.")

        return cast(BinaryIO, Stream())


def test_copy_that_broke_off_leaves_nothing(cache: DocumentCache, storage: CountedStorage, tmp_path: Path) -> None:
    broken = BrokenStorage(tmp_path / "store")
    with pytest.raises(StorageUnavailable), cache.local_path(broken, UUIDS[0]):
        pass
    assert cached(tmp_path) == []
    assert read(cache, storage, UUIDS[0]) == b"0000000001"


def test_copy_that_a_killed_process_left_half_written_makes_room(
    cache: DocumentCache, storage: CountedStorage, tmp_path: Path
) -> None:
    read(cache, storage, UUIDS[0])
    (tmp_path / "cache" / ".half.part").write_bytes(b"x" * 20)
    os.utime(tmp_path / "cache" / ".half.part", (0, 0))
    read(cache, storage, UUIDS[1])
    assert cached(tmp_path) == [UUIDS[0], UUIDS[1]]


def test_folder_that_cannot_be_written_is_named(storage: CountedStorage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = DocumentCache(tmp_path / "file" / "cache", 25)
    with pytest.raises(StorageUnavailable, match=r"cluster\.document_cache_path"), cache.local_path(storage, UUIDS[0]):
        pass
