"""The clients of a chaos run: they send documents slowly, and send one again only where they were never told that it was accepted."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Final

from tests.chaos.documents import Letter

_PIECES: Final = 6
_LONGEST_PAUSE_S: Final = 0.06
_TIMEOUT_S: Final = 20.0


class Clients:
    """Threads that send the letters in turn, no further than `allowed` of them."""

    def __init__(self, port: int, token: str, letters: list[Letter], seed: int, count: int = 3) -> None:
        self.accepted: dict[int, str] = {}
        """Letter number: the uuid that the 202 named."""
        self.answers: Counter[str] = Counter()
        self.in_flight = 0
        self.allowed = 0
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/tiff"}
        self._letters = iter(letters)
        self._sent = 0
        self._lock = threading.Lock()
        self._is_stopping = False
        self._threads = [
            threading.Thread(target=self._run, args=(Random(seed + n),), daemon=True) for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more."""
        self._is_stopping = True
        for thread in self._threads:
            thread.join()

    @property
    def are_done(self) -> bool:
        """Whether every letter was accepted."""
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, random: Random) -> None:
        while not self._is_stopping:
            if self._sent >= self.allowed:
                time.sleep(0.05)
                continue
            with self._lock:
                letter = next(self._letters, None)
                self._sent += 1
            if letter is None:
                return
            self._send_until_accepted(letter, random)

    def _send_until_accepted(self, letter: Letter, random: Random) -> None:
        content = letter.content()
        while not self._is_stopping:
            try:
                status, body = self._send(letter, content, random)
            except (OSError, http.client.HTTPException):
                self._count("no answer")
            else:
                self._count(str(status))
                if status == 202:
                    self.accepted[letter.number] = str(json.loads(body)["uuid"])
                    return
            time.sleep(0.1 + random.random() * 0.3)

    def _send(self, letter: Letter, content: bytes, random: Random) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        path = f"/api/v1/jobs?filename={letter.file_name}&preprocess=none&languages=eng&dedupe=false"
        headers = self._headers | {"Content-Length": str(len(content))}
        self._move(1)
        try:
            connection.request("POST", path, _pieces(content, random), headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            self._move(-1)
            connection.close()

    def _move(self, by: int) -> None:
        with self._lock:
            self.in_flight += by

    def _count(self, answer: str) -> None:
        with self._lock:
            self.answers[answer] += 1


def _pieces(content: bytes, random: Random) -> Iterator[bytes]:
    """As over a slow line."""
    size = len(content) // _PIECES + 1
    for start in range(0, len(content), size):
        time.sleep(random.random() * _LONGEST_PAUSE_S)
        yield content[start : start + size]
