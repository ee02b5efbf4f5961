"""Receiving a document: streamed to the File Storage, judged by its content, recorded as a job by one commit."""

import hashlib
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Final, cast
from uuid import uuid4

import gevent
from flask import Request, g, request
from werkzeug.exceptions import BadRequest
from werkzeug.utils import cached_property

from recto.errors import (
    FileNotFound,
    OptionInvalid,
    StorageUnavailable,
    UploadEmpty,
    UploadTooLarge,
    UploadUnsupported,
)
from recto.file_storage.base import DOCUMENT, IncomingFile
from recto.jobs import Submission
from recto.logs import get_logger
from recto.ocr.media_types import ACCEPTED, SNIFF_BYTES, sniff, why_unsupported
from recto.ocr.options import Options
from recto.records.idempotency import KeyedRequest
from recto.views.jobs import JobView
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread
from recto.web.serving.request_ids import origin
from recto.web.uploading import content_digest
from recto.web.uploading.asked_options import (
    DOCUMENT_URL,
    FIELD,
    NAME_PARAMETER,
    UPLOAD,
    beside_document,
    decided_by,
    given_options,
    given_retention_s,
    given_tags,
    given_webhook,
    is_form,
    may_be_answered_from_earlier,
)
from recto.web.uploading.content_digest import DigestedStream, stated_digests
from recto.web.uploading.direct_uploads import arrived
from recto.web.uploading.fetching import fetch
from recto.web.uploading.idempotent import Key, Submitted, key_of_request, once
from recto.web.uploading.submissions import answered, make_job, to_be_read

_log = get_logger(__name__)
_TAKES_BATCHES: Final = "batches.create_batch"
_TAKES_DOCUMENTS: Final = frozenset(
    {"api.create_job", "ocr_api.read_document", "ocr_api.put_document", _TAKES_BATCHES, "pages.upload"}
)
_INCOMING: Final = "incoming_files"
FORM_FIELDS_BYTES: Final = 512 * 1024
"""Of what a form adds around the documents. Werkzeug also holds one chunk of a file against it."""
_CHUNK_BYTES: Final = 256 * 1024
_SMALL_BYTES: Final = 128 * 1024
"""Digested and written in 0.2 ms, less than a thread would take to be asked."""
MOST_NAME_CHARACTERS: Final = 255


@dataclass(frozen=True, slots=True)
class Upload:
    """A received document that no job owns yet. `file_name` is the client's: something to show, never a path."""

    incoming: IncomingFile
    file_name: str
    sha256: str | None
    """None of one that went straight to the store: nobody has read the whole of it."""


class RectoRequest(Request):
    """Form files go to the File Storage while they arrive, instead of to memory and then to disk again."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, held against its Content-Digest where the client sends one."""
        body = super().stream
        stated = stated_digests(self.headers.get(content_digest.HEADER, ""))
        return cast(IO[bytes], DigestedStream(body, stated)) if stated else body

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - werkzeug's signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        if self.endpoint not in _TAKES_DOCUMENTS:
            raise OptionInvalid("This form takes no files. Send documents to POST /api/v1/jobs.")
        most = services().limits.max_batch_documents
        if self.endpoint == _TAKES_BATCHES and len(g.get(_INCOMING, ())) >= most:
            raise UploadTooLarge(
                f"A batch takes at most {most:,} documents. Send them in several batches.", limit_documents=most
            )
        return cast(IO[bytes], _FormFile(_new_incoming()))

    def _load_form_data(self) -> None:
        super()._load_form_data()
        names: set[str | None] = {*self.form, *self.files}
        if None in names:  # RFC 7578, section 4.2, wants one for every part; who reads the form expects it
            raise BadRequest

    def _get_stream_for_parsing(self) -> IO[bytes]:
        return cast(IO[bytes], _PoliteStream(super()._get_stream_for_parsing()))


class _PoliteStream:
    """A form that lets other requests in between two reads: gevent switches only where a socket has to be waited for.

    Measured with 180 MB over loopback: another request waited for 840 ms without it, for 24 ms with it.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """See io.RawIOBase.read."""
        gevent.sleep(0)
        return self._stream.read(size)


class _FormFile:
    """A document that a form's parser writes, 64 KiB at a time: each is digested in 0.1 ms, less than a thread would take to be asked."""

    def __init__(self, incoming: IncomingFile) -> None:
        self.incoming = incoming
        self.sha256 = hashlib.sha256()

    def write(self, chunk: bytes) -> int:
        """See io.RawIOBase.write."""
        self.sha256.update(chunk)
        return self.incoming.file.write(chunk)

    def seek(self, offset: int, whence: int = 0) -> int:
        """See io.IOBase.seek."""
        return self.incoming.file.seek(offset, whence)

    def close(self) -> None:
        """See io.IOBase.close."""
        self.incoming.file.close()


