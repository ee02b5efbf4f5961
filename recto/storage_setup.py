"""Where the File Storage is: what the settings say of it, in values that every process is started with."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_URL: Final = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(/[A-Za-z0-9._-]+)*)/?")


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket of an object store that speaks S3. `prefix` is empty, or ends with a slash.

    An empty `endpoint_url` is Amazon's, an empty `public_url` the same as `endpoint_url`, an empty `region` and empty keys what boto3 finds by itself.
    """

    bucket: str
    prefix: str = ""
    endpoint_url: str = ""
    public_url: str = ""
    region: str = ""
    path_style: bool = False
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class StorageSetup:
    """The documents are at `s3` or, without it, in `folder`, where what is in passing on this machine always is.

    Below `min_free_bytes` of free disk there it takes no new documents.
    """

    folder: Path
    min_free_bytes: int = 0
    s3: S3Place | None = None


def parse_url(url: str) -> tuple[str, str]:
    """Bucket and prefix of s3://bucket/prefix. ValueError where it is no such URL."""
    found = _URL.fullmatch(url)
    if found is None or "/." in found["prefix"]:
        raise ValueError("must be empty or like s3://bucket or s3://bucket/prefix")
    return found["bucket"], found["prefix"].removeprefix("/") + "/" * bool(found["prefix"])
