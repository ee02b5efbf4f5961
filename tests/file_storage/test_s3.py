"""What the object store adds to the promises of every FileStorage: parts, long listings, conditions, links, and what goes wrong."""

import io
import os
import threading
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from recto.errors import FileNotFound, StorageFull, StorageUnavailable
from recto.file_storage.base import DOCUMENT, METADATA, FileKind, FileStorage, checkpoint_name, upload_name
from recto.file_storage.s3 import S3Storage, open_s3
from recto.file_storage.s3_client import S3Clients
from recto.file_storage.s3_objects import S3Objects
from tests.s3_servers import PREFIX, S3Server

pytestmark = pytest.mark.services
PART_BYTES = 5 * 1024 * 1024
LARGE = os.urandom(2 * PART_BYTES + 1234)
TOKEN = "a" * 32


@pytest.fixture
def storage(s3_server: S3Server, tmp_path: Path) -> S3Storage:
    return s3_server.storage(tmp_path)


def bucket_of(storage: S3Storage) -> str:
    return storage._objects._bucket


def put(storage: FileStorage, content: bytes = b"scan", uuid: str | None = None) -> str:
    uuid, incoming = uuid or str(uuid4()), storage.incoming()
    try:
        incoming.file.write(content)
        incoming.keep(uuid, DOCUMENT)
    finally:
        incoming.discard()
    return uuid


def test_large_file_goes_in_parts_and_comes_back_whole(storage: S3Storage) -> None:
    uuid = put(storage, LARGE)
    assert storage.size_bytes(uuid, DOCUMENT) == len(LARGE)
    with storage.open(uuid, DOCUMENT) as file:
        assert file.read() == LARGE
        file.seek(-3, os.SEEK_END)
        assert file.read() == LARGE[-3:]
        file.seek(PART_BYTES - 1)
        assert file.read(2) == LARGE[PART_BYTES - 1 : PART_BYTES + 1]
    with storage.local_path(uuid, DOCUMENT) as path:
        assert path.read_bytes() == LARGE
    assert list(storage.outside()) == []


def test_empty_file_is_a_file(storage: S3Storage) -> None:
    uuid = put(storage)
    with storage.write(uuid, METADATA):
        pass
    with storage.open(uuid, METADATA) as file:
        assert (file.seek(0, os.SEEK_END), file.read()) == (0, b"")
    assert list(storage.read_each(uuid, [METADATA])) == [b""]


def test_pages_come_in_their_order_however_many(storage: S3Storage) -> None:
    uuid = put(storage)
    names = [checkpoint_name(TOKEN, number) for number in range(1, 31)]
    for name in names:
        with storage.write(uuid, name) as file:
            file.write(name.encode())
    assert list(storage.read_each(uuid, reversed(names))) == [name.encode() for name in reversed(names)]
    with pytest.raises(FileNotFound):
        list(storage.read_each(uuid, [*names, checkpoint_name(TOKEN, 31)]))


def test_deletion_takes_more_keys_than_one_listing_has(s3_server: S3Server, storage: S3Storage) -> None:
    uuid, other, bucket = put(storage), put(storage), bucket_of(storage)
    with storage.write(uuid, checkpoint_name(TOKEN, 1)) as file:
        file.write(b"page")
    start = f"{PREFIX}{uuid}/attempts/{TOKEN}/pages/"
    storage._objects.copy([(f"{start}0001.json", f"{start}{number:04d}.json") for number in range(2, 1101)])
    assert len(storage.contents(uuid)) == 1101
    storage.delete(uuid)
    assert s3_server.keys(bucket) == {f"{PREFIX}{other}/{DOCUMENT}"}


