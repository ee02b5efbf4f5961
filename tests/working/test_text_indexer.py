"""The Worker's thread that puts text into the index."""

from pathlib import Path

import pytest
from sqlalchemy import select

from models import PageText
from recto.errors import StorageUnavailable
from recto.file_storage.base import DOCUMENT, checkpoint_name
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Lease
from recto.ocr.corrections import WordsCorrection
from recto.ocr.writers.json import page_to_json
from recto.records import corrections
from recto.records.corrections import SeenPage
from recto.search import find_documents
from recto.text_search import text_index
from recto.text_search.words import parse_query
from recto.working.pace import Pace
from recto.working.text_indexer import IndexingThread, TextIndexer
from tests.conftest import JobTable
from tests.ocr.writers.made_pages import block, lines
from tests.ocr.writers.made_pages import page as made_page
from tests.patience import wait_until

pytestmark = pytest.mark.each_database

PAGES = 20


@pytest.fixture
def storage(tmp_path: Path) -> VolumeStorage:
    return VolumeStorage(tmp_path)


@pytest.fixture
def indexer(table: JobTable, storage: VolumeStorage) -> TextIndexer:
    return TextIndexer(table.sessions, storage)


def finished(table: JobTable, storage: VolumeStorage, user_id: int, page_count: int = PAGES) -> Lease:
    """A job whose pages say which they are."""
    uuid, incoming = table.submit(user_id), storage.incoming()
    incoming.file.write(b"scan")
    incoming.keep(uuid, DOCUMENT)
    lease = table.claim().lease
    for number in range(1, page_count + 1):
        text = lines(f"page{number} has one of those long words that end in a Rech-", "nung on its second line")
        with storage.write(uuid, checkpoint_name(lease.token, number)) as file:
            file.write(page_to_json(made_page(block(*text), number=number)))
        table.do(table.jobs.adopt_page, lease, number)
    table.do(table.jobs.finish, lease)
    return lease


def found(table: JobTable, user_id: int, query: str) -> list[int]:
    documents = table.read(find_documents, user_id, parse_query(query), 9)
    return [number for document in documents for number in document.page_numbers]


def test_finished_job_is_indexed_some_pages_at_a_time(
    table: JobTable, storage: VolumeStorage, indexer: TextIndexer, ann: int
) -> None:
    finished(table, storage, ann)
    assert found(table, ann, "page1") == []
    assert indexer.index_some() == 16
    assert (found(table, ann, "page1"), found(table, ann, "page17")) == ([1], [])
    assert TextIndexer(table.sessions, storage).index_some() == 4  # another Worker goes on where this one stopped
    assert indexer.index_some() is None
    assert found(table, ann, "page17") == [17]
    assert indexer.index_all() == 0


def test_corrected_word_is_found_and_the_misread_one_is_not(
    table: JobTable, storage: VolumeStorage, indexer: TextIndexer, ann: int
) -> None:
    uuid = finished(table, storage, ann, page_count=2).job_uuid
    assert indexer.index_all() == 2
    table.do(corrections.add, SeenPage(uuid, 2, 0), "ann", WordsCorrection(0, 1, "lighthouse"), "page2", 1.0)
    assert indexer.index_all() == 1
    assert (found(table, ann, "lighthouse"), found(table, ann, "page2"), found(table, ann, "page1")) == ([2], [], [1])
    table.do(corrections.undo, SeenPage(uuid, 2, 1), 1, None)
    assert indexer.index_all() == 1
    assert (found(table, ann, "lighthouse"), found(table, ann, "page2")) == ([], [2])


def test_word_divided_between_lines_is_found_whole(
    table: JobTable, storage: VolumeStorage, indexer: TextIndexer, ann: int
) -> None:
    finished(table, storage, ann, 1)
    indexer.index_all()
    assert found(table, ann, "Rechnung") == [1]
    assert found(table, ann, "Rech") == []


def test_page_that_cannot_be_had_costs_itself_alone(
    table: JobTable, storage: VolumeStorage, indexer: TextIndexer, ann: int
) -> None:
    lease = finished(table, storage, ann, 3)
    storage.remove(lease.job_uuid, checkpoint_name(lease.token, 1))
    with storage.write(lease.job_uuid, checkpoint_name(lease.token, 2)) as file:
        file.write(b"torn")
    assert indexer.index_all() == 3
    assert found(table, ann, "long") == [3]
    assert table.read(text_index.next_job) is None


def test_store_that_is_away_leaves_the_job_waiting(
    table: JobTable, storage: VolumeStorage, indexer: TextIndexer, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(table, storage, ann, 1)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "open", _away)
        thread = IndexingThread(indexer, Pace(1.0))
        assert thread.step() == 30.0
    assert table.read(text_index.count_waiting) == 1
    assert thread.step() == 1.0
    assert table.read(text_index.count_waiting) == 0


def _away(*_: object) -> None:
    raise StorageUnavailable("The store is away.")


@pytest.mark.sqlite_alone
def test_removed_text_is_purged_once_in_a_while(
    table: JobTable, storage: VolumeStorage, indexer: TextIndexer, ann: int
) -> None:
    first, second = finished(table, storage, ann, 2), finished(table, storage, ann, 2)
    seldom = IndexingThread(indexer, Pace(1.0), purges_every_s=3600.0)
    seldom.step()
    table.do(table.jobs.delete, ann, first.job_uuid)
    seldom.step()
    assert table.read(text_index.removals_to_purge) == 2
    IndexingThread(indexer, Pace(1.0), purges_every_s=0.0).step()
    assert table.read(text_index.removals_to_purge) is None
    assert not indexer.purge()
    assert found(table, ann, "page2") == [2]
    assert second.job_uuid


def test_thread_indexes_by_itself_until_it_is_stopped(table: JobTable, storage: VolumeStorage, ann: int) -> None:
    finished(table, storage, ann, 2)
    pace = Pace(1.0)
    thread = IndexingThread(TextIndexer(table.sessions, storage, pace), pace)
    thread.start()
    wait_until(lambda: not table.read(text_index.count_waiting))
    thread.stop()
    assert found(table, ann, "page2") == [2]


def test_pace_that_is_stopped_ends_indexing_in_the_middle(table: JobTable, storage: VolumeStorage, ann: int) -> None:
    finished(table, storage, ann)
    pace = Pace(1.0)
    pace.stopping.set()
    assert TextIndexer(table.sessions, storage, pace).index_all() == 16
    with table.sessions() as session:
        assert len(session.scalars(select(PageText)).all()) == 16
