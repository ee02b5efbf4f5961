"""What the API answers, as types: the views build their answers from them, and the OpenAPI document describes them. One definition.

A field without a default is in every answer. Clients ignore fields that they do not know: new ones may come.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeAlias

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SecretStr

from recto.ocr.options import Options

StatusName: TypeAlias = Literal["QUEUED", "IN_PROGRESS", "FINISHED", "FAILURE"]


def time_json(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Moment: TypeAlias = Annotated[
    datetime,
    PlainSerializer(time_json, return_type=str),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T18:24:02.123456Z"]),
]
"""A time with its zone, as ISO 8601 in UTC."""


class Answer(BaseModel):
    """Base of the bodies. Frozen; unset fields with a default stay out of the JSON."""

    # Built when it is first given: all of them together would take a tenth of the Backend's start.
    model_config = ConfigDict(frozen=True, defer_build=True)

    def json_bytes(self) -> bytes:
        """The body, with a line end, as terminals like it."""
        return self.model_dump_json(exclude_unset=True).encode() + b"\n"


class Problem(Answer):
    """What is wrong, as RFC 9457 has it. Decide by `code`; `detail` is a sentence that says what to do next."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = Field(description="`urn:recto:problem:` and the code", examples=["urn:recto:problem:job_not_found"])
    title: str = Field(examples=["No such job"])
    status: int = Field(description="The status of the answer", examples=[404])
    detail: str = Field(description="What is wrong, and what to do next")
    code: str = Field(description="Stable; docs/errors.md lists all", examples=["job_not_found"])


class Reason(Answer):
    """Why a job failed, or stepped back into the queue."""

    code: str = Field(description="Stable; docs/errors.md lists all", examples=["document_encrypted"])
    detail: str = Field(description="What happened, and what to do")


class JobWarning(Answer):
    """Something to know about the document as a whole."""

    code: str = Field(description="Stable; docs/errors.md lists all", examples=["signature_ends"])
    detail: str = Field(description="What it is, and what to do")


class JobOptions(Options):
    """The options that took effect, without the password."""

    password: SecretStr | None = Field(default=None, exclude=True)


class Progress(Answer):
    """How far the reading is."""

    pages_done: int = Field(description="Pages that were read or given up", examples=[2])
    page_count: int | None = Field(
        description="Pages to be read; null until a Worker has opened the document, or, of an image, has read it",
        examples=[6],
    )
    pages_failed: int = Field(description="Of the pages done, those that could not be read", examples=[0])


class JobLinks(Answer):
    """Addresses on this host."""

    self: str = Field(examples=["/api/v1/jobs/0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"])
    result: str = Field(examples=["/api/v1/jobs/0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77/result"])
    pages: str = Field(examples=["/api/v1/jobs/0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77/pages"])


class Transition(Answer):
    """One entry of a job's log."""

    status: StatusName
    timestamp: Moment
    reason: Reason | None


class JobSummary(Answer):
    """A job as lists have it."""

    uuid: str = Field(examples=["0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"], json_schema_extra={"format": "uuid"})
    status: StatusName = Field(description="FINISHED and FAILURE are final", examples=["IN_PROGRESS"])
    file_name: str = Field(description="The client's name of the document", examples=["letter.pdf"])
    media_type: str = Field(description="By the document's content", examples=["application/pdf"])
    kind: str = Field(description="The media type as people call it", examples=["PDF"])
    size_bytes: int = Field(examples=[48213])
    options: JobOptions
    created: Moment
    ended: Moment | None
    progress: Progress
    attempt: int = Field(description="How often reading was begun", examples=[1])
    deduplicated_from: str | None = Field(
        description="The job whose result answered this one: the same document, the same options. It may be gone"
    )
    retry_of: str | None = Field(description="The job whose document this one reads again. It may be gone")
    batch: str | None = Field(description="The batch that it was sent in")
    change: int = Field(description="Number of the latest change to this job; grows", examples=[4711])
    retention_s: int | None = Field(
        description="Seconds that it is kept after its end; null: until it is deleted", examples=[86400]
    )
    expires: Moment | None = Field(
        description="When it is deleted with all that it has; null before its end, and where it is kept"
    )
    tags: list[str] = Field(description="Words to find it by; `PATCH` changes them", examples=[["invoice", "2026"]])
    revision: int = Field(
        description="Counts what people have corrected and undone: with it the results change", examples=[0]
    )
    reason: Reason | None = Field(description="Of a FAILURE")
    warnings: list[JobWarning]
    links: JobLinks