def test_document_is_fetched_once_and_asked_for_each_time(storage: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    uuid = put(storage)
    with storage.local_path(uuid, DOCUMENT) as first, storage.local_path(uuid, DOCUMENT) as second:
        assert first == second
    others = [put(storage) for _ in range(3)]
    for other in others:
        with storage.local_path(other, DOCUMENT):
            pass
    assert not first.exists()
    assert len(list(first.parent.iterdir())) == 2
    storage.delete(others[-1])
    with pytest.raises(FileNotFound):
        storage.local_path(others[-1], DOCUMENT)


def test_file_that_is_replaced_while_it_is_read_is_not_mixed(storage: S3Storage) -> None:
    uuid = put(storage, LARGE)
    with storage.open(uuid, DOCUMENT) as file:
        assert file.read(4) == LARGE[:4]
        with storage.write(uuid, DOCUMENT) as sink:
            sink.write(LARGE[::-1])
        with pytest.raises(StorageUnavailable, match="replaced"):
            file.read()


def test_parts_of_a_write_that_broke_off_are_found_and_thrown_away(s3_server: S3Server, storage: S3Storage) -> None:
    uuid = put(storage)
    key = f"{PREFIX}{uuid}/{METADATA}"
    s3_server.client.create_multipart_upload(Bucket=bucket_of(storage), Key=key)
    (found,) = storage.outside()
    assert found.kind is FileKind.UNFINISHED
    assert storage.remove_outside(found.name)
    assert storage.remove_outside(found.name)
    assert list(storage.outside()) == []
    assert list(storage.folders()) == [uuid]


def test_write_whose_part_fails_leaves_no_parts(storage: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    uuid, client = put(storage), storage._objects._client

    def fail(**_: object) -> None:
        raise KeyError("part")

    def write() -> None:
        with storage.write(uuid, METADATA) as file:
            file.write(LARGE)

    monkeypatch.setattr(client, "upload_part", fail)
    with pytest.raises(KeyError):
        write()
    assert list(storage.outside()) == []
    with pytest.raises(FileNotFound):
        storage.open(uuid, METADATA)


@pytest.mark.parametrize("content", [b"other", LARGE], ids=["whole", "in parts"])
def test_document_that_is_there_is_not_replaced_where_the_store_knows_conditions(
    s3_server: S3Server, storage: S3Storage, content: bytes
) -> None:
    uuid = put(storage)
    if s3_server.name == "rclone":
        put(storage, content, uuid)
        return
    with pytest.raises(StorageUnavailable, match="PreconditionFailed"):
        put(storage, content, uuid)
    with storage.open(uuid, DOCUMENT) as file:
        assert file.read() == b"scan"


def test_write_whose_answer_was_lost_is_known_by_its_mark(
    moto_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = moto_server.storage(tmp_path)
    client = storage._objects._client
    send = client.put_object

    def send_twice(**values: object) -> object:
        send(**values)
        return send(**values)

    monkeypatch.setattr(client, "put_object", send_twice)
    uuid = put(storage)
    assert storage.size_bytes(uuid, DOCUMENT) == 4


def test_foreign_objects_are_named_and_stay(s3_server: S3Server, storage: S3Storage) -> None:
    bucket = bucket_of(storage)
    for key in ("notes.txt", "photos/1.jpg", ".incoming/strange"):
        s3_server.client.put_object(Bucket=bucket, Key=PREFIX + key, Body=b"theirs")
    s3_server.client.put_object(Bucket=bucket, Key="elsewhere", Body=b"theirs")
    found = {file.name: file.kind for file in storage.outside()}
    assert found == dict.fromkeys(["notes.txt", "photos/", ".incoming/strange"], FileKind.FOREIGN)
    for name in found:
        with pytest.raises(ValueError, match="not Recto's"):
            storage.remove_outside(name)


def test_uploads_of_two_users_do_not_meet(s3_server: S3Server, storage: S3Storage) -> None:
    mine, theirs = upload_name(1, TOKEN), upload_name(2, TOKEN)
    url = storage.offer(mine, 4, 60)
    assert url is not None
    assert httpx.put(url, content=b"scan").status_code == 200
    with pytest.raises(FileNotFound):
        storage.offered(theirs)
    (found,) = storage.outside()
    assert (found.kind, found.size_bytes) == (FileKind.UNFINISHED, 4)
    arrived, uuid = storage.offered(mine), str(uuid4())
    assert arrived.file.read() == b"scan"
    arrived.keep(uuid, DOCUMENT)
    arrived.discard()
    assert storage.size_bytes(uuid, DOCUMENT) == 4
    assert list(storage.outside()) == []


def test_upload_of_another_size_is_refused_where_the_store_checks(rclone_server: S3Server, tmp_path: Path) -> None:
    storage = rclone_server.storage(tmp_path)
    url = storage.offer(upload_name(1, TOKEN), 4, 60)
    assert url is not None
    assert httpx.put(url, content=b"scans").status_code == 403


@pytest.mark.parametrize("name", ["../x", "upload-1-short", f"upload-x-{TOKEN}", "check"])
def test_upload_by_another_name_is_not_found(storage: S3Storage, name: str) -> None:
    with pytest.raises(FileNotFound):
        storage.offer(name, 1, 60)
    with pytest.raises(FileNotFound):
        storage.offered(name)


def test_link_is_made_for_the_address_that_clients_know(s3_server: S3Server, tmp_path: Path) -> None:
    place = replace(s3_server.place(), public_url="https://files.example.org")
    link = open_s3(place, tmp_path, 0, None).link(str(uuid4()), DOCUMENT, 60, "attachment", "image/png")
    assert link is not None
    assert link.startswith(f"https://files.example.org/{place.bucket}/{PREFIX}")
    assert "X-Amz-Expires=60" in link


@pytest.mark.parametrize("change", ["bucket", "secret", "endpoint"])
def test_check_says_in_words_what_is_wrong(rclone_server: S3Server, tmp_path: Path, change: str) -> None:
    place = rclone_server.place()
    broken, words = {
        "bucket": (replace(place, bucket="recto-elsewhere"), "Create it"),
        "secret": (replace(place, secret_access_key="wrong"), "refuses Recto's credentials"),
        "endpoint": (replace(place, endpoint_url="http://127.0.0.1:9", timeout_s=0.2), "cannot be reached"),
    }[change]
    storage = open_s3(broken, tmp_path, 0, None)
    storage.prepare()
    with pytest.raises(StorageUnavailable, match=words) as caught:
        storage.check()
    assert "127.0.0.1" not in caught.value.detail
    assert "recto-elsewhere" not in caught.value.detail


def test_documents_are_refused_while_this_machine_has_no_room(s3_server: S3Server, tmp_path: Path) -> None:
    storage = open_s3(s3_server.place(), tmp_path, 1 << 62, None)
    storage.prepare()
    with pytest.raises(StorageFull):
        storage.incoming()


def test_threads_share_one_client_and_contexts_have_their_own(s3_server: S3Server) -> None:
    shared, contexts = S3Clients(s3_server.place()), [threading.Event(), threading.Event()]
    assert shared.own() is shared.own()
    current = contexts[0]
    apart = S3Clients(s3_server.place(), lambda: current)
    first = apart.own()
    current = contexts[1]
    assert apart.own() is not first
    current = contexts[0]
    assert apart.own() is first


def test_nothing_of_a_large_file_stays_on_this_machine(storage: S3Storage, tmp_path: Path) -> None:
    put(storage, LARGE)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_objects_are_read_while_they_are_written_elsewhere(s3_server: S3Server, storage: S3Storage) -> None:
    objects = S3Objects(S3Clients(s3_server.place()), bucket_of(storage))
    objects.put(f"{PREFIX}x", io.BytesIO(b"one"))
    objects.put(f"{PREFIX}x", io.BytesIO(b"two"))
    with objects.open(f"{PREFIX}x") as file:
        assert file.read() == b"two"
