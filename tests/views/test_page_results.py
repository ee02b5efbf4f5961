"""What was read on a page, from its checkpoint."""

from pathlib import Path
from uuid import uuid4

import pytest

from recto.errors import FileNotFound
from recto.file_storage.base import DOCUMENT, checkpoint_name
from recto.file_storage.volume import VolumeStorage
from recto.ocr.page import Block, Page
from recto.ocr.writers.json import page_to_json
from recto.views.page_results import PageText, ReadPage, read_page_text
from tests.web.followers import blocks_of

TOKEN = "a" * 32


@pytest.fixture
def storage(tmp_path: Path) -> VolumeStorage:
    storage = VolumeStorage(tmp_path, 0)
    storage.prepare()
    return storage


def kept(storage: VolumeStorage, blocks: tuple[Block, ...]) -> str:
    """A job with a first page of these blocks; gives its uuid."""
    uuid, incoming = str(uuid4()), storage.incoming()
    incoming.file.write(b"a document")
    incoming.keep(uuid, DOCUMENT)
    with storage.write(uuid, checkpoint_name(TOKEN, 1)) as file:
        file.write(page_to_json(Page(1, 60, 40, 300.0, ("eng",), "hand 1", (), blocks)))
    return uuid


def test_text_of_a_page_is_the_results_and_comes_with_its_confidence(storage: VolumeStorage) -> None:
    uuid = kept(storage, blocks_of("Zwei Wörter", 0.75))
    assert read_page_text(storage, ReadPage(uuid, TOKEN, 1)) == PageText("Zwei Wörter\n", 0.75)


def test_text_of_a_blank_page_is_empty_without_a_confidence(storage: VolumeStorage) -> None:
    assert read_page_text(storage, ReadPage(kept(storage, ()), TOKEN, 1)) == PageText("", None)


def test_page_of_another_attempt_is_not_there(storage: VolumeStorage) -> None:
    with pytest.raises(FileNotFound):
        read_page_text(storage, ReadPage(kept(storage, ()), "b" * 32, 1))
