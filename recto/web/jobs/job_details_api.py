"""Changing what is a user's own about a job: its tags, and the name of its document."""

from typing import Annotated, Final
from uuid import UUID

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from recto.errors import JobNotFound, OptionInvalid
from recto.records.job_details import MOST_TAG_CHARACTERS, MOST_TAGS, change_details, parse_tags
from recto.views.jobs import JobView, get_job
from recto.web import answers
from recto.web.api import job_response
from recto.web.login import signed_in
from recto.web.openapi.described import Reply, described
from recto.web.serving.database import read, write
from recto.web.serving.json_bodies import json_body
from recto.web.sign_in.authorisation import Access, access
from recto.web.uploading.uploads import MOST_NAME_CHARACTERS, shown_name

blueprint = Blueprint("job_details", __name__, url_prefix="/api/v1")
_WHAT_TO_SEND: Final = 'Send a JSON object with tags or file_name, such as {"tags": ["invoice"]}.'


class JobChange(BaseModel):
    """What is to be changed of a job, as a JSON merge patch (RFC 7396): what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tags: Annotated[list[Annotated[str, Field(max_length=MOST_TAG_CHARACTERS)]], Field(max_length=MOST_TAGS)] | None = (
        Field(default=None, description="All that it has afterwards; null for none", examples=[["invoice", "2026"]])
    )
    file_name: str = Field(
        default_factory=str,
        min_length=1,
        max_length=MOST_NAME_CHARACTERS,
        description="Of the document; its results are called after it",
        examples=["letter.pdf"],
    )


@blueprint.patch("/jobs/<uuid:uuid>")
@access(Access.WRITE)
@described(
    Reply(200, "The job as it is now", (answers.Job,), headers=("ETag", "Retry-After")),
    problems=(JobNotFound, OptionInvalid),
    json_body=JobChange,
)
def change_job(uuid: UUID) -> Response:
    """Change the tags of a job, or the name of its document. Those who wait for a change of the job hear of it."""
    user_id = signed_in().account.id
    read(get_job, user_id, str(uuid))  # somebody else's job is not there, whatever is sent
    job = write(_changed, user_id, str(uuid), json_body(JobChange, _WHAT_TO_SEND))
    response = job_response(job)
    response.set_etag(str(job.change), weak=True)
    return response


def _changed(session: Session, user_id: int, uuid: str, asked: JobChange) -> JobView:
    given = asked.model_fields_set
    if given:
        change_details(
            session,
            user_id,
            uuid,
            tags=parse_tags(asked.tags or ()) if "tags" in given else None,
            file_name=shown_name(asked.file_name) if "file_name" in given else None,
        )
    session.expire_all()
    return get_job(session, user_id, uuid)
