"""What is left after a fault: everything is opened afresh, recovers by itself, and is held against what was promised."""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from sqlalchemy import select, text, update

from models import (
    MAY_FOLLOW,
    DeliveryStatus,
    Job,
    JobDeletion,
    JobDerivation,
    JobPage,
    JobStatus,
    JobTag,
    PageText,
    WebhookDelivery,
)
from recto.errors import FileNotFound
from recto.file_storage.base import DOCUMENT, METADATA, checkpoint_name, result_name
from recto.records.corrections import history, of_job
from recto.text_search.text_index import next_job, removals_to_purge
from recto.views.jobs import page_failures
from recto.webhooks.deliveries import JOB_FAILED, JOB_FINISHED
from recto.working.heartbeat import Heartbeat
from tests.chaos.operations import DERIVED, MENDED, TOKEN, Told
from tests.chaos.world import PAGES, World
from tests.conftest import POLICY

_LONG_S: Final = 3600.0
_ANOTHER_READING: Final = "another reading"
_OWN: Final = re.compile(r"recto\.db(-wal|-shm)?|secret_key")


@dataclass(frozen=True, slots=True)
class Survivors:
    """What became of the job, in a word, and what lies about for the sweeper, by kind."""

    outcome: str
    left: tuple[str, ...]


def recover(world: World) -> World:
    """Let time pass as it does: leases expire, another Worker takes over, who asked for a format asks again."""
    world = world.restarted(_LONG_S)
    with world.engine.begin() as connection:  # this clock is the database's own, which cannot be set
        connection.execute(update(JobDerivation).values(expires_us=0))
    beat_until_expired(world.heartbeat)
    world.table.clock.move(_LONG_S)
    world.read_all()
    world.index()
    return world


def beat_until_expired(heartbeat: Heartbeat) -> None:
    """Two beats further apart than a renewal: a lease that passed in between is given to others."""
    heartbeat.beat(0.0)
    heartbeat.beat(POLICY.renew_s + 1.0)


def survey(world: World, told: Told) -> Survivors:
    """AssertionError where something is lost, torn, or ended twice."""
    with world.table.sessions() as session:
        everything = list(session.scalars(select(Job.uuid)))
        deleted = set(session.scalars(select(JobDeletion.uuid)))
    assert told.earlier is None or told.earlier in everything, "another job is lost"
    uuids = [uuid for uuid in everything if uuid != told.earlier]
    if told.status == 202:
        assert told.uuid in uuids, "an accepted document is lost"
        assert len(uuids) == told.together
    if told.uuid is not None and told.uuid not in uuids:
        assert told.uuid in deleted, "the job is gone and nobody deleted it"
    assert len(uuids) in (0, told.together), "a part of what belongs together"
    _check_index(world)
    for uuid in everything:
        _check_document(world, uuid)
        _check_log(world, uuid)
        _check_result(world, uuid)
        _check_tags(world, uuid)
        _check_message(world, uuid)
    if told.uuid in uuids:
        _check_corrections(world, told)
    return Survivors(_outcome(world, uuids, deleted), _left_behind(world, everything, deleted))


def _check_document(world: World, uuid: str) -> None:
    with world.storage.open(uuid, DOCUMENT) as file:
        assert file.read() == world.template.document, "the document is torn"
    with world.storage.open(uuid, METADATA) as file:
        assert json.load(file)["uuid"] == uuid


def _check_tags(world: World, uuid: str) -> None:
    with world.table.sessions() as session:
        rows = set(session.scalars(select(JobTag.tag).where(JobTag.job_uuid == uuid)))
    job = world.table.job(uuid)
    assert rows == set(job.tags), "the tags are not those of the rows"
    assert bool(rows) == (job.file_name == "renamed.tif"), "half of a change was kept"


def _check_message(world: World, uuid: str) -> None:
    """The end of each job is to be told of, once and rightly: it was made due by the transaction that ended the job."""
    with world.table.sessions() as session:
        (message,) = session.scalars(select(WebhookDelivery).where(WebhookDelivery.job_uuid == uuid))
    finished = world.table.job(uuid).status == JobStatus.FINISHED
    assert message.status == DeliveryStatus.PENDING, "the end of a job is not told of"
    assert message.event == (JOB_FINISHED if finished else JOB_FAILED)


def _check_log(world: World, uuid: str) -> None:
    statuses = [JobStatus(status) for status in world.table.statuses(uuid)]
    assert sum(status.is_final for status in statuses) == 1, f"ended other than once: {statuses}"
    for previous, status in zip([None, *statuses], statuses, strict=False):
        assert status in MAY_FOLLOW[previous], statuses
    assert world.table.job(uuid).status == statuses[-1], "the log does not replay to the row"


