"""Files of one File Storage in another: from a volume to a volume, and to object stores."""

from pathlib import Path
from uuid import uuid4

import pytest

from recto.file_storage.base import DOCUMENT, METADATA, FileStorage, checkpoint_name, result_name
from recto.file_storage.volume import VolumeStorage
from recto.moving.files import copy_files
from tests.s3_servers import SERVERS, S3Server

TOKEN = "d" * 32
FILES = {
    DOCUMENT: b"scan" * 100_000,
    METADATA: b"{}",
    checkpoint_name(TOKEN, 1): b"page",
    result_name(TOKEN, "txt"): b"The lamp was lit.",
    result_name(TOKEN, "pdf"): b"%PDF",
}


def fill(storage: FileStorage, files: dict[str, bytes]) -> str:
    uuid = str(uuid4())
    for name, content in files.items():
        if name == DOCUMENT:
            incoming = storage.incoming()
            incoming.file.write(content)
            incoming.keep(uuid, name)
        else:
            with storage.write(uuid, name) as file:
                file.write(content)
    return uuid


def read(storage: FileStorage, uuid: str, name: str) -> bytes:
    with storage.open(uuid, name) as file:
        return file.read()


@pytest.fixture
def source(tmp_path: Path) -> VolumeStorage:
    storage = VolumeStorage(tmp_path / "old")
    storage.prepare()
    return storage


@pytest.fixture(params=["volume", *(pytest.param(name, marks=pytest.mark.services) for name in SERVERS)])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> FileStorage:
    if request.param == "volume":
        storage = VolumeStorage(tmp_path / "new")
        storage.prepare()
        return storage
    server: S3Server = request.getfixturevalue(f"{request.param}_server")
    return server.storage(tmp_path / "passing")


def test_all_files_go_over_and_are_equal(source: VolumeStorage, target: FileStorage) -> None:
    uuids = {fill(source, FILES) for _ in range(12)}
    moved = list(copy_files(source, target, compare=True))
    assert {folder.uuid for folder in moved} == uuids == set(target.folders())
    assert {(folder.files, folder.copied, folder.different) for folder in moved} == {(5, 5, ())}
    assert moved[0].size_bytes == sum(map(len, FILES.values()))
    for name, content in FILES.items():
        assert read(target, moved[0].uuid, name) == content


def test_a_second_time_only_what_is_new_is_copied(source: VolumeStorage, target: FileStorage) -> None:
    uuid = fill(source, FILES)
    list(copy_files(source, target, compare=True))
    with source.write(uuid, result_name(TOKEN, "txt", 1)) as file:
        file.write(b"The lamp was lit!")
    other = fill(source, FILES)
    moved = {folder.uuid: folder.copied for folder in copy_files(source, target, compare=False)}
    assert moved == {uuid: 1, other: 5}
    assert read(target, uuid, result_name(TOKEN, "txt", 1)) == b"The lamp was lit!"


def test_a_copy_that_was_broken_off_goes_on_where_it_was(source: VolumeStorage, target: FileStorage) -> None:
    uuid = fill(source, FILES)
    incoming = target.incoming()
    incoming.file.write(FILES[DOCUMENT])
    incoming.keep(uuid, DOCUMENT)
    (folder,) = copy_files(source, target, compare=True)
    assert (folder.copied, folder.different) == (4, ())


def test_other_bytes_of_the_same_length_are_found_by_their_checksum(source: VolumeStorage, target: FileStorage) -> None:
    uuid = fill(source, FILES)
    list(copy_files(source, target, compare=True))
    with target.write(uuid, result_name(TOKEN, "pdf")) as file:
        file.write(b"%PDX")
    (folder,) = copy_files(source, target, compare=True)
    assert folder.different == (result_name(TOKEN, "pdf"),)


def test_folder_without_its_document_is_told_of(source: VolumeStorage, target: FileStorage) -> None:
    uuid = fill(source, FILES)
    assert source.remove(uuid, DOCUMENT)
    (folder,) = copy_files(source, target, compare=True)
    assert set(folder.different) == set(FILES) - {DOCUMENT}
    assert list(target.folders()) == []


def test_what_is_still_arriving_stays_behind(source: VolumeStorage, target: FileStorage) -> None:
    uuid = fill(source, FILES)
    with source.write(uuid, checkpoint_name(TOKEN, 2)) as file:
        file.write(b"half a page")
        (folder,) = copy_files(source, target, compare=True)
    assert (folder.files, folder.different) == (5, ())
