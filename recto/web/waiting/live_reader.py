"""What those who follow jobs live get to read: once for all of them in this process who need the same."""

from functools import partial
from typing import Final

from recto.errors import FileNotFound
from recto.file_storage.base import FileStorage
from recto.records.job_events import Event, PageNews, events_after
from recto.views.page_results import PageText, ReadPage, read_page_text
from recto.web.serving.database import Lane, in_thread, read
from recto.web.waiting.shared_answers import SharedAnswers

BATCH: Final = 100
"""Events that are read at once."""
_SHARED_EVENTS: Final = 10_000
_SHARED_TEXT_CHARACTERS: Final = 4_000_000
_BESIDE_THE_TEXT: Final = 200


class LiveReader:
    """Reads for all who follow something in this process."""

    def __init__(self, storage: FileStorage) -> None:
        self._storage = storage
        self._events: SharedAnswers[tuple[Event, ...]] = SharedAnswers(_SHARED_EVENTS, lambda events: len(events) + 1)
        self._pages: SharedAnswers[PageText | None] = SharedAnswers(_SHARED_TEXT_CHARACTERS, _weight)

    def events(self, user_id: int, uuid: str | None, after: int, reached: int) -> tuple[Event, ...]:
        """The next events for who has heard that there are changes up to `reached`. Those who are equally far get the same ones."""
        return self._events.get(
            (user_id, uuid, after, reached), lambda: read(events_after, user_id, uuid, after, BATCH)
        )

    def page(self, event: Event) -> PageText | None:
        """What was read on the page that the event tells of; None where it tells of none, of a failed one, or where the job is gone."""
        if not isinstance(event.news, PageNews) or event.news.error:
            return None
        page = event.news
        look = partial(self._page, ReadPage(event.job_uuid, page.attempt_token, page.number))
        return self._pages.get(event.id, lambda: in_thread(look, Lane.DISK))

    def _page(self, page: ReadPage) -> PageText | None:
        try:
            return read_page_text(self._storage, page)
        except FileNotFound:
            return None


def _weight(page: PageText | None) -> int:
    return _BESIDE_THE_TEXT + (len(page.text) if page else 0)
