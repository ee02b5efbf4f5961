"""A job as the service tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from recto_client.errors import UnexpectedAnswer

_FINAL: Final = ("FINISHED", "FAILURE")


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code (docs/errors.md) and a sentence that says what happened and what to do."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job at the moment when it was asked for. `page_count` is None until a Worker has opened the document, or, of an image, has read it.

    `status` is QUEUED, IN_PROGRESS, FINISHED or FAILURE; `reason` belongs to FAILURE. `json` is the whole answer.
    """

    uuid: str
    status: str
    file_name: str
    size_bytes: int
    created: datetime
    ended: datetime | None
    pages_done: int
    page_count: int | None
    pages_failed: int
    reason: Reason | None
    warnings: tuple[Reason, ...]
    json: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def is_final(self) -> bool:
        """Whether it stays as it is."""
        return self.status in _FINAL

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Self:
        """From an answer of the API; members that are not known here are passed over. UnexpectedAnswer where one is missing."""
        try:
            progress, reason, ended = answer["progress"], answer["reason"], answer["ended"]
            return cls(
                uuid=answer["uuid"],
                status=answer["status"],
                file_name=answer["file_name"],
                size_bytes=answer["size_bytes"],
                created=datetime.fromisoformat(answer["created"]),
                ended=datetime.fromisoformat(ended) if ended else None,
                pages_done=progress["pages_done"],
                page_count=progress["page_count"],
                pages_failed=progress["pages_failed"],
                reason=_reason(reason) if reason else None,
                warnings=tuple(map(_reason, answer["warnings"])),
                json=answer,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UnexpectedAnswer(f"The answer is no job of Recto's ({error!r}). Check the address.") from error


def _reason(given: Mapping[str, Any]) -> Reason:
    return Reason(given["code"], given["detail"])
