"""The connection to an object store that speaks S3, and what it says in the errors that FileStorage promises. The only module that knows boto3."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from recto.errors import FileNotFound, RectoError, StorageFull, StorageUnavailable
from recto.file_storage.disk_errors import no_file
from recto.storage_setup import S3Place

_DEFAULT_REGION: Final = "us-east-1"
"""What stores that know no regions take for signatures."""
_CONNECT_TIMEOUT_S: Final = 5.0
_TRIES: Final = 4
_CONNECTIONS: Final = 64
_NOT_THERE: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_REFUSED: Final = frozenset(
    {"401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
)
_ELSEWHERE: Final = frozenset(
    {"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
_FULL: Final = frozenset({"507", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded"})
_NOT_KNOWN: Final = frozenset({"501", "NotImplemented"})
_CONDITION_FAILED: Final = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})


class S3Clients:
    """Makes boto3's clients of a store, and keeps them.

    `context` says which of them the caller may use: a client's open connections belong to gevent's hub of the thread that opened them, and
    another thread must not wait for them. So the Backend gives each hub its own. Without gevent, all threads share one.
    """

    def __init__(self, place: S3Place, context: Callable[[], object] | None = None) -> None:
        self._place = place
        self._context = context or (lambda: self)
        self._clients: WeakKeyDictionary[object, Any] = WeakKeyDictionary()
        self._signer: Any = None

    def own(self) -> Any:
        """The client of this context."""
        context = self._context()
        client = self._clients.get(context)
        if client is None:
            client = self._clients[context] = _make_client(self._place, self._place.endpoint_url)
        return client

    def signer(self) -> Any:
        """The client that signs links for others, who may know the store by another name. It makes no request."""
        if self._signer is None:
            self._signer = _make_client(self._place, self._place.public_url or self._place.endpoint_url)
        return self._signer


def _make_client(place: S3Place, endpoint_url: str) -> Any:
    """A session of its own for each: the connections by which it gets credentials are bound to a hub as well."""
    session = boto3.session.Session(
        aws_access_key_id=place.access_key_id or None,
        aws_secret_access_key=place.secret_access_key or None,
        region_name=place.region or None,
    )
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if place.path_style else "virtual"},
        retries={"mode": "standard", "total_max_attempts": _TRIES},
        connect_timeout=min(_CONNECT_TIMEOUT_S, place.timeout_s),
        read_timeout=place.timeout_s,
        max_pool_connections=_CONNECTIONS,
        # Stores other than Amazon's know Content-MD5, which Recto sends, but not all of the checksums of 2024.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    region = session.region_name or _DEFAULT_REGION
    return session.client("s3", region_name=region, endpoint_url=endpoint_url or None, config=config)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """FileNotFound, StorageFull, StorageUnavailable. `name` is the file's that is asked for.

    No address of the store stands in a message: it may end up with somebody who is not signed in.
    """
    try:
        yield
    except RectoError:
        raise
    except ClientError as error:
        raise _said(error, name) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        raise StorageUnavailable(
            "There are no credentials for the object store. Set RECTO_FILE_STORAGE_ACCESS_KEY_ID and "
            "RECTO_FILE_STORAGE_SECRET_ACCESS_KEY, or give them in one of the ways that boto3 knows."
        ) from error
    except BotoCoreError as error:
        raise StorageUnavailable(
            f"The object store cannot be reached ({type(error).__name__}). "
            "Check that it runs, and file_storage.endpoint_url; nothing was changed."
        ) from error


def is_condition_failed(error: ClientError) -> bool:
    """Whether a conditional request met something else than it named."""
    return _code(error) in _CONDITION_FAILED


def is_no_upload(error: ClientError) -> bool:
    """Whether what was being written in parts is finished, or was given up."""
    return _code(error) == "NoSuchUpload"


def is_not_known(error: ClientError) -> bool:
    """Whether the store does not have what it was asked for."""
    return _code(error) in _NOT_KNOWN


def is_out_of_range(error: ClientError) -> bool:
    """Whether the range that was asked for lies beyond the end."""
    return _code(error) in {"416", "InvalidRange"}


def _said(error: ClientError, name: str) -> FileNotFound | StorageFull | StorageUnavailable:
    code = _code(error)
    if code in _NOT_THERE:
        return no_file(name)
    if code in _FULL:
        return StorageFull(
            f"The object store is full ({code}). Delete jobs that are no longer needed, or give it more room, and send the document again."
        )
    return StorageUnavailable(_what_to_do(code))


def _what_to_do(code: str) -> str:
    if code == "NoSuchBucket":
        return "The bucket of file_storage.url is not there. Create it, or correct the setting."
    if code in _REFUSED:
        return (
            f"The object store refuses Recto's credentials ({code}). Check them, and that they may list, read, write and delete in the bucket "
            "of file_storage.url."
        )
    if code in _ELSEWHERE:
        return f"The bucket of file_storage.url is in another region ({code}). Set file_storage.region to the bucket's."
    if code == "RequestTimeTooSkewed":
        return "The clock of this machine is not the object store's. Set both by NTP."
    return f"The object store does not do what it was asked for ({code}). Try again, and look into its log."


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
