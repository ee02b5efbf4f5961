"""/healthz: the process serves. /readyz: everything it needs is there, and what is wrong where not."""

from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from recto.database.connections import newest_schema, schema_of
from recto.errors import RectoError, StorageFull
from recto.views.jobs import latest_change
from recto.web import answers
from recto.web.answers import Check
from recto.web.openapi.described import Reply, described
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread, read
from recto.web.sign_in.authorisation import Access, access
from recto.workers import list_workers

blueprint = Blueprint("health", __name__)
_NEARLY_FULL: Final = 2
"""Times the room that is kept back."""


@blueprint.get("/healthz")
@access(Access.ANYBODY)
@described(Reply(200, "It answers", (answers.Health,)), tag="Service")
def healthz() -> Response:
    """200 as long as the process answers; touches nothing else, so that a slow disk does not get it restarted."""
    return answers.answered(answers.Health(status="ok"))


@blueprint.get("/readyz")
@access(Access.ANYBODY)
@described(
    Reply(200, "Documents can be accepted", (answers.Readiness,)),
    Reply(503, "They cannot; `checks` says why", (answers.Readiness,)),
    tag="Service",
)
def readyz() -> Response:
    """200 where documents can be accepted. What is wrong is said with what to do about it. A missing Worker is said but is no fault of this process: jobs wait for one."""
    checks = {"database": _database(), "file_storage": _file_storage()}
    is_ready = all(check.ok for check in checks.values())
    if checks["database"].ok:
        checks |= {"schema": _schema(), "worker": _worker()}
        is_ready = is_ready and checks["schema"].ok
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return answers.answered(answers.Readiness(status="ready" if is_ready else "not ready", checks=checks), status)


def _database() -> Check:
    try:
        read(latest_change)
    except (SQLAlchemyError, RectoError) as error:
        return Check(
            ok=False,
            detail=f"The database cannot be read: {type(error).__name__}. Check database.url and the volume.",
        )
    return Check(ok=True)


def _file_storage() -> Check:
    storage = services().storage
    try:
        in_thread(storage.check, Lane.DISK)
        space = in_thread(storage.space, Lane.DISK)
    except StorageFull as error:
        return Check(
            ok=False, detail=f"{error.detail} Delete jobs, make the disk larger, or lower file_storage.min_free_bytes."
        )
    except RectoError as error:
        return Check(
            ok=False, detail=f"{error.detail} Check file_storage.path: its disk, its rights, whether it is mounted."
        )
    if space and space.free_bytes < _NEARLY_FULL * space.refused_below_bytes:
        left = space.free_bytes - space.refused_below_bytes
        return Check(
            ok=True,
            detail=f"Nearly full: after {left:,} more bytes, uploads are refused. Delete jobs, or make the disk larger.",
        )
    return Check(ok=True)


def _schema() -> Check:
    there = read(schema_of)
    if there == newest_schema():
        return Check(ok=True)
    return Check(
        ok=False,
        detail=f"The database has the schema {there}, and this Recto works with {newest_schema()}. Where it is older, run `ocr_worker.py db upgrade`; "
        "where it is newer, start the version of Recto that made it.",
    )


def _worker() -> Check:
    workers = read(list_workers)
    living = [worker for worker in workers if worker.is_alive]
    if living:
        return Check(ok=True, workers=len(living), processes=sum(worker.processes for worker in living))
    seen = f"The last one was seen {workers[0].seen:%Y-%m-%d %H:%M} UTC." if workers else "None was seen yet."
    return Check(ok=False, detail=f"No Worker is running, so jobs wait. {seen} Start one: ocr_worker.py run.")
