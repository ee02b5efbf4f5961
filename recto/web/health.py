"""/healthz: the process serves. /readyz: everything it needs is there, and what is wrong where not."""

from http import HTTPStatus

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from recto.errors import RectoError
from recto.job_views import latest_change
from recto.web import answers
from recto.web.answers import Check
from recto.web.authorisation import Access, access
from recto.web.database import Lane, in_thread, read
from recto.web.described import Reply, described
from recto.web.services import services
from recto.workers import list_workers

blueprint = Blueprint("health", __name__)


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
    """200 where documents can be accepted. A missing Worker is said but is no fault of this process: jobs wait for one."""
    checks = {"database": _database(), "file_storage": _file_storage()}
    is_ready = all(check.ok for check in checks.values())
    if checks["database"].ok:
        checks["worker"] = _worker()
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
    try:
        in_thread(services().storage.check, Lane.DISK)
    except RectoError as error:
        return Check(ok=False, detail=error.detail)
    return Check(ok=True)


def _worker() -> Check:
    workers = read(list_workers)
    living = [worker for worker in workers if worker.is_alive]
    if living:
        return Check(ok=True, workers=len(living), processes=sum(worker.processes for worker in living))
    seen = f"The last one was seen {workers[0].seen:%Y-%m-%d %H:%M} UTC." if workers else "None was seen yet."
    return Check(ok=False, detail=f"No Worker is running, so jobs wait. {seen} Start one: ocr_worker.py run.")
