"""The messages of webhooks: what a receiver is told of a job. The job as lists have it; nothing of what was read."""

from flask import Flask

from recto.web.jobs.job_json import job_summary
from recto.web.webhooks import answers as webhook_answers
from recto.webhooks.deliveries import Attempt


def event_body(app: Flask, base_path: str, attempt: Attempt) -> bytes:
    """The message as JSON (webhook_answers.WebhookEvent), the same at every attempt. Addresses begin as those in answers do."""
    with app.test_request_context(
        base_url=f"http://localhost{base_path}/"
    ):  # which url_for needs; nothing is requested
        event = webhook_answers.WebhookEvent(
            type=attempt.event, timestamp=attempt.timestamp, data=job_summary(attempt.job)
        )
    return event.model_dump_json(exclude_unset=True).encode()
