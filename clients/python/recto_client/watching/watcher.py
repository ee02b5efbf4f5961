"""The watcher: looks into the inbox, takes what has settled, and lets threads bring each document to its end.

It may be killed between any two steps. Each step is written down after it was done, or can be done twice with the same outcome.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recto_client.client import Client
from recto_client.digests import sha256_of
from recto_client.errors import NotAllowed, NotSignedIn, RectoError
from recto_client.watching.inbox import DONE_FOLDER, Seen, Settling, look, look_at
from recto_client.watching.journal import UNFINISHED, Entry, Journal, State
from recto_client.watching.outbox import Outbox
from recto_client.watching.passage import OptionsRefused, Outcome, Passage

_AGAIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Folders:
    """`moves_done`: documents that were read go to the folder .done in the inbox."""

    inbox: Path
    outbox: Path
    moves_done: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """`in_flight` documents at a time; a look every `interval_s`; a file that has not changed for `settle_s` is complete."""

    in_flight: int
    interval_s: float
    settle_s: float


class Watcher:
    """Runs until it is killed, or with `once` until all that lies in the inbox has come to its end. `tell` gets a line for people.

    `failed` are the documents that could not be read, `unreadable` the files that this machine does not give out.
    """

    def __init__(
        self,
        client: Client,
        folders: Folders,
        journal: Journal,
        options: dict[str, str],
        pace: Pace,
        tell: Callable[[str], None],
    ) -> None:
        self._folders, self._journal, self._options, self._pace, self._tell = folders, journal, options, pace, tell
        self._outbox = Outbox(folders.outbox)
        self._passage = Passage(client, folders.inbox, self._outbox, journal)
        self._settling = Settling(pace.settle_s)
        self._waiting: queue.Queue[int | None] = queue.Queue()
        self._in_hand: set[int] = set()
        self._later: dict[int, float] = {}
        self._finished: set[Seen] = set()
        self._told = ""
        self._ended_by: BaseException | None = None
        self._is_once = False
        self.failed: set[int] = set()
        self.unreadable: set[Seen] = set()

    def run(self, *, once: bool) -> None:
        """RectoError where it cannot go on: the token is refused, or with `once` nothing answers. OSError of the inbox with `once`."""
        self._is_once = once
        for entry in self._journal.unfinished():
            self._hand_out(entry)
        for _ in range(self._pace.in_flight):
            threading.Thread(target=self._work, daemon=True).start()  # what they do may end anywhere
        while True:
            was_idle = not self._in_hand  # before the look: what a thread gives back meanwhile is seen by the next one
            is_quiet = self._look()
            if self._ended_by:
                raise self._ended_by
            if once and is_quiet and was_idle:
                break
            self._hand_out_again(time.monotonic())
            time.sleep(self._pace.interval_s)
        for _ in range(self._pace.in_flight):
            self._waiting.put(None)

    def _look(self) -> bool:
        """Take what has settled. True where nothing else is there."""
        try:
            seen = list(look(self._folders.inbox, {self._folders.outbox}))
        except OSError as error:  # a share that is away comes back
            if self._is_once:
                raise
            self._tell_once(f"{self._folders.inbox} cannot be read ({error.strerror}). Trying again.")
            return False
        self._finished.intersection_update(seen)
        self.unreadable.intersection_update(seen)
        strangers = [file for file in seen if not self._is_settled_matter(file)]
        settled = self._settling.settled(strangers, time.monotonic())
        for file in settled:
            self._take(file)
        return self.unreadable.issuperset(strangers)

    def _is_settled_matter(self, file: Seen) -> bool:
        """Whether there is nothing to do about a file: it is known, and as it was."""
        if file in self._finished:  # the journal need not be asked about thousands every second
            return True
        entry = self._journal.known(file)
        if entry is None:
            return False
        if entry.state is State.READ and self._folders.moves_done:
            self._try_to_put_away(entry)
        elif entry.state is State.READ:
            self._finished.add(file)
        if entry.state is State.FAILED:
            return self._outbox.error_file(entry.output).exists()  # who takes it away wants another try
        return entry.state is not State.MOVED

    def _take(self, file: Seen) -> None:
        """A file that is complete, and not known as it is."""
        try:
            with (self._folders.inbox / file.path).open("rb") as content:
                sha256, size_bytes = sha256_of(content)
        except FileNotFoundError:
            return
        except OSError as error:
            if file not in self.unreadable:
                self._tell(f"{file.path} cannot be read ({error.strerror}). Check its permissions. Trying again.")
            self.unreadable.add(file)
            return
        self.unreadable.discard(file)
        if size_bytes != file.size_bytes or look_at(self._folders.inbox, file.path) != file:
            return  # it grows again
        same = self._journal.same(file.path, sha256)
        if same is None:
            failed = self._journal.failed_at(file.path)
            entry = (
                self._journal.take_again(failed, file, sha256, self._options)
                if failed
                else self._take_new(file, sha256)
            )
            self._hand_out(entry)
        elif same.number not in self._in_hand:
            self._take_same(same, file)

    def _take_new(self, file: Seen, sha256: str) -> Entry:
        output = self._outbox.free_name(file.path, self._journal.has_output)
        return self._journal.take(file, sha256, output, self._options)

    def _take_same(self, entry: Entry, file: Seen) -> None:
        """The same document once more: read again where it failed, or where its results are gone."""
        has_failed = entry.state is State.FAILED and not self._outbox.error_file(entry.output).exists()
        has_results = self._outbox.has_all(entry.output, entry.options["formats"].split("+"))
        if has_failed or (entry.state is State.MOVED and not has_results):
            self._hand_out(self._journal.take_again(entry, file, entry.sha256, self._options))
            return
        self._journal.touched(entry, file)
        if entry.state is State.MOVED:
            self._tell(f"{file.path} was read before: {entry.output}")
            self._journal.ended(entry.number, State.READ)

    def _try_to_put_away(self, entry: Entry) -> None:
        """At every look, until it can be done."""
        try:
            self._put_away(entry)
        except OSError as error:
            if self._is_once:
                raise
            self._tell_once(f"{entry.seen.path} cannot be moved to {DONE_FOLDER} ({error.strerror}). Trying again.")

    def _put_away(self, entry: Entry) -> None:
        """Into .done, under a name that is free there."""
        if look_at(self._folders.inbox, entry.seen.path) != entry.seen:
            return
        done = self._folders.inbox / DONE_FOLDER / entry.seen.path
        done.parent.mkdir(parents=True, exist_ok=True)
        number, free = 2, done
        while free.exists():
            free = done.with_name(f"{done.stem}-{number}{done.suffix}")
            number += 1
        (self._folders.inbox / entry.seen.path).rename(free)
        self._journal.ended(entry.number, State.MOVED)

    def _hand_out(self, entry: Entry) -> None:
        self._in_hand.add(entry.number)
        self._waiting.put(entry.number)

    def _hand_out_again(self, now_s: float) -> None:
        """What could not be done, and whose pause is over."""
        for number in [number for number, due_s in self._later.copy().items() if due_s <= now_s]:
            del self._later[number]
            self._waiting.put(number)

    def _work(self) -> None:
        """One thread: documents, one after another, until an error that concerns all of them."""
        while not self._ended_by and (number := self._waiting.get()) is not None:
            try:
                self._bring_to_its_end(number)
            except BaseException as error:  # noqa: BLE001 - the loop raises it in the main thread
                self._ended_by = error

    def _bring_to_its_end(self, number: int) -> None:
        """Or put it off, so that nothing waits behind it."""
        entry = self._journal.entry(number)
        if entry and entry.state in UNFINISHED:
            try:
                self._report(entry, self._passage.go(entry))
            except (NotSignedIn, NotAllowed, OptionsRefused):
                raise
            except (RectoError, OSError) as error:
                if self._is_once:
                    raise
                self._tell_once(f"{entry.seen.path}: {error} Trying again.")
                self._later[number] = time.monotonic() + _AGAIN_S
                return
        self._in_hand.discard(number)

    def _report(self, entry: Entry, outcome: Outcome) -> None:
        self._told = ""
        if outcome is Outcome.READ:
            self._tell(f"{entry.seen.path} -> {entry.output}")
        elif outcome is Outcome.FAILED:
            self.failed.add(entry.number)
            self._tell(f"{entry.seen.path} was not read: {self._outbox.error_file(entry.output)}")

    def _tell_once(self, line: str) -> None:
        """Not again and again while it stays true."""
        if line != self._told:
            self._told = line
            self._tell(line)
