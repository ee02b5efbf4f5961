"""What the commands of several tests work on, and a process that is afterwards as it was."""

from collections.abc import Iterator

import pytest

from recto.file_storage.base import DOCUMENT
from recto.file_storage.volume import VolumeStorage
from recto.working import page_tasks
from tests.conftest import CommandLine, JobTable


@pytest.fixture
def uuid(command_line: CommandLine, table: JobTable, ann: int) -> str:
    """A job with its document."""
    uuid = table.submit(ann)
    incoming = VolumeStorage(command_line.folder).incoming()
    incoming.file.write(b"scan")
    incoming.keep(uuid, DOCUMENT)
    return uuid


@pytest.fixture(autouse=True)
def _page_process() -> Iterator[None]:
    """`recognise` makes this process a page process; the next test gets it as it was."""
    yield
    page_tasks._process = None
