"""Steady work: documents sent one after another, results fetched in several formats, every third job deleted, some while they run."""

import threading
import time
from collections import Counter
from itertools import cycle
from typing import Final

import requests

from tests.fuzz.cases import make_case
from tests.fuzz.originals import drawn

_TIMEOUT_S: Final = 120.0
_MOST_S: Final = 600.0
_FORMATS: Final = ("txt", "json", "pdf", "hocr")


class Load:
    """Sends a document every `pause_s` seconds until `stop`; every fifth is a damaged one. `counts` says what was answered."""

    def __init__(self, address: str, token: str, pause_s: float, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._jobs = f"{address}/api/v1/jobs"
        self._pause_s, self._seed = pause_s, seed
        self._stopping = threading.Event()
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._thread = threading.Thread(target=self._send_until_stopped, name="load")
        self._thread.start()

    def stop(self) -> None:
        """Let the job in hand end."""
        self._stopping.set()
        self._thread.join()
        self._session.close()

    def _send_until_stopped(self) -> None:
        originals = drawn()
        for number, name in enumerate(cycle(sorted(originals))):
            is_damaged = number % 5 == 4
            content = make_case(self._seed, number, originals).content if is_damaged else originals[name]
            try:
                self._use(number, content, is_whole=not is_damaged)
            except (requests.RequestException, KeyError, ValueError) as error:
                self.faults.append(f"Document {number}: {type(error).__name__}: {error}")
            if self._stopping.wait(self._pause_s):
                return

    def _use(self, number: int, content: bytes, *, is_whole: bool) -> None:
        """One document through all that a client does with it."""
        posted = self._session.post(
            f"{self._jobs}?languages=eng&dedupe=false&filename={number}", data=content, timeout=_TIMEOUT_S
        )
        self.counts[f"upload {posted.status_code}"] += 1
        if posted.status_code != 202:
            self._expect(number, posted, (400, 415) if not is_whole else ())
            return
        job = f"{self._jobs}/{posted.json()['uuid']}"
        if number % 6 == 0:  # while it waits or runs
            self._delete(number, job)
            return
        wanted = _FORMATS[number % len(_FORMATS)]
        fetched = self._result(job, wanted)
        self.counts[f"{wanted} {fetched.status_code}"] += 1
        self._expect(number, fetched, (200,) if is_whole else (200, 409, 422))
        if number % 3 == 0:
            self._delete(number, job)

    def _result(self, job: str, wanted: str) -> requests.Response:
        """The answer when it is more than 202. A damaged page may take its time limit twice, and the next document waits behind it."""
        until = time.monotonic() + _MOST_S
        while True:
            fetched = self._session.get(f"{job}/result?format={wanted}&wait=60", timeout=_TIMEOUT_S)
            if fetched.status_code != 202 or time.monotonic() > until:
                return fetched

    def _delete(self, number: int, job: str) -> None:
        deleted = self._session.delete(job, timeout=_TIMEOUT_S)
        self.counts[f"delete {deleted.status_code}"] += 1
        self._expect(number, deleted, (204,))

    def _expect(self, number: int, answer: requests.Response, statuses: tuple[int, ...]) -> None:
        if answer.status_code not in statuses:
            self.faults.append(
                f"Document {number}: {answer.request.method} was answered {answer.status_code}: {answer.text[:200]}"
            )
