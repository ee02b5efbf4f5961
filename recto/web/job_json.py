"""Jobs as JSON values of the API."""

from datetime import UTC, datetime
from typing import Any

from flask import url_for

from recto.job_views import JobView, Reason
from recto.ocr.media_types import kind


def job_json(job: JobView, *, with_transitions: bool = True) -> dict[str, Any]:
    """The job as docs/api.md describes it."""
    values: dict[str, Any] = {
        "uuid": job.uuid,
        "status": job.status.value,
        "file_name": job.file_name,
        "media_type": job.media_type,
        "kind": kind(job.media_type),
        "size_bytes": job.size_bytes,
        "options": job.options.public(),
        "created": time_json(job.created),
        "ended": time_json(job.ended) if job.ended else None,
        "progress": {"pages_done": job.pages_done, "page_count": job.page_count, "pages_failed": job.pages_failed},
        "attempt": job.attempt,
        "change": job.change,
        "reason": _reason_json(job.reason),
        "warnings": [{"code": warning.code, "detail": warning.detail} for warning in job.warnings],
        "links": {
            "self": url_for("api.get_job_status", uuid=job.uuid),
            "result": url_for("results.get_result", uuid=job.uuid),
        },
    }
    if with_transitions:
        values["transitions"] = [
            {
                "status": entry.status.value,
                "timestamp": time_json(entry.timestamp),
                "reason": _reason_json(entry.reason),
            }
            for entry in job.transitions
        ]
    return values


def time_json(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _reason_json(reason: Reason | None) -> dict[str, str] | None:
    return {"code": reason.code, "detail": reason.detail} if reason else None