def _check_index(world: World) -> None:
    """Every page that was read of every finished job, once, and nothing else; nothing of what was deleted."""
    read = select(JobPage.job_uuid, JobPage.number).join(Job).where(Job.status == JobStatus.FINISHED)
    with world.table.sessions() as session:
        wanted = session.execute(
            read.where(JobPage.error_code.is_(None)).order_by(JobPage.job_uuid, JobPage.number)
        ).all()
        there = session.execute(
            select(PageText.job_uuid, PageText.number).order_by(PageText.job_uuid, PageText.number)
        ).all()
        assert there == wanted, "the index is not that of the jobs"
        assert next_job(session) is None
        assert removals_to_purge(session) is None, "deleted text is still in the index"
        session.execute(text("INSERT INTO page_text_index (page_text_index, rank) VALUES ('integrity-check', 1)"))


def _check_result(world: World, uuid: str) -> None:
    """Complete, to the byte, or absent."""
    job = world.table.job(uuid)
    if job.status != JobStatus.FINISHED:
        assert job.reason_code, "a failure without a reason"
        assert job.result_token is None
        return
    token = job.result_token or ""
    missing = {failure.page for failure in world.table.read(page_failures, uuid)}
    numbers = [number for number in range(1, PAGES + 1) if number not in missing]
    with world.storage.open(uuid, result_name(token, "txt")) as file:
        assert file.read().decode() == "\f".join(f"Page-{number}\n" for number in numbers), "the text is torn"
    with world.storage.open(uuid, result_name(token, "json")) as file:
        assert [read["number"] for read in json.load(file)["pages"]] == numbers
    try:
        with world.storage.open(uuid, result_name(token, DERIVED)) as file:
            lines = file.read().decode().splitlines()
    except FileNotFound:
        return  # nobody has it yet: it is made when it is asked for
    assert [line.split("\t")[-1] for line in lines if "Page-" in line] == [f"Page-{number}" for number in numbers]


def _check_corrections(world: World, told: Told) -> None:
    """Whole or absent: the row, and the revisions of page and job."""
    uuid = str(told.uuid)
    found, job = world.table.read(history, uuid, 1), world.table.job(uuid)
    assert found.revision == job.revision == len(found.made), "a correction is torn"
    assert [made.what.get("text", _ANOTHER_READING) for made in found.made] in ([], [MENDED], [_ANOTHER_READING])
    if told.status == HTTPStatus.CREATED:
        assert found.made, "a correction is lost"
    if reading := found.standing.reading:
        with world.storage.open(uuid, checkpoint_name(reading.token, 1)) as file:
            assert json.load(file)["number"] == 1, "the reading that counts is torn"


def derive_again(world: World, uuid: str) -> None:
    """A format that could not be made is made when it is asked for again."""
    if world.table.row(uuid) is not None and world.table.job(uuid).status == JobStatus.FINISHED:
        world.derive(uuid, DERIVED, TOKEN)
        token = world.table.job(uuid).result_token or ""
        name = result_name(token, DERIVED, world.table.job(uuid).revision)
        with world.storage.open(uuid, name) as file:
            is_mended = bool(world.table.read(history, uuid, 1).standing.corrections)
            assert (MENDED in file.read().decode()) == is_mended


def _outcome(world: World, uuids: list[str], deleted: set[str]) -> str:
    if not uuids:
        return "deleted" if deleted else "never accepted"
    job = world.table.job(uuids[0])
    reason = f" ({job.reason_code})" if job.reason_code else ""
    return f"{job.status}{reason}, attempt {job.attempt}"


def _left_behind(world: World, uuids: list[str], deleted: set[str]) -> tuple[str, ...]:
    """Kinds of files that no job needs; each is one of those that a sweeper can tell by its place. AssertionError for any other."""
    left = set()
    for path in world.folder.rglob("*"):
        name = str(path.relative_to(world.folder))
        if path.is_file() and not _OWN.fullmatch(name) and not _is_needed(world, name, uuids):
            left.add(_kind(name, uuids, deleted))
    for uuid in world.storage.folders():
        if uuid not in uuids:
            left.add("folder of a deleted job" if uuid in deleted else "folder without a row")
    return tuple(sorted(left))


def _is_needed(world: World, name: str, uuids: list[str]) -> bool:
    for uuid in uuids:
        job = world.table.job(uuid)
        with world.table.sessions() as session:
            pages = session.execute(select(JobPage.number, JobPage.attempt_token).where(JobPage.job_uuid == uuid))
            wanted = {checkpoint_name(token, number) for number, token in pages}
            wanted |= {checkpoint_name(token, number) for number, token in of_job(session, uuid).checkpoints([])}
        wanted |= {DOCUMENT, METADATA}
        wanted |= {result_name(job.result_token or "", form) for form in ("txt", "json", DERIVED)}
        wanted |= {result_name(job.result_token or "", DERIVED, job.revision)}
        if name in {f"{uuid}/{file}" for file in wanted}:
            return True
    return False


def _kind(name: str, uuids: list[str], deleted: set[str]) -> str:
    top, _, rest = name.partition("/")
    if top == ".incoming":
        return "half an upload" if rest.startswith("upload-") else "half a deletion"
    if top in deleted:
        return "folder of a deleted job"
    if top not in uuids:
        return "folder without a row"
    if rest.endswith(".part"):
        return "temporary file"
    assert rest.startswith("attempts/"), f"{name} is no part of a job"
    return "file of a lost attempt"
