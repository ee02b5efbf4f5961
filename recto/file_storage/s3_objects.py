"""The objects of one bucket: written whole or not at all, read in pieces, copied by the store itself, listed to the end."""

import hashlib
import io
import os
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, BinaryIO, Final, cast
from uuid import uuid4

from botocore.exceptions import ClientError

from recto.errors import StorageUnavailable
from recto.file_storage.s3_client import S3Clients, is_no_upload, is_not_known, translated
from recto.file_storage.s3_reader import S3Reader, read_piece

PART_BYTES: Final = 8 * 1024 * 1024
"""What is larger is written in parts of this size, each of which is in memory once. 10,000 of them are the most that a store takes."""
PIECE_BYTES: Final = 1024 * 1024
"""What a file that is read holds in memory."""
_AT_ONCE: Final = 8
"""Requests for small files that are under way at a time."""
_MOST_DELETED: Final = 1000
_LIST_UNFINISHED: Final = "list_multipart_uploads"
_MARK: Final = "recto-write"


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an object without reading it."""

    size_bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An object, or where it has an `upload_id` one that is being written in parts. `age_s` by the store's own clock."""

    key: str
    size_bytes: int
    age_s: float
    upload_id: str = ""


class S3Objects:
    """Every method may raise StorageUnavailable, and the writing ones StorageFull."""

    def __init__(self, clients: S3Clients, bucket: str, part_bytes: int = PART_BYTES) -> None:
        self._clients = clients
        self._bucket = bucket
        self._part_bytes = part_bytes
        self._knows_conditions = True

    def head(self, key: str) -> Head:
        """FileNotFound where there is no such object."""
        with translated(_name(key)):
            answer = self._client.head_object(Bucket=self._bucket, Key=key)
        return Head(answer["ContentLength"], answer["ETag"])

    def open(self, key: str, piece_bytes: int = PIECE_BYTES) -> BinaryIO:
        """A seekable stream. FileNotFound where there is no such object."""
        reader = S3Reader(self._clients, self._bucket, key, piece_bytes)
        return cast(BinaryIO, io.BufferedReader(reader))

    def read_each(self, keys: Iterable[str]) -> Iterator[bytes]:
        """The contents of small objects, in order; those that come next are fetched meanwhile. FileNotFound."""
        client, waiting = self._client, deque[Future[bytes]]()

        def read(key: str) -> bytes:
            piece = read_piece(client, self._bucket, key, 0, self._part_bytes)
            if len(piece.content) == piece.size_bytes:
                return piece.content
            with self.open(key, self._part_bytes) as file:
                return file.read()

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for key in keys:
                    waiting.append(pool.submit(read, key))
                    if len(waiting) == _AT_ONCE:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def put(self, key: str, file: BinaryIO, *, is_new: bool = False) -> None:
        """Write the whole of a file under a key: it is there, durable, when this returns, or not at all.

        Where it `is_new`, StorageUnavailable where there is an object already, if the store knows If-None-Match.
        """
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        mark = uuid4().hex
        with translated(_name(key)):
            try:
                self._put(key, file, size_bytes, mark, is_new=is_new and self._knows_conditions)
            except ClientError as error:
                if is_new and is_not_known(error):
                    self._knows_conditions = False
                    self._put(key, file, size_bytes, mark, is_new=False)
                elif not self._is_marked(key, mark):
                    raise

    def _put(self, key: str, file: BinaryIO, size_bytes: int, mark: str, *, is_new: bool) -> None:
        file.seek(0)
        condition = {"IfNoneMatch": "*"} if is_new else {}
        place = {"Bucket": self._bucket, "Key": key}
        if size_bytes > self._part_bytes:
            self._put_parts(place, file, mark, condition)
            return
        content = file.read()
        self._client.put_object(**place, Body=content, ContentMD5=_md5(content), Metadata={_MARK: mark}, **condition)

    def _put_parts(self, place: dict[str, str], file: BinaryIO, mark: str, condition: dict[str, str]) -> None:
        """What breaks off is taken back; where that fails too, the sweeper finds it among the unfinished."""
        client = self._client
        upload = place | {
            "UploadId": client.create_multipart_upload(**place, Metadata={_MARK: mark})["UploadId"],
        }
        try:
            parts: list[dict[str, Any]] = []
            while content := file.read(self._part_bytes):
                number = len(parts) + 1
                part = client.upload_part(**upload, PartNumber=number, Body=content, ContentMD5=_md5(content))
                parts.append({"PartNumber": number, "ETag": part["ETag"]})
            client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
        except BaseException:
            with suppress(StorageUnavailable):
                self.abort(upload["Key"], upload["UploadId"])
            raise

    def _is_marked(self, key: str, mark: str) -> bool:
        """Whether a write that was refused has made the object all the same: the first answer was lost, and boto3 asked again."""
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError:
            return False
        return bool(answer["Metadata"].get(_MARK) == mark)

    def copy(self, pairs: Iterable[tuple[str, str]], etag: str | None = None) -> None:
        """Copy objects, each (source key, key), within the store. FileNotFound where one is not there.

        With an `etag`, StorageUnavailable where the source is another one by now, if the store knows such conditions.
        """
        client, condition = self._client, {"CopySourceIfMatch": etag} if etag else {}

        def copy(pair: tuple[str, str]) -> None:
            source = {"Bucket": self._bucket, "Key": pair[0]}
            with translated(_name(pair[0])):
                client.copy_object(Bucket=self._bucket, Key=pair[1], CopySource=source, **condition)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            deque(pool.map(copy, pairs), maxlen=0)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, as many as there are. Those that are not there are no error."""
        rest = iter(keys)
        while batch := [{"Key": key} for key in islice(rest, _MOST_DELETED)]:
            with translated("of the job"):
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
            for error in answer.get("Errors", []):
                raise StorageUnavailable(
                    f"The object store does not delete everything ({error.get('Code')}). Check that Recto may delete in its bucket."
                )

    def listed(self, prefix: str) -> Iterator[Listed]:
        """All objects whose keys begin so, on however many pages."""
        for page in self._pages("list_objects_v2", Prefix=prefix):
            now = _date(page)
            for found in page.get("Contents", []):
                yield Listed(found["Key"], found["Size"], _age_s(now, found["LastModified"]))

    def top_level(self, prefix: str) -> Iterator[str | Listed]:
        """What lies directly below a prefix: what keys have up to the next slash, with that, and objects without one."""
        for page in self._pages("list_objects_v2", Prefix=prefix, Delimiter="/"):
            now = _date(page)
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"]
            for found in page.get("Contents", []):
                yield Listed(found["Key"], found["Size"], _age_s(now, found["LastModified"]))

    def unfinished(self, prefix: str) -> Iterator[Listed]:
        """What is being written in parts, or was given up meanwhile. The length of the parts is not known."""
        for page in self._pages(_LIST_UNFINISHED, Prefix=prefix):
            now = _date(page)
            for found in page.get("Uploads", []):
                yield Listed(found["Key"], 0, _age_s(now, found["Initiated"]), found["UploadId"])

    def abort(self, key: str, upload_id: str) -> None:
        """Throw away parts; nothing where there are none any more. Whoever still writes them gets an error: nothing of it appears."""
        with translated(_name(key)):
            try:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
            except ClientError as error:
                if not is_no_upload(error):
                    raise

    def link(self, method: str, lifetime_s: int, **parameters: Any) -> str:
        """A presigned URL for `get_object` or `put_object` that works for so long. Asks nobody."""
        with translated("link"):
            values = {"Bucket": self._bucket, **parameters}
            return str(self._clients.signer().generate_presigned_url(method, Params=values, ExpiresIn=lifetime_s))

    @property
    def _client(self) -> Any:
        with translated("client"):
            return self._clients.own()

    def _pages(self, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        with translated(parameters["Prefix"]):
            pages = self._client.get_paginator(operation).paginate(Bucket=self._bucket, **parameters)
            try:
                yield from pages
            except ClientError as error:
                # So some stores say that nothing is being written in parts.
                if operation != _LIST_UNFINISHED or not (is_no_upload(error) or is_not_known(error)):
                    raise


def _md5(content: bytes) -> str:
    """Of what is sent: the store compares it, so that what arrives changed is refused."""
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _date(page: dict[str, Any]) -> datetime:
    """The time of the store's answer; of this machine where it tells none."""
    stated = page["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(stated) if stated else datetime.now(UTC)


def _age_s(now: datetime, since: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
