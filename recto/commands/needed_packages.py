"""Packages that are not installed with the rest, such as Dask: who asks for one hears how to get it."""

from collections.abc import Iterator
from contextlib import contextmanager

from recto.errors import SettingsError


@contextmanager
def needs_package(name: str, install: str) -> Iterator[None]:
    """Around imports. SettingsError where the package `name` is missing; `install` says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"This needs {name}, which is not installed here ({error.name} is missing): {install}."
        ) from error


DASK: tuple[str, str] = ("dask.distributed", ".venv/bin/pip install -r requirements-cluster.txt")
