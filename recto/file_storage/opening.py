"""The File Storage that the settings name. Every process opens its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from recto.file_storage.base import FileStorage
from recto.file_storage.volume import VolumeStorage
from recto.storage_setup import StorageSetup

if TYPE_CHECKING:
    from recto.file_storage.s3 import S3Storage


def open_storage(setup: StorageSetup) -> FileStorage:
    """The File Storage as it stands."""
    return _make(setup, None)


def prepare_storage(setup: StorageSetup, context: Callable[[], object] | None = None) -> FileStorage:
    """The same at the start of a program: its folder is made. StorageUnavailable where it cannot be used.

    `context` says which connections to an object store the caller may use (s3_client.py).
    """
    storage = _make(setup, context)
    storage.prepare()
    return storage


def _make(setup: StorageSetup, context: Callable[[], object] | None) -> "VolumeStorage | S3Storage":
    if setup.s3 is None:
        return VolumeStorage(setup.folder, setup.min_free_bytes)
    from recto.file_storage.s3 import open_s3  # boto3 takes 0.2 s and 30 MB of every process, for nothing on a volume

    return open_s3(setup.s3, setup.folder, setup.min_free_bytes, context)
