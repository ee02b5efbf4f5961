"""What a chaos run has left: every job held against what was sent, every file against the jobs."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models import Job, JobPage, JobStatus, JobStatusTransition
from recto.errors import FileNotFound
from recto.file_storage.base import DOCUMENT, METADATA, checkpoint_name, result_name
from recto.file_storage.volume import VolumeStorage
from recto.views.jobs import page_failures
from tests.chaos.documents import Letter


@dataclass(slots=True)
class Verdict:
    """Numbers of jobs, and sentences about what should not be."""

    accepted: int = 0
    ended: int = 0
    ended_twice: int = 0
    torn: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unanswered: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    pages_given_up: int = 0


def judge(engine: Engine, storage: VolumeStorage, letters: list[Letter], accepted: dict[int, str]) -> Verdict:
    """Every job of the database. `accepted` are the uuids that clients were told, by letter."""
    verdict = Verdict()
    of_name = {letter.file_name: letter for letter in letters}
    with Session(engine) as session:
        jobs = list(session.scalars(select(Job)))
        for job in jobs:
            _judge_log(session, job, verdict)
            _judge_result(session, storage, job, of_name[job.file_name], verdict)
    there = {job.uuid for job in jobs}
    verdict.accepted = len(jobs)
    verdict.unanswered = len(there - set(accepted.values()))
    verdict.lost = [f"letter {number}, job {uuid}" for number, uuid in accepted.items() if uuid not in there]
    return verdict


def without_json(engine: Engine, storage: VolumeStorage) -> list[str]:
    """Finished jobs that have their text alone, since writing the others killed its process: JSON is made when it is asked for."""
    missing = []
    with Session(engine) as session:
        for job in session.scalars(select(Job).where(Job.status == JobStatus.FINISHED)):
            try:
                storage.size_bytes(job.uuid, result_name(job.result_token or "", "json"))
            except FileNotFound:
                missing.append(job.uuid)
    return missing


def leftovers(engine: Engine, folder: Path) -> list[str]:
    """Files of the File Storage that neither a job nor Recto itself needs."""
    needed = {"recto.db", "recto.db-wal", "recto.db-shm", "secret_key"}
    with Session(engine) as session:
        for job in session.scalars(select(Job)):
            pages = select(JobPage.number, JobPage.attempt_token).where(JobPage.job_uuid == job.uuid)
            names = {DOCUMENT, METADATA} | {checkpoint_name(token, number) for number, token in session.execute(pages)}
            names |= {result_name(job.result_token or "", result_format) for result_format in ("txt", "json")}
            needed |= {f"{job.uuid}/{name}" for name in names}
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return sorted(names - needed)


def _judge_log(session: Session, job: Job, verdict: Verdict) -> None:
    log = select(JobStatusTransition.status).where(JobStatusTransition.job_uuid == job.uuid)
    statuses = list(session.scalars(log.order_by(JobStatusTransition.timestamp_us, JobStatusTransition.id)))
    ends = sum(JobStatus(status).is_final for status in statuses)
    verdict.ended += ends > 0 and JobStatus(statuses[-1]).is_final and job.status == statuses[-1]
    verdict.ended_twice += ends > 1
    verdict.endings[f"{job.status} {job.reason_code or ''}".strip()] += 1
    verdict.attempts[job.attempt] += 1


def _judge_result(session: Session, storage: VolumeStorage, job: Job, letter: Letter, verdict: Verdict) -> None:
    """Complete and of this letter, but for pages that are named as missing; or absent."""
    if job.status != JobStatus.FINISHED:
        return
    missing = {failure.page for failure in page_failures(session, job.uuid)}
    verdict.pages_given_up += len(missing)
    expected = [letter.line(page) for page in range(1, letter.page_count + 1) if page not in missing]
    try:
        with storage.open(job.uuid, DOCUMENT) as file:
            is_whole = file.read() == letter.content()
        with storage.open(job.uuid, result_name(job.result_token or "", "txt")) as file:
            text = file.read().decode()
        with storage.open(job.uuid, result_name(job.result_token or "", "json")) as file:
            result = json.load(file)
    except (FileNotFound, ValueError) as error:
        verdict.torn.append(f"{job.uuid}: {error}")
        return
    lines = [line["text"] for page in result["pages"] for block in page["blocks"] for line in block["lines"]]
    if not is_whole or text != "\f".join(f"{line}\n" for line in expected) or lines != expected:
        verdict.torn.append(f"{job.uuid}: {letter} has {lines} and {text!r}")
    if {warning["page"] for warning in result["warnings"]} != missing:
        verdict.torn.append(f"{job.uuid}: the warnings do not name the missing pages {missing}")
