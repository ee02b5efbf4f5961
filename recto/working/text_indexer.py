"""Puts the text of finished jobs into the index where it did not come with their end: a thread of the Worker.

What it has not reached is found in the Database, by whichever Worker looks next; so are jobs from before there was an index. A page is
read from its checkpoint while no transaction is open, and written with some others in one that lasts some milliseconds.
"""

import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from recto.errors import FileNotFound, ServiceError
from recto.file_storage.base import FileStorage
from recto.logs import get_logger
from recto.ocr.corrections import Correction
from recto.records import corrections
from recto.records.corrections import StandingOfJob
from recto.text_search import text_index
from recto.text_search.text_index import JobToIndex
from recto.views.page_results import ReadPage, page_as_searched
from recto.working.pace import Pace
from recto.working.repeating import RepeatingThread
from recto.working.transactions import Transactions

_log = get_logger(__name__)
_PAGES_AT_ONCE: Final = 16
_LOOKS_EVERY_S: Final = 1.0
_AFTER_A_FAULT_S: Final = 30.0
_PURGES_EVERY_S: Final = 600.0
"""Removed words go out of the index at most so often: each time, all of it is rewritten."""
_SHARE_OF_TIME: Final = 0.2


def indexing_pace() -> Pace:
    """Beside a Worker's work: the fifth part of its time. A hundred pages just read are in the index after two seconds."""
    return Pace(_SHARE_OF_TIME)


class TextIndexer:
    """Indexes and purges in small steps, with a rest after each. Without a `pace` it does not rest."""

    def __init__(self, sessions: sessionmaker[Session], storage: FileStorage, pace: Pace | None = None) -> None:
        self._sessions = sessions
        self._database = Transactions(sessions)
        self._storage = storage
        self._pace = pace or Pace(1.0)

    def index_all(self) -> int:
        """Index whatever waits, and give the number of pages. Ends early where the pace is told to stop."""
        indexed = 0
        while (pages := self.index_some()) is not None:
            indexed += pages
            if not self._pace.rest():
                break
        return indexed

    def index_some(self) -> int | None:
        """Some pages of one job; gives how many, or None where nothing waits."""
        self._pace.begin()
        waiting = self._database.read(_waiting)
        if waiting is None:
            return None
        job, missing, standing = waiting
        texts = {
            number: self._text(ReadPage(job.uuid, token, number), standing.page(number).corrections)
            for number, token in standing.checkpoints(missing)
        }
        try:
            self._database.write(text_index.add_pages, job, texts, is_last=len(missing) < _PAGES_AT_ONCE)
        except IntegrityError:
            return 0  # another Worker was quicker; what is missing now is asked for next
        return len(texts)

    def purge(self) -> bool:
        """Take what was removed out of the index for good, in steps. False where there was nothing, or it was told to stop."""
        removed = self._database.read(text_index.removals_to_purge)
        if removed is None:
            return False
        self._pace.begin()
        is_first = True
        while self._database.write(text_index.purge_step, is_first=is_first):
            is_first = False
            if not self._pace.rest():
                return False
        self._database.write(text_index.purged, removed)
        with self._sessions() as session:
            text_index.empty_log(session)
        return True

    def _text(self, page: ReadPage, made: Sequence[Correction]) -> str:
        """Empty, and logged, where the page cannot be had: else it would be asked for again and again."""
        try:
            return page_as_searched(self._storage, page, made)
        except ServiceError:
            raise
        except FileNotFound as error:
            _log.warning("page_not_indexed", job=page.uuid, page=page.number, detail=error.detail)
        except Exception:  # noqa: BLE001 - a checkpoint that cannot be read costs its page, not the index
            _log.exception("page_not_indexed", job=page.uuid, page=page.number)
        return ""


def _waiting(session: Session) -> tuple[JobToIndex, list[tuple[int, str]], StandingOfJob] | None:
    """The job whose turn it is, its first pages that are not in the index, and what stands in them, all as of the job's revision: what is corrected later is noticed."""
    job = text_index.next_job(session)
    if job is None:
        return None
    missing = text_index.missing_pages(session, job.uuid, _PAGES_AT_ONCE)
    return job, missing, corrections.of_job(session, job.uuid)


class IndexingThread(RepeatingThread):
    """The Worker's fourth thread: looks every second whether there is something to index, which costs one look at an empty index."""

    def __init__(self, indexer: TextIndexer, pace: Pace, purges_every_s: float = _PURGES_EVERY_S) -> None:
        """`pace` is the indexer's: a stop ends its rest as well."""
        super().__init__("indexer", pace.stopping)
        self._indexer = indexer
        self._purges_every_s = purges_every_s
        self._purge_at_s = 0.0

    def step(self) -> float:
        """Do what there is to do; gives the seconds until the next look."""
        try:
            indexed = self._indexer.index_all()
            if indexed:
                _log.info("text_indexed", pages=indexed)
            if time.monotonic() >= self._purge_at_s:
                self._purge_at_s = time.monotonic() + self._purges_every_s
                self._indexer.purge()
        except (ServiceError, SQLAlchemyError) as error:
            _log.warning("indexing_failed", error=str(error))  # it is in the Database what is missing
            return _AFTER_A_FAULT_S
        return _LOOKS_EVERY_S
