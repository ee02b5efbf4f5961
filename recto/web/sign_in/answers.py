"""What the API answers about who makes the request, and what was done at the doors, as types, like those of recto/web/answers.py."""

from pydantic import Field

from recto.web.answers import Answer, Moment


class Token(Answer):
    """The token of the request."""

    name: str = Field(examples=["scanner"])
    prefix: str = Field(description="Its first characters", examples=["recto_Ab3dEf"])
    scopes: list[str] = Field(examples=[["jobs:read", "jobs:write"]])
    created: Moment
    expires: Moment | None
    last_used: Moment | None = Field(description="To the minute")


class Storage(Answer):
    """What a user keeps: the documents as they were sent; what is made of them is not counted."""

    documents: int = Field(examples=[42])
    bytes: int = Field(examples=[48213000])
    max_bytes: int | None = Field(
        description="Above, a document is refused with 403 `user_storage_full`; null for no limit",
        examples=[5000000000],
    )


class Account(Answer):
    """Who makes the request."""

    name: str = Field(examples=["ada"])
    is_admin: bool
    storage: Storage


class AuditEntry(Answer):
    """An event of the audit log."""

    timestamp: Moment
    action: str = Field(examples=["sign_in_refused"])
    user: str = Field(description="Empty where nobody has the name that was tried", examples=["ada"])
    about: str = Field(examples=[""])
    address: str = Field(examples=["203.0.113.9"])


class AuditLog(Answer):
    """The latest events, newest first."""

    events: list[AuditEntry]