def received() -> list[Upload]:
    """The documents of the current request: the form's `document` fields, or the raw body, or what lies at `document_url`."""
    url = beside_document(DOCUMENT_URL)
    if url:
        return [_from_url(url)]
    return _from_form() if is_form() else [_from_body()]


def received_several() -> list[Upload]:
    """The documents of a form. UploadEmpty where the request is none."""
    if not is_form():
        raise UploadEmpty(
            f"A batch is a form, with each file in a field '{FIELD}' of its own: curl -F {FIELD}=@one.pdf -F {FIELD}=@two.pdf …"
        )
    for elsewhere in (DOCUMENT_URL, UPLOAD):
        if beside_document(elsewhere):
            raise OptionInvalid(
                f"A batch takes files, and no '{elsewhere}'. Submit that document by itself: POST /api/v1/jobs."
            )
    return _from_form()


def allow_batches() -> None:
    """Before a request is handled: a batch may be longer than one document."""
    if request.endpoint == _TAKES_BATCHES:
        request.max_content_length = services().limits.max_batch_bytes + FORM_FIELDS_BYTES


def body_too_large() -> UploadTooLarge:
    """Of the current request."""
    limits = services().limits
    if request.endpoint != _TAKES_BATCHES:
        return document_too_large(limits.max_upload_bytes)
    return UploadTooLarge(
        f"The documents are larger together than the {limits.max_batch_bytes:,} bytes that this Recto accepts in a batch. Send them in several.",
        limit_bytes=limits.max_batch_bytes,
    )


def document_too_large(limit_bytes: int) -> UploadTooLarge:
    """The one answer for too large a document, whether its length was announced or found out."""
    return UploadTooLarge(
        f"The document is larger than the {limit_bytes:,} bytes that this Recto accepts. Split it, or scan at a lower resolution; "
        "an administrator can raise server.max_upload_bytes.",
        limit_bytes=limit_bytes,
    )


def discard_incoming(_error: BaseException | None = None) -> None:
    """At the end of every request, throw away what arrived and was not kept."""
    with ExitStack() as stack:  # whatever becomes of one, the others are let go
        for incoming in g.pop(_INCOMING, []):
            stack.callback(_discard, incoming)


def _discard(incoming: IncomingFile) -> None:
    try:
        incoming.discard()
    except StorageUnavailable as error:
        _log.warning("upload_left_to_sweeper", detail=error.detail)  # the answer is on its way, whatever the disk says


def submit_one(user_id: int, formats: str = "", others: Collection[str] = ()) -> Submitted:
    """The job of the current request's one document, which its Idempotency-Key may have made already.

    It writes those `formats` at once where the request names none; `others` are names in the query that are no options.
    """
    with key_of_request(user_id) as key:
        if upload_id := beside_document(UPLOAD):
            return _submit_arrived(user_id, upload_id, key, given_options(formats, others))
        uploads = received()
        if len(uploads) > 1:
            raise OptionInvalid("Send one document in a request; each becomes a job of its own.")
        upload, options, may_be_answered = uploads[0], given_options(formats, others), may_be_answered_from_earlier()
        keyed = key.with_content(upload.sha256, decided_by(options, given_webhook())) if key else None
        return once(keyed, lambda: submit(upload, options, user_id, may_be_answered=may_be_answered, keyed=keyed))


def _submit_arrived(user_id: int, upload_id: str, key: Key | None, options: Options) -> Submitted:
    """The job of what the user has put into the store. It stays there until the job is recorded."""
    if beside_document(DOCUMENT_URL) or (request.files.getlist(FIELD) if is_form() else request.stream.read(1)):
        raise OptionInvalid(f"Send a document, or name one in '{UPLOAD}' that is in the store already; not both.")
    may_be_answered, name = may_be_answered_from_earlier(), shown_name(request.args.get(NAME_PARAMETER))

    def make() -> JobView:
        incoming = arrived(user_id, upload_id)
        upload = Upload(incoming, name, None)
        job = submit(upload, options, user_id, may_be_answered=may_be_answered, keyed=keyed)
        _discard_at_end(incoming)
        return job

    keyed = key.with_content(upload_id, decided_by(options, given_webhook())) if key else None
    return once(keyed, make)


