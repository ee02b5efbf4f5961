"""What a user may change of a job: its tags and its document's name. Nothing here has to do with its status.

Each tag is a row, so that a list by tag costs no more than its jobs; the job's own row repeats them for whoever reads the job.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import String, delete, insert, literal, select, update
from sqlalchemy.orm import Session

from models import Job, JobTag
from recto.errors import OptionInvalid
from recto.records.change_numbers import next_change
from recto.views.jobs import job_not_found

MOST_TAGS: Final = 20
MOST_TAG_CHARACTERS: Final = 64


def parse_tags(given: Iterable[str]) -> tuple[str, ...]:
    """Each once, in their order, without what cannot be shown and space around it; those that are nothing are left out. OptionInvalid."""
    tags = tuple(dict.fromkeys(filter(None, map(_shown, given))))
    for tag in tags:
        if len(tag) > MOST_TAG_CHARACTERS:
            raise OptionInvalid(
                f"A tag has up to {MOST_TAG_CHARACTERS} characters; '{tag[:MOST_TAG_CHARACTERS]}…' has {len(tag)}. Shorten it."
            )
    if len(tags) > MOST_TAGS:
        raise OptionInvalid(f"A job has {MOST_TAGS} tags at most; these are {len(tags)}. Leave some out.")
    return tags


def _shown(tag: str) -> str:
    return "".join(filter(str.isprintable, unicodedata.normalize("NFC", tag))).strip()


def put_tags(session: Session, uuid: str, tags: Sequence[str]) -> None:
    """The rows of a job's tags, which its own row repeats."""
    for tag in tags:
        row = select(Job.uuid, literal(tag, String), Job.user_id, Job.created_us).where(Job.uuid == uuid)
        session.execute(insert(JobTag).from_select(["job_uuid", "tag", "user_id", "created_us"], row))


def change_details(
    session: Session, user_id: int, uuid: str, tags: Sequence[str] | None = None, file_name: str | None = None
) -> None:
    """Change what is given, whatever the status; that is a change of the job, which waiting clients hear of. JobNotFound."""
    mine = select(Job.uuid).where(Job.uuid == uuid, Job.user_id == user_id)
    if session.scalar(mine.with_for_update(key_share=True)) is None:
        raise job_not_found()
    values: dict[str, Any] = {"change": next_change(session)}
    if file_name is not None:
        values["file_name"] = file_name
    if tags is not None:
        values["tags"] = list(tags)
        session.execute(delete(JobTag).where(JobTag.job_uuid == uuid))
        put_tags(session, uuid, tags)
    session.execute(update(Job).where(Job.uuid == uuid).values(values))
