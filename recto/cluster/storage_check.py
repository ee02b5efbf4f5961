"""Whether nodes have the dispatcher's File Storage: each new one is asked for a document that is put there for this alone."""

import asyncio
from collections.abc import Collection, Mapping
from uuid import uuid4

from distributed import Client

from recto.cluster.node import sees_document
from recto.cluster.nodes import OTHER_STORAGE
from recto.errors import RectoError
from recto.file_storage.base import DOCUMENT, FileStorage


class StorageCheck:
    """Asks beside everything else, and each node by itself: a store that answers one of them slowly keeps nobody from the others."""

    def __init__(self, storage: FileStorage | None) -> None:
        """Without a File Storage nothing speaks against any node."""
        self._storage = storage
        self._said: dict[str, str] = {}
        self._asking: dict[str, asyncio.Task[str]] = {}

    def objections(self, client: Client, addresses: Collection[str]) -> Mapping[str, str]:
        """What speaks against those that have answered by now: "" where nothing does. New ones are asked, and those again that could not answer."""
        if self._storage is None:
            return dict.fromkeys(addresses, "")
        self._forget([address for address in {*self._said, *self._asking} if address not in addresses])
        for address in addresses:
            self._take_in(address)
            if address not in self._asking and self._said.get(address) not in ("", OTHER_STORAGE):
                self._asking[address] = asyncio.create_task(_objection(client, self._storage, address))
        return self._said

    def forget(self) -> None:
        """The scheduler was lost, and its nodes with it."""
        self._forget([*self._said, *self._asking])

    def _take_in(self, address: str) -> None:
        if (task := self._asking.get(address)) is not None and task.done():
            del self._asking[address]
            self._said[address] = task.result()

    def _forget(self, addresses: Collection[str]) -> None:
        for address in addresses:
            self._said.pop(address, None)
            if task := self._asking.pop(address, None):
                task.cancel()


async def _objection(client: Client, storage: FileStorage, address: str) -> str:
    uuid = str(uuid4())
    try:
        await asyncio.to_thread(_keep_document, storage, uuid)
        try:
            answers = await client.run(sees_document, uuid, workers=[address], on_error="return")
        finally:
            await asyncio.to_thread(storage.delete, uuid)
    except (RectoError, OSError) as error:
        return f"It could not be asked about its File Storage: {_words(error)}"
    answer = answers[address]
    if isinstance(answer, Exception):
        return f"Its File Storage cannot be used: {_words(answer)}"
    return "" if answer else OTHER_STORAGE


def _words(error: Exception) -> str:
    return error.detail if isinstance(error, RectoError) else repr(error)


def _keep_document(storage: FileStorage, uuid: str) -> None:
    incoming = storage.incoming()
    incoming.file.write(b"Whether a node has this File Storage.")
    incoming.keep(uuid, DOCUMENT)
