"""What every FileStorage promises, run over each implementation."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from recto.errors import FileNotFound
from recto.file_storage.base import DOCUMENT, METADATA, FileKind, FileStorage, checkpoint_name, result_name
from recto.file_storage.volume import VolumeStorage
from tests.s3_servers import SERVERS, S3Server


def volume(folder: Path) -> FileStorage:
    storage = VolumeStorage(folder / "storage")
    storage.prepare()
    return storage


SERVICES = [pytest.mark.services]
IMPLEMENTATIONS = [None, *(pytest.param(server, marks=SERVICES) for server in SERVERS)]


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda server: server or "volume")
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> FileStorage:
    if request.param is None:
        return volume(tmp_path)
    server: S3Server = request.getfixturevalue(f"{request.param}_server")
    return server.storage(tmp_path / "storage")


def put(storage: FileStorage, uuid: str, content: bytes = b"scan") -> None:
    incoming = storage.incoming()
    try:
        incoming.file.write(content)
        incoming.keep(uuid, DOCUMENT)
    finally:
        incoming.discard()


def content(storage: FileStorage, uuid: str, name: str) -> bytes:
    with storage.open(uuid, name) as file:
        return file.read()


@pytest.fixture
def uuid(storage: FileStorage) -> str:
    """A job that has its document."""
    uuid = str(uuid4())
    put(storage, uuid)
    return uuid


def test_incoming_that_is_kept_is_the_document(storage: FileStorage) -> None:
    uuid = str(uuid4())
    incoming = storage.incoming()
    incoming.file.write(b"first ")
    incoming.file.write(b"second")
    incoming.file.seek(0)
    assert incoming.file.read(5) == b"first"
    incoming.keep(uuid, DOCUMENT)
    assert content(storage, uuid, DOCUMENT) == b"first second"
    assert list(storage.folders()) == [uuid]


def test_incoming_that_is_not_kept_yet_is_seen_by_nobody(storage: FileStorage) -> None:
    incoming = storage.incoming()
    incoming.file.write(b"half")
    assert list(storage.folders()) == []
    incoming.discard()
    assert list(storage.folders()) == []


def test_discard_after_keep_does_nothing(storage: FileStorage) -> None:
    uuid = str(uuid4())
    incoming = storage.incoming()
    incoming.file.write(b"scan")
    incoming.keep(uuid, DOCUMENT)
    incoming.discard()
    assert content(storage, uuid, DOCUMENT) == b"scan"


def test_discard_twice_is_harmless(storage: FileStorage) -> None:
    incoming = storage.incoming()
    incoming.discard()
    incoming.discard()
    assert list(storage.folders()) == []


def test_write_appears_whole_at_the_end_of_the_block(storage: FileStorage, uuid: str) -> None:
    with storage.write(uuid, METADATA) as file:
        file.write(b"{}")
        file.flush()
        with pytest.raises(FileNotFound):
            storage.open(uuid, METADATA)
    assert content(storage, uuid, METADATA) == b"{}"


def test_write_over_a_file_replaces_it_at_the_end_of_the_block(storage: FileStorage, uuid: str) -> None:
    with storage.write(uuid, DOCUMENT) as file:
        file.write(b"new")
        file.flush()
        assert content(storage, uuid, DOCUMENT) == b"scan"
    assert content(storage, uuid, DOCUMENT) == b"new"


def test_reader_of_a_file_that_is_replaced_reads_the_old_one_to_its_end(storage: FileStorage, uuid: str) -> None:
    with storage.open(uuid, DOCUMENT) as old:
        assert old.read(1) == b"s"
        with storage.write(uuid, DOCUMENT) as file:
            file.write(b"NEW!")
        assert old.read() == b"can"


def fail_to_write(storage: FileStorage, uuid: str, name: str) -> None:
    with storage.write(uuid, name) as file:
        file.write(b"half of it")
        raise KeyError


def test_write_whose_block_raises_leaves_no_file(storage: FileStorage, uuid: str) -> None:
    with pytest.raises(KeyError):
        fail_to_write(storage, uuid, METADATA)
    with pytest.raises(FileNotFound):
        storage.open(uuid, METADATA)


def test_write_whose_block_raises_leaves_the_old_file(storage: FileStorage, uuid: str) -> None:
    with pytest.raises(KeyError):
        fail_to_write(storage, uuid, DOCUMENT)
    assert content(storage, uuid, DOCUMENT) == b"scan"


@pytest.mark.parametrize("name", [METADATA, checkpoint_name("a" * 32, 1), result_name("b" * 32, "txt")])
def test_write_makes_the_folders_below_the_jobs(storage: FileStorage, uuid: str, name: str) -> None:
    with storage.write(uuid, name) as file:
        file.write(b"x")
    assert content(storage, uuid, name) == b"x"


def test_attempts_of_one_job_do_not_meet(storage: FileStorage, uuid: str) -> None:
    for token in ("a" * 32, "b" * 32):
        with storage.write(uuid, result_name(token, "txt")) as file:
            file.write(token.encode())
    assert content(storage, uuid, result_name("a" * 32, "txt")) == b"a" * 32


TOGETHER = (checkpoint_name("a" * 32, 1), result_name("a" * 32, "txt"), result_name("a" * 32, "pdf"))


def test_files_that_are_written_together_are_there_at_the_end_of_the_block(storage: FileStorage, uuid: str) -> None:
    with storage.together(uuid) as write_file:
        for name in TOGETHER:
            with write_file(name) as file:
                file.write(name.encode())
    assert [content(storage, uuid, name) for name in TOGETHER] == [name.encode() for name in TOGETHER]


def test_file_whose_block_raises_is_left_out_of_those_that_are_written_together(
    storage: FileStorage, uuid: str
) -> None:
    with storage.together(uuid) as write_file:
        for name in TOGETHER:
            with suppress(ZeroDivisionError), write_file(name) as file:
                file.write(b"x" * (1 // (name != TOGETHER[1])))
    assert {stored.name for stored in storage.contents(uuid)} == {DOCUMENT, TOGETHER[0], TOGETHER[2]}


def test_deletion_while_files_are_written_together_wins(storage: FileStorage, uuid: str) -> None:
    with pytest.raises(FileNotFound), storage.together(uuid) as write_file:  # noqa: PT012 - the file is the second block
        with write_file(TOGETHER[0]) as file:
            file.write(b"x")
        storage.delete(uuid)
        with write_file(TOGETHER[1]) as file:
            file.write(b"x")
    assert list(storage.folders()) == []


def test_write_for_a_job_without_a_folder_is_file_not_found(storage: FileStorage) -> None:
    uuid = str(uuid4())
    with pytest.raises(FileNotFound), storage.write(uuid, METADATA):
        pass
    assert list(storage.folders()) == []


@pytest.mark.parametrize("name", [METADATA, checkpoint_name("a" * 32, 1)])
def test_write_after_the_deletion_never_creates_the_folder_again(storage: FileStorage, uuid: str, name: str) -> None:
    storage.delete(uuid)
    with pytest.raises(FileNotFound), storage.write(uuid, name):
        pass
    assert list(storage.folders()) == []


@pytest.mark.parametrize("name", [METADATA, checkpoint_name("a" * 32, 1)])
def test_deletion_during_a_write_wins(storage: FileStorage, uuid: str, name: str) -> None:
    def write_while_it_goes() -> None:
        with storage.write(uuid, name) as file:
            file.write(b"late")
            storage.delete(uuid)

    with pytest.raises(FileNotFound):
        write_while_it_goes()
    assert list(storage.folders()) == []


def test_delete_removes_the_job_and_no_other(storage: FileStorage, uuid: str) -> None:
    other = str(uuid4())
    put(storage, other, b"other")
    with storage.write(uuid, checkpoint_name("a" * 32, 1)) as file:
        file.write(b"x")
    storage.delete(uuid)
    assert list(storage.folders()) == [other]
    assert content(storage, other, DOCUMENT) == b"other"


def test_delete_of_what_is_not_there_does_nothing(storage: FileStorage, uuid: str) -> None:
    storage.delete(str(uuid4()))
    storage.delete(uuid)
    storage.delete(uuid)
    assert list(storage.folders()) == []


def test_document_that_is_deleted_while_it_is_being_opened_is_whole_or_not_found(
    storage: FileStorage, uuid: str
) -> None:
    with suppress(FileNotFound), storage.local_path(uuid, DOCUMENT) as path:
        storage.delete(uuid)
        assert path.read_bytes() == b"scan"
    with pytest.raises(FileNotFound), storage.local_path(uuid, DOCUMENT):
        pass


def test_another_file_that_is_missing_is_not_taken_for_the_document(storage: FileStorage, uuid: str) -> None:
    with pytest.raises(FileNotFoundError), storage.local_path(uuid, DOCUMENT) as path:
        path.with_name("elsewhere").open("rb").close()


def test_size_and_local_path_speak_of_the_same_file(storage: FileStorage, uuid: str) -> None:
    assert storage.size_bytes(uuid, DOCUMENT) == 4
    with storage.local_path(uuid, DOCUMENT) as path:
        assert path.read_bytes() == b"scan"


def test_open_stream_can_be_sought(storage: FileStorage, uuid: str) -> None:
    with storage.open(uuid, DOCUMENT) as file:
        assert file.seek(0, os.SEEK_END) == 4
        file.seek(1)
        assert file.read() == b"can"


READS: dict[str, Callable[[FileStorage, str, str], object]] = {
    "open": lambda storage, uuid, name: storage.open(uuid, name),
    "size_bytes": lambda storage, uuid, name: storage.size_bytes(uuid, name),
    "local_path": lambda storage, uuid, name: storage.local_path(uuid, name).__enter__(),
}


@pytest.mark.parametrize("read", READS)
def test_reading_what_is_not_there_is_file_not_found(storage: FileStorage, uuid: str, read: str) -> None:
    with pytest.raises(FileNotFound):
        READS[read](storage, uuid, METADATA)
    with pytest.raises(FileNotFound):
        READS[read](storage, str(uuid4()), DOCUMENT)


SOME_UUID = "0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"
NO_UUIDS = ["", "..", "../secret", "/etc", ".incoming", "a/../../b", "0", f"{SOME_UUID}/../x", f"../{SOME_UUID}"]
CALLS: dict[str, Callable[[FileStorage, str], object]] = {
    "open": lambda storage, uuid: storage.open(uuid, DOCUMENT),
    "size_bytes": lambda storage, uuid: storage.size_bytes(uuid, DOCUMENT),
    "local_path": lambda storage, uuid: storage.local_path(uuid, DOCUMENT).__enter__(),
    "write": lambda storage, uuid: storage.write(uuid, METADATA).__enter__(),
    "delete": lambda storage, uuid: storage.delete(uuid),
    "keep": put,
    "withdraw": lambda storage, uuid: storage.withdraw(uuid),
    "contents": lambda storage, uuid: storage.contents(uuid),
    "remove": lambda storage, uuid: storage.remove(uuid, DOCUMENT),
    "copy from": lambda storage, uuid: storage.copy(uuid, SOME_UUID, {DOCUMENT: DOCUMENT}),
    "copy to": lambda storage, uuid: storage.copy(SOME_UUID, uuid, {DOCUMENT: DOCUMENT}),
}


@pytest.mark.parametrize("no_uuid", NO_UUIDS)
@pytest.mark.parametrize("call", CALLS)
def test_name_that_is_no_uuid_is_refused(storage: FileStorage, tmp_path: Path, call: str, no_uuid: str) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / DOCUMENT).write_bytes(b"theirs")
    with pytest.raises(ValueError, match="UUID"):
        CALLS[call](storage, no_uuid)
    assert (tmp_path / "secret" / DOCUMENT).read_bytes() == b"theirs"
    assert list(storage.folders()) == []


def test_uuid_in_another_spelling_is_the_same_job(storage: FileStorage, uuid: str) -> None:
    assert content(storage, uuid.upper(), DOCUMENT) == b"scan"


def test_check_of_a_sound_store_says_nothing_and_leaves_nothing(storage: FileStorage) -> None:
    storage.check()
    assert list(storage.folders()) == []


def test_link_is_a_url_or_left_to_the_backend(storage: FileStorage, uuid: str) -> None:
    link = storage.link(uuid, DOCUMENT, 60, "letter.png", "image/png")
    assert link is None or link.startswith("http")


TOKEN = "a" * 32


def names(storage: FileStorage, uuid: str) -> dict[str, FileKind]:
    return {file.name: file.kind for file in storage.contents(uuid)}


def test_contents_name_every_file_with_its_size(storage: FileStorage, uuid: str) -> None:
    with storage.write(uuid, checkpoint_name(TOKEN, 1)) as file:
        file.write(b"page")
    assert names(storage, uuid) == {DOCUMENT: FileKind.KEPT, checkpoint_name(TOKEN, 1): FileKind.KEPT}
    assert {file.size_bytes for file in storage.contents(uuid)} == {4}
    assert all(0 <= file.age_s < 60 for file in storage.contents(uuid))


def test_contents_of_no_folder_are_file_not_found(storage: FileStorage) -> None:
    with pytest.raises(FileNotFound):
        storage.contents(str(uuid4()))


def test_remove_takes_one_file_and_says_so_again_when_it_is_gone(storage: FileStorage, uuid: str) -> None:
    with storage.write(uuid, METADATA) as file:
        file.write(b"{}")
    assert storage.remove(uuid, METADATA)
    assert storage.remove(uuid, METADATA)
    assert names(storage, uuid) == {DOCUMENT: FileKind.KEPT}


def test_file_that_is_being_written_is_not_removed(storage: FileStorage, uuid: str) -> None:
    with storage.write(uuid, checkpoint_name(TOKEN, 1)) as file:
        file.write(b"page")
        unfinished = [name for name, kind in names(storage, uuid).items() if kind is FileKind.UNFINISHED]
        assert [storage.remove(uuid, name) for name in unfinished] == [False] * len(unfinished)
    assert content(storage, uuid, checkpoint_name(TOKEN, 1)) == b"page"


def test_file_that_is_arriving_is_not_removed(storage: FileStorage) -> None:
    uuid, incoming = str(uuid4()), storage.incoming()
    incoming.file.write(b"scan")
    arriving = [file.name for file in storage.outside() if file.kind is FileKind.UNFINISHED]
    assert [storage.remove_outside(name) for name in arriving] == [False] * len(arriving)
    incoming.keep(uuid, DOCUMENT)
    assert content(storage, uuid, DOCUMENT) == b"scan"


@pytest.mark.parametrize("name", ["notes.txt", "../x", "attempts/../document", "attempts/short/result.txt", "", "/"])
def test_removal_of_a_foreign_name_is_refused(storage: FileStorage, uuid: str, name: str) -> None:
    with pytest.raises(ValueError, match="not Recto's"):
        storage.remove(uuid, name)
    with pytest.raises(ValueError, match="not Recto's"):
        storage.remove_outside(name)
    assert names(storage, uuid) == {DOCUMENT: FileKind.KEPT}


def test_withdrawn_folder_is_gone_for_everybody(storage: FileStorage, uuid: str) -> None:
    storage.withdraw(uuid)
    storage.withdraw(uuid)
    assert list(storage.folders()) == []
    for call in (lambda: storage.open(uuid, DOCUMENT), lambda: storage.contents(uuid)):
        with pytest.raises(FileNotFound):
            call()
    with pytest.raises(FileNotFound), storage.write(uuid, METADATA):
        pass
    storage.delete(uuid)
    assert list(storage.outside()) == []


OTHER_TOKEN = "b" * 32
COPIED = {DOCUMENT: DOCUMENT, checkpoint_name(OTHER_TOKEN, 1): checkpoint_name(TOKEN, 1)}


@pytest.fixture
def copy(storage: FileStorage, uuid: str) -> str:
    """A job that has the document and the page of `uuid`."""
    with storage.write(uuid, checkpoint_name(TOKEN, 1)) as file:
        file.write(b"page")
    copy = str(uuid4())
    storage.copy(uuid, copy, COPIED)
    return copy


def test_copy_has_the_files_under_their_new_names_and_no_others(storage: FileStorage, copy: str) -> None:
    assert names(storage, copy) == dict.fromkeys(COPIED, FileKind.KEPT)
    assert [content(storage, copy, name) for name in COPIED] == [b"scan", b"page"]


@pytest.mark.parametrize("is_copy_deleted", [True, False])
def test_copy_and_original_outlive_each_other(
    storage: FileStorage, uuid: str, copy: str, is_copy_deleted: bool
) -> None:
    storage.delete(copy if is_copy_deleted else uuid)
    left = uuid if is_copy_deleted else copy
    assert list(storage.folders()) == [left]
    assert content(storage, left, DOCUMENT) == b"scan"
    assert content(storage, left, checkpoint_name(TOKEN if is_copy_deleted else OTHER_TOKEN, 1)) == b"page"


@pytest.mark.parametrize("is_copy_written", [True, False])
def test_file_that_is_replaced_stays_what_it_was_on_the_other_side(
    storage: FileStorage, uuid: str, copy: str, is_copy_written: bool
) -> None:
    with storage.write(copy if is_copy_written else uuid, DOCUMENT) as file:
        file.write(b"anew")
    assert content(storage, uuid if is_copy_written else copy, DOCUMENT) == b"scan"


def test_copy_of_what_is_not_there_is_file_not_found(storage: FileStorage, uuid: str) -> None:
    for source, name in ((uuid, METADATA), (str(uuid4()), DOCUMENT)):
        with pytest.raises(FileNotFound):
            storage.copy(source, str(uuid4()), {METADATA: name})
