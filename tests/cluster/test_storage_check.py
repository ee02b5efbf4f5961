"""Which nodes have shown that they have the dispatcher's File Storage. With real nodes: tests/cluster/test_dispatch.py."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from distributed import Client

from recto.cluster.nodes import OTHER_STORAGE
from recto.cluster.storage_check import StorageCheck
from recto.errors import StorageUnavailable
from recto.file_storage.base import DOCUMENT
from recto.file_storage.volume import VolumeStorage

_LOOKS = 200


class AskedNodes:
    """Answers for a Dask client: by address, what a node says or raises."""

    def __init__(self, storage: VolumeStorage, **answers: Callable[[str], object]) -> None:
        self.storage = storage
        self.answers = answers
        self.asked: list[str] = []

    async def run(self, _function: object, uuid: str, workers: list[str], on_error: str) -> dict[str, object]:
        assert on_error == "return"
        (address,) = workers
        self.asked.append(address)
        answer = self.answers[address](uuid)
        return {address: await answer if isinstance(answer, Awaitable) else answer}

    def has(self, uuid: str) -> bool:
        return self.storage.size_bytes(uuid, DOCUMENT) > 0


@pytest.fixture
def storage(tmp_path: Path) -> VolumeStorage:
    storage = VolumeStorage(tmp_path)
    storage.prepare()
    return storage


async def look_until(check: StorageCheck, nodes: AskedNodes, wanted: Mapping[str, str]) -> None:
    """As the dispatcher looks once a second, until it hears that."""
    said: dict[str, str] = {}
    for _ in range(_LOOKS):
        said = dict(check.objections(cast(Client, nodes), list(nodes.answers)))
        if said == wanted:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(said)


async def _never(_uuid: str) -> bool:
    await asyncio.Event().wait()
    return True


def test_node_that_finds_the_document_has_nothing_against_it_and_the_document_is_removed(
    storage: VolumeStorage,
) -> None:
    async def play() -> None:
        nodes = AskedNodes(storage, a=lambda uuid: nodes.has(uuid), b=lambda _: False)
        check = StorageCheck(storage)
        await look_until(check, nodes, {"a": "", "b": OTHER_STORAGE})
        for _ in range(3):
            check.objections(cast(Client, nodes), ["a", "b"])
        assert sorted(nodes.asked) == ["a", "b"]
        assert list(storage.folders()) == []

    asyncio.run(play())


def test_node_that_answers_slowly_keeps_no_other_waiting(storage: VolumeStorage) -> None:
    async def play() -> None:
        nodes = AskedNodes(storage, slow=_never, quick=lambda _: True)
        check = StorageCheck(storage)
        await look_until(check, nodes, {"quick": ""})
        check.forget()

    asyncio.run(play())


def test_node_that_could_not_look_is_asked_again_and_its_reason_stands_meanwhile(storage: VolumeStorage) -> None:
    async def play() -> None:
        nodes = AskedNodes(storage, a=lambda _: StorageUnavailable("The store is gone."))
        check = StorageCheck(storage)
        reason = {"a": "Its File Storage cannot be used: The store is gone."}
        await look_until(check, nodes, reason)
        assert check.objections(cast(Client, nodes), ["a"]) == reason
        nodes.answers["a"] = lambda _: True
        await look_until(check, nodes, {"a": ""})

    asyncio.run(play())


def test_node_that_went_away_is_asked_anew_when_it_comes_back(storage: VolumeStorage) -> None:
    async def play() -> None:
        nodes = AskedNodes(storage, a=lambda _: True)
        check = StorageCheck(storage)
        await look_until(check, nodes, {"a": ""})
        assert check.objections(cast(Client, nodes), []) == {}
        await look_until(check, nodes, {"a": ""})
        assert nodes.asked == ["a", "a"]

    asyncio.run(play())


def test_dispatcher_whose_own_store_fails_says_so_of_the_node(storage: VolumeStorage) -> None:
    async def play() -> None:
        def fail(_uuid: str) -> Any:
            raise OSError("connection lost")

        nodes = AskedNodes(storage, a=fail)
        wanted = {"a": "It could not be asked about its File Storage: OSError('connection lost')"}
        await look_until(StorageCheck(storage), nodes, wanted)
        assert list(storage.folders()) == []

    asyncio.run(play())


def test_without_a_file_storage_nobody_is_asked(storage: VolumeStorage) -> None:
    nodes = AskedNodes(storage, a=lambda _: False)
    assert StorageCheck(None).objections(cast(Client, nodes), ["a"]) == {"a": ""}
    assert nodes.asked == []