class QueuePlace(Answer):
    """Where a job waits."""

    position: int = Field(
        description="From 1: so many of the jobs that wait now are to be begun up to and with this one. Users take turns, and documents "
        "that wait count as being of the mean length",
        examples=[3],
    )


class TimeLeft(Answer):
    """Seconds until a job has ended: a range, and no promise."""

    least: int = Field(examples=[20])
    most: int = Field(examples=[120])


class Job(JobSummary):
    """A job with its log. What it has to do with other jobs is said where it is asked for alone."""

    transitions: list[Transition] = Field(description="Oldest first")
    queue: QueuePlace | None = Field(
        default=None, description="Null for a job that does not wait; only in the answer of the job's own address"
    )
    estimated_seconds_left: TimeLeft | None = Field(
        default=None,
        description="By how fast pages were read lately; null where nothing is known, such as while no Worker runs, and at the end; only in the "
        "answer of the job's own address",
    )


class JobList(Answer):
    """Jobs, newest first."""

    jobs: list[JobSummary]
    next: str | None = Field(description="Where older ones are; null at the end. The `Link` header has it, too")
    change: int = Field(description="Begin `?after=` here", examples=[4711])


class JobChanges(Answer):
    """What changed since a number, oldest change first."""

    jobs: list[JobSummary]
    deleted: list[str] = Field(description="uuids of jobs that were deleted")
    change: int = Field(description="Ask on from here with `?after=`", examples=[4712])


class BatchCounts(Answer):
    """Jobs by their status."""

    QUEUED: int = Field(examples=[1])
    IN_PROGRESS: int = Field(examples=[1])
    FINISHED: int = Field(examples=[3])
    FAILURE: int = Field(examples=[0])


class BatchLinks(Answer):
    """Addresses on this host."""

    self: str = Field(examples=["/api/v1/batches/3f1f6c1c-6d5e-4f0a-8f0e-2b1f6f1d9c55"])
    result: str = Field(examples=["/api/v1/batches/3f1f6c1c-6d5e-4f0a-8f0e-2b1f6f1d9c55/result"])


class Batch(Answer):
    """Documents that were sent in one request."""

    uuid: str = Field(examples=["3f1f6c1c-6d5e-4f0a-8f0e-2b1f6f1d9c55"], json_schema_extra={"format": "uuid"})
    created: Moment
    ended: Moment | None = Field(description="When the last of its jobs ended; null as long as one has not")
    counts: BatchCounts
    progress: Progress = Field(
        description="Of all its jobs together; `page_count` is null until all have been opened, or have failed"
    )
    jobs: list[JobSummary] = Field(description="Those there are, in the order of the documents")
    links: BatchLinks


class PageLinks(Answer):
    """Addresses on this host."""

    self: str = Field(examples=["/api/v1/jobs/0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77/pages/1"])
    image: str = Field(examples=["/api/v1/jobs/0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77/pages/1/image"])
    corrections: str = Field(examples=["/api/v1/jobs/0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77/pages/1/corrections"])


class PageEntry(Answer):
    """A page that has ended."""

    number: int = Field(description="Counts from 1 in the document as uploaded", examples=[1])
    status: Literal["READ", "FAILED"]
    confidence: float | None = Field(
        description="Mean over the words, from 0 to 1; null without words, and for pages that were read before Recto kept it",
        examples=[0.9431],
    )
    text_layer: str | None = Field(
        description="What became of the text that the page had: `none`, `used`, `garbled` or `ignored`",
        examples=["none"],
    )
    revision: int = Field(description="Counts its corrections and what was undone; its ETag", examples=[0])
    warnings: list[JobWarning] = Field(description="Why it could not be read")
    links: PageLinks


class PageList(Answer):
    """Pages of a job that have ended, by their numbers."""

    status: StatusName = Field(
        description="Of the job: as long as it is not final, more pages may come", examples=["IN_PROGRESS"]
    )
    progress: Progress
    pages: list[PageEntry]
    next: str | None = Field(description="Where more are; null at the end. The `Link` header has it, too")


class EventPage(Answer):
    """A page that has just ended."""

    number: int = Field(description="Counts from 1 in the document as uploaded", examples=[1])
    text: str | None = Field(
        description="What was read, as the result `txt` has it; null where the page could not be read",
        examples=["Dear Ada,\n"],
    )
    confidence: float | None = Field(
        description="Mean over the words, from 0 to 1; null without words", examples=[0.9431]
    )
    warnings: list[JobWarning] = Field(description="Why it could not be read")


