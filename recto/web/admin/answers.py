"""What the API answers administrators, as types, like those of answers.py."""

from pydantic import BaseModel, ConfigDict, Field

from recto.accounts import MAX_NAME_CHARACTERS, MIN_PASSWORD_CHARACTERS
from recto.records.retention import LONGEST_S
from recto.users.administration import MOST_NUMBER, MOST_UNFINISHED
from recto.web.answers import Answer, Moment


class User(Answer):
    """A user as an administrator sees it. Nothing of their documents but how many there are."""

    id: int = Field(examples=[7])
    name: str = Field(examples=["ada"])
    is_admin: bool
    is_disabled: bool = Field(description="Cannot sign in, nor can their programs; what they sent is read on")
    created: Moment
    seen: Moment | None = Field(description="Last use of a sign-in that was not ended, to the minute")
    documents: int = Field(examples=[42])
    bytes: int = Field(description="Of their documents, as they were sent", examples=[48213000])
    max_stored_bytes: int | None = Field(
        description="A limit of their own; 0 is no limit, null that of the settings", examples=[5000000000]
    )
    max_unfinished: int | None = Field(description="The same of jobs that have not ended", examples=[100])
    retention_s: int | None = Field(
        description="How long new jobs of theirs are kept after their ends; 0 is for ever, null as the settings say",
        examples=[2592000],
    )


class UserList(Answer):
    """Users by name."""

    users: list[User]
    next: str | None = Field(description="Where more are; null at the end. The `Link` header has it, too")


class NewUser(BaseModel):
    """A user to be added, who is no administrator: those are made on the page, by a person."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARACTERS, examples=["grace"])
    password: str = Field(
        min_length=MIN_PASSWORD_CHARACTERS, max_length=1000, examples=["a long password, to be changed"]
    )


class UserChange(BaseModel):
    """What is to be changed of a user, as a JSON merge patch (RFC 7396): what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    is_disabled: bool = Field(default_factory=bool, description="Ends their sign-ins, and stops their tokens")
    max_stored_bytes: int | None = Field(
        default=None,
        ge=0,
        le=MOST_NUMBER,
        description="0 for no limit, null for that of the settings",
        examples=[5000000000],
    )
    max_unfinished: int | None = Field(
        default=None, ge=0, le=MOST_UNFINISHED, description="Null for that of the settings", examples=[100]
    )
    retention_s: int | None = Field(
        default=None,
        ge=0,
        le=LONGEST_S,
        description="Of jobs made from now on: 0 for ever, null as the settings say",
        examples=[2592000],
    )


class UserQueue(Answer):
    """What one user has waiting and running."""

    user: str = Field(examples=["ada"])
    waiting: int = Field(examples=[3])
    oldest: Moment | None = Field(description="When the longest waiting of them was sent")
    running: int = Field(examples=[1])
    pages_left: int = Field(description="Of those that are being read", examples=[12])


class Queue(Answer):
    """What waits and what is being read."""

    waiting: int = Field(examples=[3])
    oldest: Moment | None = Field(description="When the longest waiting job was sent; null where none waits")
    running: int = Field(examples=[1])
    pages_left: int = Field(
        description="Of the jobs that are being read; one that was not opened yet counts as a page", examples=[12]
    )
    users: list[UserQueue] = Field(description="Who has any, the longest queue first")


class Worker(Answer):
    """A Worker as it last reported. It is forgotten after a month of silence."""

    name: str = Field(description="Host and process", examples=["reading-room-4711"])
    is_alive: bool = Field(description="Whether it reported within the last 30 seconds and did not sign off")
    seen: Moment | None = Field(description="Its last report; null where it has signed off")
    started: Moment
    version: str = Field(description="Of Recto", examples=["0.1.0"])
    engine: str = Field(examples=["tesserocr 2.10.0, Tesseract 5.5.1"])
    languages: list[str] = Field(examples=[["deu", "eng"]])
    processes: int = Field(description="Pages that it reads at a time", examples=[4])
    jobs: int = Field(description="That it has in hand", examples=[1])
    pages_left: int = Field(description="Of these", examples=[12])


class Workers(Answer):
    """All that are remembered, the last seen first."""

    workers: list[Worker]


class HourOfJobs(Answer):
    """The jobs that ended in an hour, in one way."""

    hour: Moment = Field(description="When it began")
    outcome: str = Field(
        description="`finished`, `answered` from an earlier job, `cancelled`, or the code of a failure",
        examples=["finished"],
    )
    jobs: int = Field(examples=[120])
    pages: int = Field(description="Pages of them that were read", examples=[960])


class Throughput(Answer):
    """What ended lately. Hours in which nothing did are left out."""

    hours: list[HourOfJobs] = Field(description="Oldest first, then by outcome")


class UserStorage(Answer):
    """What a user keeps."""

    name: str = Field(examples=["ada"])
    documents: int = Field(examples=[42])
    bytes: int = Field(description="Of their documents, as they were sent", examples=[48213000])
    max_bytes: int | None = Field(
        description="How many of these they may keep; null for no limit", examples=[5000000000]
    )
    all_bytes: int | None = Field(
        description="Documents and results, as the last sweep saw them; null before the first", examples=[91200000]
    )
    expiring_jobs: int = Field(
        description="Jobs that are deleted within a day, because their time is over", examples=[3]
    )
    retention_s: int | None = Field(
        description="How long new jobs of theirs are kept after their ends; 0 is for ever, null as the settings say",
        examples=[2592000],
    )


class StorageReport(Answer):
    """Who keeps how much."""

    users: list[UserStorage]
    database_bytes: int = Field(examples=[5242880])
    swept: Moment | None = Field(description="When the last sweep looked at every file")
    free_bytes: int | None = Field(
        description="Of the File Storage's disk; null where it has no end", examples=[52428800000]
    )
    total_bytes: int | None = Field(examples=[104857600000])
