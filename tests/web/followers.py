"""Those who follow jobs live in tests: an httpx-sse, a websockets, a curl and a long-polling client. Each can be cut off, and goes on with what it has."""

import json
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing
from typing import Any, TypeAlias

import httpx
from httpx_sse import connect_sse
from websockets.sync.client import ClientConnection, connect

from recto.ocr.page import Block, Box, Line, Word

Message: TypeAlias = dict[str, Any]
_BOX = Box(1, 1, 10, 5)
_QUAD = ((1.0, 1.0), (11.0, 1.0), (11.0, 6.0), (1.0, 6.0))
PATIENCE_S = 20.0


def blocks_of(text: str, confidence: float = 0.9) -> tuple[Block, ...]:
    """A page's blocks that say this on one line."""
    words = tuple(Word(word, confidence, _BOX, _QUAD) for word in text.split())
    return (Block((Line(words, _BOX, _QUAD, 0),), _BOX),)


class Follower(ABC):
    """Keeps the messages it got, those with an id it knows dropped, and how many those were."""

    def __init__(self, address: str, path: str, token: str) -> None:
        self._address, self._path, self._token = address, path, token
        self.messages: list[Message] = []
        self.repeats = 0
        self.is_over = False

    def follow(self, cut_after: int | None = None) -> "Follower":
        """Until the stream ends, or that many new messages came: then the connection is cut without a word."""
        new = 0
        with closing(self._connected(self.messages[-1]["id"] if self.messages else None)) as received:  # type: ignore[type-var]
            for message in received:
                if any(known["id"] == message["id"] for known in self.messages):
                    self.repeats += 1
                    continue
                self.messages.append(message)
                new += 1
                if new == cut_after:
                    return self
        self.is_over = True
        return self

    @abstractmethod
    def _connected(self, last_id: int | None) -> Iterator[Message]:
        """The messages after that one, over a connection of its own."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    @property
    def pages(self) -> list[tuple[int, str | None]]:
        """(number, text) of every page, in the order in which they came."""
        return [(message["page"]["number"], message["page"]["text"]) for message in self.of("page")]

    def of(self, event: str) -> list[Message]:
        return [message for message in self.messages if message["event"] == event]


class SseFollower(Follower):
    """httpx-sse; goes on by Last-Event-ID."""

    def _connected(self, last_id: int | None) -> Iterator[Message]:
        headers = self.headers | ({"Last-Event-ID": str(last_id)} if last_id is not None else {})
        with (
            httpx.Client(timeout=PATIENCE_S) as client,
            connect_sse(client, "GET", self._address + self._path, headers=headers) as source,
        ):
            if source.response.status_code == 204:
                return
            for event in source.iter_sse():
                if not event.data:
                    continue
                message = json.loads(event.data)
                assert (event.id, event.event) == (str(message["id"]), message["event"])
                yield message


class WebSocketFollower(Follower):
    """websockets; goes on by ?after=."""

    def _connected(self, last_id: int | None) -> Iterator[Message]:
        with self.open(last_id) as web_socket:
            for text in web_socket:
                yield json.loads(text)

    def open(self, last_id: int | None = None) -> ClientConnection:
        address = self._address.replace("http:", "ws:") + self._path
        address += f"?after={last_id}" if last_id is not None else ""
        return connect(address, additional_headers=self.headers, proxy=None)


class CurlFollower(Follower):
    """curl -N; goes on by ?after=."""

    def _connected(self, last_id: int | None) -> Iterator[Message]:
        address = self._address + self._path + (f"?after={last_id}" if last_id is not None else "")
        command = ["curl", "-sSN", "--max-time", str(PATIENCE_S), "-H", f"Authorization: Bearer {self._token}", address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
            assert curl.stdout is not None
            try:
                for line in curl.stdout:
                    if line.startswith("data: "):
                        yield json.loads(line.removeprefix("data: "))
            finally:
                curl.kill()


class LongPollFollower(Follower):
    """httpx, one request after the other; goes on by ?after=."""

    def _connected(self, last_id: int | None) -> Iterator[Message]:
        headers, after = self.headers | {"Accept": "application/json"}, last_id
        with httpx.Client(timeout=PATIENCE_S, headers=headers) as client:
            while True:
                query = {"wait": "10"} | ({"after": str(after)} if after is not None else {})
                answer = client.get(self._address + self._path, params=query)
                if answer.status_code == 204:
                    return
                told = answer.raise_for_status().json()
                yield from told["events"]
                after = told["after"]


FOLLOWERS: tuple[type[Follower], ...] = (SseFollower, WebSocketFollower, CurlFollower, LongPollFollower)


def paths_of(uuid: str | None, kind: type[Follower]) -> str:
    """Where that kind follows the job, or all of them."""
    end = "stream" if kind is WebSocketFollower else "events"
    return f"/api/v1/jobs/{uuid}/{end}" if uuid else f"/api/v1/{end}"
