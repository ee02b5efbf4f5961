"""Following jobs live: the events of one job, or of all of a user's, as long as their client stays.

Nothing is held in memory for a client that is slow: what it gets next is read from the database after the last event that it took. As
long as nothing changes, nothing is asked; what many clients need at the same time is read once.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Final

from recto.changes import Subscription
from recto.errors import ServiceError
from recto.logs import get_logger
from recto.records.job_events import events_after
from recto.views.jobs import latest_change
from recto.web import answers
from recto.web.login import SignedInUser
from recto.web.services import services
from recto.web.serving.database import read
from recto.web.waiting.event_json import event_message
from recto.web.waiting.held_requests import HELD_S, still_holds
from recto.web.waiting.live_reader import BATCH

HEARTBEAT_S: Final = 15.0
"""A client hears something that often: proxies take a longer silence for the end."""
_RECHECK_S: Final = 5.0
"""How soon a sign-in or a token that has ended is noticed, where something was written to the database."""
_RECHECK_ANYWAY_S: Final = 60.0
"""And where nothing was: they also expire."""
_log = get_logger(__name__)


class Ending(Enum):
    """Why no event follows."""

    OVER = "The job has ended."
    LEFT = "The client has left."
    STOPPING = "Recto is being stopped. Go on with the last id when it is back."
    SIGNED_OUT = "The sign-in or the token has ended. Sign in again."
    UNAVAILABLE = "The service cannot read on now. Go on with the last id in a moment."
    FAULT = "Something went wrong inside Recto. It was logged; go on with the last id."


@dataclass(frozen=True, slots=True)
class Message:
    """An event as clients get it: its id, its name, and all of it as JSON on one line."""

    id: int
    name: str
    json: str


class Following:
    """What one client follows: a job, or all of the user's where `uuid` is None. `ending` is right when `messages` has ended.

    Begins after the event with the id `after`; where that is None, with a job's first event, or with what happens next to any.
    `is_over`: nothing will come.
    """

    def __init__(self, user: SignedInUser, uuid: str | None, after: int | None, *, is_over: bool = False) -> None:
        self._user = user
        self._uuid = uuid
        self._after = after
        self.is_over = is_over
        self._subscription: Subscription | None = None
        self._has_left = False
        self._checked_s = time.monotonic()
        self._checked_looks = services().feed.looks
        self.ending = Ending.OVER

    def leave(self) -> None:
        """Let `messages` end, from another greenlet."""
        self._has_left = True
        if self._subscription is not None:
            self._subscription.put(None)

    def next_events(self, wait_s: float) -> answers.EventList:
        """What comes next, as soon as something does or the time is up. For who asks again instead of staying."""
        until_s = time.monotonic() + wait_s
        with self._subscribed() as subscription:
            after = self._begin()
            while not (events := read(events_after, self._user.account.id, self._uuid, after, BATCH)):
                remaining_s = until_s - time.monotonic()
                if remaining_s <= 0 or services().feed.is_stopping or subscription.wait(remaining_s) is None:
                    break
        told = [event_message(event, services().live.page(event)) for event in events]
        return answers.EventList(events=told, after=told[-1].id if told else after)

    def messages(self) -> Iterator[Message | None]:
        """Each event as it comes; None where none has come for HEARTBEAT_S. What fails on the way is logged, and ends it."""
        if self.is_over:
            return
        try:
            with self._subscribed() as self._subscription:
                self.ending = yield from self._messages(self._subscription)
        except ServiceError as error:
            _log.warning("stream_ended", code=error.code, detail=error.detail)
            self.ending = Ending.UNAVAILABLE
        except Exception:  # noqa: BLE001 - logged; the answer has begun, so that no error handler can say it any more
            _log.exception("stream_broke_off")
            self.ending = Ending.FAULT

    def _subscribed(self) -> AbstractContextManager[Subscription]:
        feed = services().feed
        return feed.user(self._user.account.id) if self._uuid is None else feed.job(self._uuid)

    def _messages(self, subscription: Subscription) -> Generator[Message | None, None, Ending]:
        user_id, is_new = self._user.account.id, self._after is None
        self._after = self._begin()
        if is_new and self._uuid is None:
            yield _message(answers.Event(id=self._after, event="start"))
        # Not shared: who asked before may have been here before the changes that nobody was told of.
        events = read(events_after, user_id, self._uuid, self._after, BATCH)
        while True:
            for event in events:
                if (ending := self._ending()) is not None:
                    return ending
                yield _message(event_message(event, services().live.page(event)))
                self._after = event.id
                if event.is_last and self._uuid is not None:
                    return Ending.OVER
            if len(events) < BATCH and (ending := (yield from self._pause(subscription))) is not None:
                return ending
            events = services().live.events(user_id, self._uuid, self._after, services().feed.reached)

    def _begin(self) -> int:
        """The id after which the first event comes."""
        if self._after is not None:
            return self._after
        return 0 if self._uuid else read(latest_change)

    def _pause(self, subscription: Subscription) -> Generator[None, None, Ending | None]:
        """Until there is news, or no more will come."""
        heard_s = time.monotonic()
        while (ending := self._ending()) is None:
            if subscription.wait(_RECHECK_S) is not None:
                return None
            if time.monotonic() - heard_s >= HEARTBEAT_S:
                yield None
                heard_s = time.monotonic()
        return ending

    def _ending(self) -> Ending | None:
        if self._has_left:
            return Ending.LEFT
        if services().feed.is_stopping:
            return Ending.STOPPING
        return None if self._is_still_signed_in() else Ending.SIGNED_OUT

    def _is_still_signed_in(self) -> bool:
        """Asks only where the database may say something else than the last time."""
        age_s, looks = time.monotonic() - self._checked_s, services().feed.looks
        if age_s < HELD_S or (looks == self._checked_looks and age_s < _RECHECK_ANYWAY_S):
            return True
        self._checked_s, self._checked_looks = time.monotonic(), looks
        return still_holds(self._user)


def _message(event: answers.Event) -> Message:
    return Message(event.id, event.event, event.model_dump_json(exclude_unset=True))
