"""Two real S3 servers on this machine, which check different things; what the tests say has to hold for both.

rclone (`rclone serve s3`) checks signatures, and that presigned links expire; it knows addresses by path alone and no If-None-Match. Moto knows
If-None-Match and checks no signature.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from uuid import uuid4

import boto3
from botocore.config import Config

from recto.file_storage.s3 import S3Storage
from recto.file_storage.s3_client import S3Clients
from recto.file_storage.s3_objects import S3Objects
from recto.storage_setup import S3Place
from tests.ports import free_port, wait_until_listening

ServerName: TypeAlias = Literal["rclone", "moto"]
SERVERS: Final[tuple[ServerName, ...]] = ("rclone", "moto")
_KEY_ID: Final = "recto-tests"
_SECRET: Final = "a secret of the tests"
PREFIX: Final = "documents/"
_START_S: Final = 60.0


@dataclass(frozen=True)
class S3Server:
    """A server that runs. Each test makes a bucket of its own."""

    name: ServerName
    url: str

    def bucket(self) -> str:
        name = f"recto-{uuid4().hex}"
        self.client.create_bucket(Bucket=name)
        return name

    def place(self) -> S3Place:
        """A new bucket."""
        return self._place(self.bucket())

    def _place(self, bucket: str) -> S3Place:
        return S3Place(
            bucket,
            PREFIX,
            endpoint_url=self.url,
            path_style=True,
            access_key_id=_KEY_ID,
            secret_access_key=_SECRET,
            timeout_s=20.0,
        )

    @cached_property
    def _clients(self) -> S3Clients:
        return S3Clients(self._place("any"))

    def storage(self, folder: Path) -> S3Storage:
        """A File Storage in a new bucket, which writes what is larger than 5 MiB, the least that stores take, in parts."""
        objects = S3Objects(self._clients, self.bucket(), part_bytes=5 * 1024 * 1024)
        storage = S3Storage(objects, PREFIX, folder)
        storage.prepare()
        return storage

    def environ(self, place: S3Place) -> dict[str, str]:
        """The settings that name it."""
        return {
            "RECTO_FILE_STORAGE_URL": f"s3://{place.bucket}/{place.prefix}",
            "RECTO_FILE_STORAGE_ENDPOINT_URL": place.endpoint_url,
            "RECTO_FILE_STORAGE_PATH_STYLE": "true",
            "RECTO_FILE_STORAGE_ACCESS_KEY_ID": place.access_key_id,
            "RECTO_FILE_STORAGE_SECRET_ACCESS_KEY": place.secret_access_key,
        }

    @cached_property
    def client(self) -> Any:
        """Somebody else who knows the store."""
        return boto3.session.Session().client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=_KEY_ID,
            aws_secret_access_key=_SECRET,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def keys(self, bucket: str) -> set[str]:
        """All that is in the bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {found["Key"] for page in pages for found in page.get("Contents", [])}


@contextmanager
def running(name: ServerName, folder: Path) -> Iterator[S3Server]:
    """Start the server, and end it."""
    port = free_port()
    tool = Path(sys.executable).with_name("rclone" if name == "rclone" else "moto_server")
    address = f"127.0.0.1:{port}"
    commands: dict[ServerName, list[str]] = {
        "rclone": [str(tool), "serve", "s3", "--addr", address, "--auth-key", f"{_KEY_ID},{_SECRET}", str(folder)],
        "moto": [str(tool), "-H", "127.0.0.1", "-p", str(port)],
    }
    file = folder.with_name(f"{name}.log")
    with file.open("wb") as log:
        process = subprocess.Popen(commands[name], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_until_listening(port, process, _START_S, file.read_text)
        yield S3Server(name, f"http://{address}")
    finally:
        process.terminate()
        process.wait(20)