class Event(Answer):
    """Something that happened to a job. Members that an event of its kind does not have are left out."""

    id: int = Field(description="Grows from event to event, of whatever job. Go on after it", examples=[4711])
    event: Literal["start", "status", "progress", "page", "end", "deleted"] = Field(
        description="`start`: of no job, where to go on from; `status`: another status, not the last; `progress`: the pages are counted; "
        "`page`: a page was read or given up; `end`: the last status; `deleted`: the job is gone",
        examples=["page"],
    )
    job: str | None = Field(
        default=None,
        description="Its uuid",
        examples=["0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"],
        json_schema_extra={"format": "uuid"},
    )
    timestamp: Moment | None = Field(default=None)
    progress: Progress | None = Field(default=None, description="How far the reading was just after the event")
    status: StatusName | None = Field(default=None, description="Of `status` and `end`", examples=["IN_PROGRESS"])
    attempt: int | None = Field(
        default=None, description="Of `status` and `end`: how often reading was begun", examples=[1]
    )
    reason: Reason | None = Field(default=None, description="Of `status` and `end`: why it stepped back, or failed")
    links: JobLinks | None = Field(default=None, description="Of `end`")
    page: EventPage | None = Field(default=None, description="Of `page`")


class EventList(Answer):
    """What happened after an event, oldest first."""

    events: list[Event]
    after: int = Field(description="Ask on from here with `?after=`", examples=[4711])


class Mark(Answer):
    """Where a hit stands in a text, in characters (Unicode code points, not UTF-16 units)."""

    start: int = Field(examples=[8])
    end: int = Field(description="The character after the last one", examples=[15])


class SearchSnippet(Answer):
    """A page's text around its hits, on one line."""

    page: int = Field(description="Counts from 1 in the document as uploaded", examples=[3])
    text: str = Field(examples=["… your invoice of 3 May …"])
    marks: list[Mark] = Field(description="The words that were looked for, in order")


class SearchHit(Answer):
    """A document of whose pages some were hit."""

    job: JobSummary
    pages: list[int] = Field(description="The numbers of all pages that were hit, in order", examples=[[3, 7]])
    snippets: list[SearchSnippet] = Field(description="Of the first of these pages")


class SearchResults(Answer):
    """Documents with a hit, newest first."""

    hits: list[SearchHit]
    next: str | None = Field(description="Where older ones are; null at the end. The `Link` header has it, too")
    is_complete: bool = Field(description="False as long as text that was read is yet to be indexed")


class Correction(Answer):
    """A correction of a page: `word` and `count` say where, or `line`; `options` are those of a page that was read again."""

    id: int = Field(description="The revision of the page that it made", examples=[1])
    author: str = Field(examples=["ada"])
    created: Moment
    undone: Moment | None = Field(description="When it was taken back; null while it stands")
    word: int | None = Field(examples=[0])
    count: int | None = Field(examples=[1])
    line: int | None
    text: str | None = Field(examples=["Recto"])
    options: dict[str, Any] | None = Field(description="What the page was read with that stands in its place")
    replaced: str = Field(description="What stood there before; empty for a page", examples=["Rec1o"])


class PageCorrections(Answer):
    """What was corrected in a page."""

    revision: int = Field(description="Of the page: name it with the next correction", examples=[1])
    corrections: list[Correction] = Field(description="Latest first, also those that were undone")


class Languages(Answer):
    """What can be read."""

    languages: list[str] = Field(
        description="As Tesseract names them; empty before any Worker was seen", examples=[["deu", "eng"]]
    )
    default: str = Field(description="Of a job that names none", examples=["eng"])
    worker_running: bool


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]


class Check(Answer):
    """One thing that the service needs."""

    ok: bool
    detail: str = Field(default="", description="What is wrong, where something is, or soon will be; and what to do")
    workers: int = Field(default=0, description="Of the check `worker`: how many are running")
    processes: int = Field(default=0, description="Of the check `worker`: pages that are read at a time")


class Readiness(Answer):
    """Whether documents can be accepted."""

    status: Literal["ready", "not ready"]
    checks: dict[str, Check] = Field(
        description="`database`, `file_storage` and, where the database is there, `schema` and `worker`"
    )


def answered(body: Answer, status: int = HTTPStatus.OK) -> Response:
    """The response with this body."""
    return Response(body.json_bytes(), status, mimetype="application/json")


def with_next(response: Response, following: str | None) -> Response:
    """The response with its `Link` header (RFC 8288), for clients that read headers; none at the end of the list."""
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def job_options(options: Options) -> JobOptions:
    """The same, fit to be shown. They were checked when the job was submitted."""
    values: dict[str, Any] = dict(options)
    return JobOptions.model_construct(None, **values)
