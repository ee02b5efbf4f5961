"""The File Storage that the settings name. Every process opens its own."""

from recto.file_storage.base import FileStorage
from recto.file_storage.volume import VolumeStorage
from recto.storage_setup import StorageSetup


def open_storage(setup: StorageSetup) -> FileStorage:
    """The File Storage as it stands."""
    return VolumeStorage(setup.folder, setup.min_free_bytes)


def prepare_storage(setup: StorageSetup) -> FileStorage:
    """The same at the start of a program: its folder is made. StorageUnavailable where it cannot be used."""
    storage = VolumeStorage(setup.folder, setup.min_free_bytes)
    storage.prepare()
    return storage
