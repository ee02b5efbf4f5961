"""/healthz: the process serves. /readyz: everything it needs is there, and what is wrong where not."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from recto.errors import RectoError
from recto.job_views import latest_change
from recto.web.authorisation import Access, access
from recto.web.database import Lane, in_thread, read
from recto.web.services import services
from recto.workers import list_workers

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@access(Access.ANYBODY)
def healthz() -> Response:
    """200 as long as the process answers; touches nothing else, so that a slow disk does not get it restarted."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@access(Access.ANYBODY)
def readyz() -> tuple[Response, int]:
    """200 where documents can be accepted. A missing Worker is said but is no fault of this process: jobs wait for one."""
    checks = {"database": _database(), "file_storage": _file_storage()}
    is_ready = all(check["ok"] for check in checks.values())
    if checks["database"]["ok"]:
        checks["worker"] = _worker()
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(status="ready" if is_ready else "not ready", checks=checks), status


def _database() -> dict[str, Any]:
    try:
        read(latest_change)
    except (SQLAlchemyError, RectoError) as error:
        return {
            "ok": False,
            "detail": f"The database cannot be read: {type(error).__name__}. Check database.url and the volume.",
        }
    return {"ok": True}


def _file_storage() -> dict[str, Any]:
    try:
        in_thread(services().storage.check, Lane.DISK)
    except RectoError as error:
        return {"ok": False, "detail": error.detail}
    return {"ok": True}


def _worker() -> dict[str, Any]:
    workers = read(list_workers)
    living = [worker for worker in workers if worker.is_alive]
    if living:
        return {"ok": True, "workers": len(living), "processes": sum(worker.processes for worker in living)}
    seen = f"The last one was seen {workers[0].seen:%Y-%m-%d %H:%M} UTC." if workers else "None was seen yet."
    return {"ok": False, "detail": f"No Worker is running, so jobs wait. {seen} Start one: ocr_worker.py run."}