def submit(
    upload: Upload, options: Options, user_id: int, *, may_be_answered: bool, keyed: KeyedRequest | None = None
) -> JobView:
    """Keep the document, write its metadata, and make it visible as a QUEUED job, with the tags beside it, by one commit, under its key where it has one.

    Where it `may_be_answered`, and the user has the result of the same document with the same options, the job ends at once with that.
    """
    submission = judged(upload, options, user_id)
    if may_be_answered and (job := answered(submission, options, keyed)):
        return job
    keep = partial(upload.incoming.keep, submission.uuid, DOCUMENT)
    try:
        return make_job(to_be_read(submission, options, keep), keyed)
    except FileNotFound as error:
        raise StorageUnavailable(
            "The document was swept away while it was being recorded. Send it again; nothing of it is left."
        ) from error


def judged(upload: Upload, options: Options, user_id: int) -> Submission:
    """What is to be recorded of the document, by its size and its content. UploadTooLarge, UploadEmpty, UploadUnsupported."""
    file = upload.incoming.file
    size_bytes = file.seek(0, 2)
    if (
        size_bytes > services().limits.max_upload_bytes
    ):  # the body may be longer, by what a form adds around the document
        raise document_too_large(services().limits.max_upload_bytes)
    if not size_bytes:
        raise UploadEmpty(
            "The document is empty. Check the file, it may not have been saved completely, and send it again."
        )
    file.seek(0)
    head = file.read(SNIFF_BYTES)
    media_type = sniff(head)
    if media_type is None:
        raise UploadUnsupported(why_unsupported(head), accepted=sorted(ACCEPTED))
    return Submission(
        uuid=str(uuid4()),
        user_id=user_id,
        file_name=upload.file_name,
        media_type=media_type,
        size_bytes=size_bytes,
        options=options.stored(),
        content_sha256=upload.sha256,
        tags=given_tags(),
        retention_s=given_retention_s(),
        webhook_url=given_webhook(),
        **origin(),
    )


def _from_form() -> list[Upload]:
    files = [file for file in request.files.getlist(FIELD) if file.filename]
    if not files:
        raise UploadEmpty(
            f"The form has no file in its field '{FIELD}'. Send the document there: curl -F {FIELD}=@scan.pdf …"
        )
    streams = [(cast(_FormFile, file.stream), file.filename) for file in files]
    return [Upload(stream.incoming, shown_name(name), stream.sha256.hexdigest()) for stream, name in streams]


def _from_body() -> Upload:
    incoming, sha256 = _new_incoming(), hashlib.sha256()

    def take(chunk: bytes) -> None:
        incoming.file.write(chunk)
        sha256.update(chunk)

    while chunk := request.stream.read(_CHUNK_BYTES):
        if len(chunk) <= _SMALL_BYTES:
            take(chunk)
        else:
            in_thread(partial(take, chunk), Lane.DISK)  # other requests go on meanwhile
    return Upload(incoming, shown_name(request.args.get(NAME_PARAMETER)), sha256.hexdigest())


def _from_url(url: str) -> Upload:
    if request.files.getlist(FIELD) if is_form() else request.stream.read(1):
        raise OptionInvalid(f"Send the document or its address in '{DOCUMENT_URL}', not both.")
    incoming, sha256, limit_bytes = _new_incoming(), hashlib.sha256(), services().limits.max_upload_bytes

    def take(chunk: bytes) -> None:
        if incoming.file.tell() + len(chunk) > limit_bytes:
            raise document_too_large(limit_bytes)
        incoming.file.write(chunk)
        sha256.update(chunk)

    name = fetch(url, lambda chunk: in_thread(partial(take, chunk), Lane.DISK))
    return Upload(incoming, shown_name(request.args.get(NAME_PARAMETER) or name), sha256.hexdigest())


def _new_incoming() -> IncomingFile:
    incoming = services().storage.incoming()
    _discard_at_end(incoming)
    return incoming


def _discard_at_end(incoming: IncomingFile) -> None:
    g.setdefault(_INCOMING, []).append(incoming)


def shown_name(given: str | None) -> str:
    """The last part of a client's file name, without control characters."""
    name = PurePosixPath((given or "").replace("\\", "/")).name
    printable = "".join(character for character in name if character.isprintable())
    return printable[:MOST_NAME_CHARACTERS] or "document"
