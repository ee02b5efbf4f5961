"""What the API answers about webhooks, and tells their receivers, as types, like those of recto/web/answers.py."""

from typing import Literal

from pydantic import ConfigDict, Field

from recto.web.answers import Answer, JobSummary, Moment, Reason


class WebhookAddress(Answer):
    """Where to tell of the end of jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(
        description="Null: only jobs that name an address of their own are told of",
        examples=["https://hooks.example.com/recto"],
    )


class Webhook(Answer):
    """Where a user is told of the end of jobs."""

    url: str | None = Field(examples=["https://hooks.example.com/recto"])
    created: Moment | None = Field(description="Null before there was an address or a secret")
    previous_secret_until: Moment | None = Field(description="Until then messages carry a second signature")
    secret: str = Field(
        default="",
        description="Only in the answer to the request that has made it",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class WebhookEvent(Answer):
    """A webhook's message, as Standard Webhooks has it."""

    type: str = Field(description="`job.finished` or `job.failed`", examples=["job.finished"])
    timestamp: Moment = Field(description="When the job ended")
    data: JobSummary


class Delivery(Answer):
    """What became of a message."""

    id: str = Field(
        description="The message's `webhook-id`, the same at every attempt",
        examples=["msg_5f0c0b9e3a527f0c4d3e9a516c1f0e2d"],
    )
    type: str | None = Field(description="Null until the job has ended", examples=["job.finished"])
    url: str | None = Field(
        description="Null where it goes to the user's address, and there is none any more",
        examples=["https://hooks.example.com/recto"],
    )
    status: Literal["WAITING", "PENDING", "DELIVERED", "GIVEN_UP"] = Field(
        description="It waits for the job's end, is to be sent, was received, or is sent no more", examples=["PENDING"]
    )
    attempts: int = Field(examples=[1])
    last_attempt: Moment | None
    last_status: int | None = Field(description="HTTP status of the answer to it; null for no answer", examples=[503])
    error: Reason | None = Field(description="Why there was no answer")
    next_attempt: Moment | None


class DeliveryList(Answer):
    """Messages about a job's end."""

    deliveries: list[Delivery]
