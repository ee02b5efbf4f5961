"""The operations whose every step is a fault point. Each is prepared, then done under watch; what the client was told comes back."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from unittest import mock

from recto.errors import DocumentDamaged, PageDamaged
from recto.ocr.page import Page
from recto.records import derivations
from recto.working import page_tasks
from tests.chaos.world import PAGES, World

TOKEN: Final = "d" * 32
DERIVED: Final = "tsv"
MENDED: Final = "Mended"


@dataclass(slots=True)
class Told:
    """What the outside knows of the job: its uuid, and the status of the answer to the operation, where there was one.

    `earlier` is another job of the same document, which was FINISHED before; `together` is how many jobs one operation makes, all or none.
    """

    uuid: str | None = None
    status: int | None = None
    earlier: str | None = None
    together: int = 1


@dataclass(frozen=True, slots=True)
class Operation:
    """`prepare` brings the world to where it begins; `act` is what is watched, told whether a page process dies alone."""

    name: str
    prepare: Callable[[World, Told], None]
    act: Callable[[World, Told, bool], None]


def _nothing(_world: World, _told: Told) -> None:
    _ = _world.program  # the Backend is running


def _submit(world: World, told: Told, _alone: bool) -> None:
    response = world.program.post("/api/v1/jobs?filename=two.tif", data=world.template.document)
    told.status = response.status_code
    if told.status == 202:
        told.uuid = str(response.get_json()["uuid"])


def _submit_with_key(world: World, told: Told, _alone: bool) -> None:
    address, headers = "/api/v1/jobs?filename=two.tif", {"Idempotency-Key": "once"}
    response = world.program.post(address, data=world.template.document, headers=headers)
    told.status = response.status_code
    if told.status == 202:
        told.uuid = str(response.get_json()["uuid"])


def _two_in_a_batch(world: World, told: Told) -> None:
    _nothing(world, told)
    told.together = 2


def _submit_batch(world: World, told: Told, _alone: bool) -> None:
    documents = [(io.BytesIO(world.template.document), f"{number}.tif") for number in range(told.together)]
    response = world.program.post("/api/v1/batches", data={"document": documents})
    told.status = response.status_code
    if told.status == 202:
        told.uuid = str(response.get_json()["jobs"][0]["uuid"])


def _retry(world: World, told: Told, _alone: bool) -> None:
    response = world.program.post(f"/api/v1/jobs/{told.earlier}/retry", data={"mode": "force"})
    told.status = response.status_code
    if told.status == 202:
        told.uuid = str(response.get_json()["uuid"])


def _accepted(world: World, told: Told) -> None:
    told.uuid = world.submit()


def _claim(world: World, _told: Told, _alone: bool) -> None:
    world.step()


def _claimed(world: World, told: Told) -> None:
    _accepted(world, told)
    world.step()


def _open(world: World, _told: Told, alone: bool) -> None:
    world.executor.run_next(dies_alone=alone)
    world.step()


def _opened(world: World, told: Told) -> None:
    _claimed(world, told)
    _open(world, told, False)


def _all_pages_read(world: World, told: Told) -> None:
    _opened(world, told)
    for _ in range(PAGES):
        _open(world, told, False)


def _fail(world: World, _told: Told, alone: bool) -> None:
    with _failing("inspect_document"):
        world.executor.run_next(dies_alone=alone)
        world.step()


def _fail_last_page(world: World, _told: Told, alone: bool) -> None:
    with _failing("checkpoint_page"):
        world.executor.run_next(dies_alone=alone)
        world.step()


def _one_page_failed(world: World, told: Told) -> None:
    _opened(world, told)
    _fail_last_page(world, told, False)


@contextmanager
def _failing(task: str) -> Iterator[None]:
    """While the block runs, documents do not open, or pages are damaged."""

    def damaged(*_: object) -> Page:
        raise PageDamaged("The page is damaged.") if task == "checkpoint_page" else DocumentDamaged("It is damaged.")

    target = "read_page" if task == "checkpoint_page" else "inspect_file"
    with mock.patch.object(page_tasks, target, damaged):
        yield


def _hand_back(world: World, _told: Told, _alone: bool) -> None:
    stopping = threading.Event()
    stopping.set()
    world.worker.run(stopping)


def _worker_lost(world: World, told: Told) -> None:
    _opened(world, told)
    world.table.clock.move(100)
    world.heartbeat._leases.clear()  # this one's Worker is gone; another one beats
    world.heartbeat.beat(0.0)


def _requeue(world: World, _told: Told, _alone: bool) -> None:
    world.heartbeat.beat(100.0)


def _finished(world: World, told: Told) -> None:
    _accepted(world, told)
    world.read_all()


def _finished_and_seen(world: World, told: Told) -> None:
    _nothing(world, told)
    _finished(world, told)


def _opened_and_seen(world: World, told: Told) -> None:
    _nothing(world, told)
    _opened(world, told)


def _correct(world: World, told: Told, _alone: bool) -> None:
    body = {"revision": 0, "word": 0, "text": MENDED}
    told.status = world.program.post(f"/api/v1/jobs/{told.uuid}/pages/1/corrections", json=body).status_code


def _read_again(world: World, told: Told) -> None:
    """A finished job, and an earlier one of the same document, whose reading of the first page is to count in it."""
    _read_before(world, told)
    _retry(world, told, False)
    world.read_all()
    told.status = None


def _use_reading(world: World, told: Told, _alone: bool) -> None:
    body = {"revision": 0, "job": told.earlier}
    told.status = world.program.post(f"/api/v1/jobs/{told.uuid}/pages/1/corrections", json=body).status_code


def _delete(world: World, told: Told, _alone: bool) -> None:
    told.status = world.program.delete(f"/api/v1/jobs/{told.uuid}").status_code


def _change(world: World, told: Told, _alone: bool) -> None:
    change = {"tags": ["one", "two"], "file_name": "renamed.tif"}
    told.status = world.program.request("PATCH", f"/api/v1/jobs/{told.uuid}", json=change).status_code


def _read_before(world: World, told: Told) -> None:
    """The document has been read by a Worker that has told what its results depend on."""
    _nothing(world, told)
    world.heartbeat.beat(0.0)
    _submit(world, told, False)
    world.read_all()
    told.earlier, told.uuid, told.status = told.uuid, None, None


def _read_and_answered(world: World, told: Told) -> None:
    _read_before(world, told)
    _submit(world, told, False)
    told.uuid, told.earlier, told.status = told.earlier, told.uuid, None


def _derivation_begun(world: World, told: Told) -> None:
    _finished(world, told)
    assert world.table.do(derivations.begin, str(told.uuid), DERIVED, TOKEN, 20.0)


def _derive(world: World, told: Told, _alone: bool) -> None:
    world.derive(str(told.uuid), DERIVED, TOKEN)


def _index(world: World, _told: Told, _alone: bool) -> None:
    world.index()


def _indexed_and_deleted(world: World, told: Told) -> None:
    _finished_and_seen(world, told)
    world.index()
    _delete(world, told, False)


OPERATIONS: Final = (
    Operation("submit", _nothing, _submit),
    Operation("submit again", _read_before, _submit),
    Operation("submit with a key", _nothing, _submit_with_key),
    Operation("submit a batch", _two_in_a_batch, _submit_batch),
    Operation("retry", _read_before, _retry),
    Operation("claim", _accepted, _claim),
    Operation("open", _claimed, _open),
    Operation("page", _opened, _open),
    Operation("finish", _all_pages_read, _open),
    Operation("fail", _claimed, _fail),
    Operation("fail with the last page", _one_page_failed, _fail_last_page),
    Operation("hand back", _opened, _hand_back),
    Operation("expire", _worker_lost, _requeue),
    Operation("change tags", _opened_and_seen, _change),
    Operation("correct", _finished_and_seen, _correct),
    Operation("use a reading", _read_again, _use_reading),
    Operation("delete", _finished_and_seen, _delete),
    Operation("delete one of two", _read_and_answered, _delete),
    Operation("delete while it is read", _opened_and_seen, _delete),
    Operation("derive", _derivation_begun, _derive),
    Operation("index", _finished, _index),
    Operation("purge the index", _indexed_and_deleted, _index),
)
