"""What an object store says, in the words of FileStorage: without a store."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from recto.errors import FileNotFound, RectoError, StorageFull, StorageUnavailable
from recto.file_storage.s3_client import S3Clients, translated
from recto.file_storage.s3_copies import LocalCopies
from recto.file_storage.s3_reader import read_piece
from recto.storage_setup import S3Place

PLACE = S3Place("recto", endpoint_url="http://store:9000", path_style=True, access_key_id="a", secret_access_key="b")
ADDRESS = "http://store:9000/recto/secret?X-Amz-Signature=1"


def said(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ADDRESS}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (said("404"), FileNotFound, "page.json"),
        (said("NoSuchKey"), FileNotFound, "page.json"),
        (said("NoSuchBucket"), StorageUnavailable, "Create it"),
        (said("AccessDenied"), StorageUnavailable, "credentials"),
        (said("SignatureDoesNotMatch"), StorageUnavailable, "credentials"),
        (said("PermanentRedirect"), StorageUnavailable, "file_storage.region"),
        (said("RequestTimeTooSkewed"), StorageUnavailable, "NTP"),
        (said("XMinioStorageFull"), StorageFull, "Delete jobs"),
        (said("SlowDown"), StorageUnavailable, "SlowDown"),
        (NoCredentialsError(), StorageUnavailable, "RECTO_FILE_STORAGE_ACCESS_KEY_ID"),
        (EndpointConnectionError(endpoint_url=ADDRESS), StorageUnavailable, "file_storage.endpoint_url"),
    ],
)
def test_error_of_the_store_says_what_to_do_and_no_address(
    error: Exception, kind: type[RectoError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught, translated("page.json"):
        raise error
    assert "store:9000" not in caught.value.detail


def test_errors_of_recto_pass_unchanged() -> None:
    wanted = FileNotFound("gone")
    with pytest.raises(FileNotFound) as caught, translated("x"):
        raise wanted
    assert caught.value is wanted


class _BrokenBody:
    """An answer that breaks off."""

    def read(self) -> bytes:
        raise BotoCoreError


class _Body:
    def read(self) -> bytes:
        return b"scan"


def answer(body: object) -> dict[str, object]:
    return {"Body": body, "ETag": '"1"', "ContentRange": "bytes 0-3/4"}


@pytest.mark.parametrize("failures", [0, 2, 3])
def test_answer_that_breaks_off_is_asked_for_again_twice(failures: int) -> None:
    client = S3Clients(PLACE).own()
    with Stubber(client) as stub:
        for body in [_BrokenBody()] * failures + [_Body()]:
            stub.add_response("get_object", answer(body))
        if failures == 3:
            with pytest.raises(StorageUnavailable):
                read_piece(client, "recto", "documents/x", 0, 100)
        else:
            assert read_piece(client, "recto", "documents/x", 0, 100).content == b"scan"


def writing(content: bytes) -> Callable[[BinaryIO], None]:
    def fetch(sink: BinaryIO) -> None:
        sink.write(content)

    return fetch


def test_document_in_use_stays_while_others_are_fetched() -> None:
    copies = LocalCopies(most=1)
    with copies.path("one", "1", writing(b"1")) as first:
        for name in ("two", "three"):
            with copies.path(name, "1", writing(b"2")) as other:
                assert other.read_bytes() == b"2"
        assert first.read_bytes() == b"1"
    assert len(list(first.parent.iterdir())) == 1


def test_document_whose_fetch_fails_leaves_nothing(tmp_path: Path) -> None:
    copies = LocalCopies()

    def fail(_sink: object) -> None:
        raise FileNotFound("gone")

    with suppress(FileNotFound), copies.path("one", "1", fail):
        raise AssertionError
    assert copies._folder is not None
    assert list(copies._folder.iterdir()) == []
