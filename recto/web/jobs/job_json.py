"""Jobs as the API answers them."""

from typing import Any

from flask import url_for

from recto.ocr.media_types import kind
from recto.records.batches import BatchView
from recto.views.jobs import JobView, Reason
from recto.views.outlook import Outlook
from recto.web import answers


def job_body(job: JobView, outlook: Outlook | None = None) -> answers.Job:
    """The job with its log, as docs/api.md describes it; with its outlook where there is one."""
    log = [
        answers.Transition(status=entry.status.value, timestamp=entry.timestamp, reason=reason_json(entry.reason))
        for entry in job.transitions
    ]
    beyond: dict[str, Any] = (
        {} if outlook is None else {"queue": _place(outlook), "estimated_seconds_left": _time_left(outlook)}
    )
    return answers.Job(**_fields(job), transitions=log, **beyond)


def job_summary(job: JobView) -> answers.JobSummary:
    """The job as lists have it."""
    return answers.JobSummary(**_fields(job))


def batch_body(batch: BatchView) -> answers.Batch:
    """The batch with its jobs."""
    return answers.Batch(
        uuid=batch.uuid,
        created=batch.created,
        ended=batch.ended,
        counts=answers.BatchCounts(**{status.value: number for status, number in batch.counts.items()}),
        progress=answers.Progress(
            pages_done=sum(job.pages_done for job in batch.jobs),
            page_count=batch.page_count,
            pages_failed=sum(job.pages_failed for job in batch.jobs),
        ),
        jobs=[job_summary(job) for job in batch.jobs],
        links=answers.BatchLinks(
            self=url_for("batches.get_batch_status", uuid=batch.uuid),
            result=url_for("batches.get_batch_result", uuid=batch.uuid),
        ),
    )


def progress(job: JobView) -> answers.Progress:
    """How far the job is."""
    return answers.Progress(pages_done=job.pages_done, page_count=job.page_count, pages_failed=job.pages_failed)


def job_links(uuid: str) -> answers.JobLinks:
    """Where to go on from the job."""
    return answers.JobLinks(
        self=url_for("api.get_job_status", uuid=uuid),
        result=url_for("results.get_result", uuid=uuid),
        pages=url_for("job_pages.get_pages", uuid=uuid),
    )


def _fields(job: JobView) -> dict[str, Any]:
    return {
        "uuid": job.uuid,
        "status": job.status.value,
        "file_name": job.file_name,
        "media_type": job.media_type,
        "kind": kind(job.media_type),
        "size_bytes": job.size_bytes,
        "options": answers.job_options(job.options),
        "created": job.created,
        "ended": job.ended,
        "progress": progress(job),
        "attempt": job.attempt,
        "deduplicated_from": job.deduplicated_from,
        "retry_of": job.retry_of,
        "batch": job.batch_uuid,
        "change": job.change,
        "revision": job.revision,
        "retention_s": job.retention_s,
        "expires": job.expires,
        "tags": list(job.tags),
        "reason": reason_json(job.reason),
        "warnings": [answers.JobWarning(code=warning.code, detail=warning.detail) for warning in job.warnings],
        "links": job_links(job.uuid),
    }


def _place(outlook: Outlook) -> answers.QueuePlace | None:
    return None if outlook.position is None else answers.QueuePlace(position=outlook.position)


def _time_left(outlook: Outlook) -> answers.TimeLeft | None:
    left = outlook.time_left
    return answers.TimeLeft(least=left.least_s, most=left.most_s) if left else None


def reason_json(reason: Reason | None) -> answers.Reason | None:
    """Why it failed, or stepped back."""
    return answers.Reason(code=reason.code, detail=reason.detail) if reason else None
