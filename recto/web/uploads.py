"""Receiving a document: streamed to the File Storage, judged by its content, recorded as a job by one commit."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, Final, cast
from uuid import uuid4

import gevent
from flask import Request, g, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from recto.errors import (
    FileNotFound,
    LanguageUnknown,
    OptionInvalid,
    StorageUnavailable,
    UploadEmpty,
    UploadTooLarge,
    UploadUnsupported,
)
from recto.file_storage.base import DOCUMENT, METADATA, IncomingFile
from recto.job_views import JobView, get_job
from recto.jobs import Submission
from recto.logs import get_logger
from recto.ocr.media_types import ACCEPTED, SNIFF_BYTES, sniff, why_unsupported
from recto.ocr.options import AUTO_LANGUAGE, Options, parse_options
from recto.web.database import Lane, in_thread, read, write
from recto.web.services import services
from recto.workers import installed_languages, list_workers

_log = get_logger(__name__)
FIELD: Final = "document"
_TAKES_DOCUMENTS: Final = frozenset({"api.create_job", "pages.upload"})
_INCOMING: Final = "incoming_files"
_NAME_PARAMETER: Final = "filename"
_CHUNK_BYTES: Final = 256 * 1024
_MAX_NAME_CHARACTERS: Final = 255


@dataclass(frozen=True, slots=True)
class Upload:
    """A received document that no job owns yet. `file_name` is the client's: something to show, never a path."""

    incoming: IncomingFile
    file_name: str


class RectoRequest(Request):
    """Form files go to the File Storage while they arrive, instead of to memory and then to disk again."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - werkzeug's signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        if self.endpoint not in _TAKES_DOCUMENTS:
            raise OptionInvalid("This form takes no files. Send documents to POST /api/v1/jobs.")
        return _new_incoming().file

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


def received() -> list[Upload]:
    """The documents of the current request: the form's `document` fields, or the raw body."""
    return _from_form() if _is_form() else [_from_body()]


def document_too_large(limit_bytes: int) -> UploadTooLarge:
    """The one answer for too large a document, whether its length was announced or found out."""
    return UploadTooLarge(
        f"The document is larger than the {limit_bytes:,} bytes that this Recto accepts. Split it, or scan at a lower resolution; "
        "an administrator can raise server.max_upload_bytes.",
        limit_bytes=limit_bytes,
    )


def discard_incoming(_error: BaseException | None = None) -> None:
    """At the end of every request, throw away what arrived and was not kept."""
    for incoming in g.pop(_INCOMING, {}).values():
        try:
            incoming.discard()
        except StorageUnavailable as error:
            _log.warning(
                "upload_left_to_sweeper", detail=error.detail
            )  # the answer is on its way, whatever the disk says


def given_options() -> Options:
    """The options beside the document: form fields and query parameters, checked, with this Recto's default languages."""
    if "password" in request.args:
        raise OptionInvalid(
            "A password in an address ends up in logs. Send it as a form field: curl -F password=… -F document=@…"
        )
    in_query: dict[str, Any] = {
        name: "+".join(values) for name, values in request.args.lists() if name != _NAME_PARAMETER
    }
    options = _parse(in_query)  # also where the form says otherwise: what is wrong is not passed over
    if _is_form():
        in_form = {name: "+".join(values) for name, values in request.form.lists() if name not in ("csrf_token", FIELD)}
        options = _parse(in_query | in_form)
    _check_languages(options)
    return options


def _parse(given: dict[str, Any]) -> Options:
    """An empty value is as one that is left out."""
    return parse_options(
        {"languages": services().default_languages} | {name: value for name, value in given.items() if value}
    )


def submit(upload: Upload, options: Options, user_id: int) -> JobView:
    """Keep the document, write its metadata, and make it visible as a QUEUED job by one commit."""
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
    submission = Submission(str(uuid4()), user_id, upload.file_name, media_type, size_bytes, options.stored())
    try:
        in_thread(partial(_store, upload.incoming, submission, options), Lane.DISK)
        # Read in the transaction that writes it: a refusal after the commit would have the client send an accepted document again.
        return write(_record, submission)
    except BaseException as error:
        in_thread(partial(services().storage.delete, submission.uuid), Lane.DISK)
        if isinstance(error, FileNotFound):
            raise StorageUnavailable(
                "The document was swept away while it was being recorded. Send it again; nothing of it is left."
            ) from error
        raise


def _store(incoming: IncomingFile, submission: Submission, options: Options) -> None:
    incoming.keep(submission.uuid, DOCUMENT)
    metadata = {
        "uuid": submission.uuid,
        "file_name": submission.file_name,
        "media_type": submission.media_type,
        "size_bytes": submission.size_bytes,
        "options": options.public(),
    }
    with services().storage.write(submission.uuid, METADATA) as file:
        file.write(json.dumps(metadata, ensure_ascii=False, indent=1).encode())


def _record(session: Session, submission: Submission) -> JobView:
    """Record the job, and see in the same transaction that its document was not taken for one left behind (recto/file_references.py)."""
    services().jobs.submit(session, submission)
    services().storage.size_bytes(submission.uuid, DOCUMENT)
    return get_job(session, submission.user_id, submission.uuid)


def _is_form() -> bool:
    """Only multipart carries files. `curl --data-binary` calls a raw body application/x-www-form-urlencoded."""
    return request.mimetype == "multipart/form-data" and _NAME_PARAMETER not in request.args


def _from_form() -> list[Upload]:
    files = [file for file in request.files.getlist(FIELD) if file.filename]
    if not files:
        raise UploadEmpty(
            f"The form has no file in its field '{FIELD}'. Send the document there: curl -F {FIELD}=@scan.pdf …"
        )
    incoming_files = g.get(_INCOMING, {})
    return [Upload(incoming_files[id(file.stream)], _shown_name(file.filename)) for file in files]


def _from_body() -> Upload:
    incoming = _new_incoming()
    while chunk := request.stream.read(_CHUNK_BYTES):
        in_thread(partial(incoming.file.write, chunk), Lane.DISK)  # other requests go on meanwhile
    return Upload(incoming, _shown_name(request.args.get(_NAME_PARAMETER)))


def _new_incoming() -> IncomingFile:
    incoming = services().storage.incoming()
    g.setdefault(_INCOMING, {})[id(incoming.file)] = incoming
    return incoming


def _shown_name(given: str | None) -> str:
    """The last part of a client's file name, without control characters."""
    name = PurePosixPath((given or "").replace("\\", "/")).name
    printable = "".join(character for character in name if character.isprintable())
    return printable[:_MAX_NAME_CHARACTERS] or "document"


def _check_languages(options: Options) -> None:
    """LanguageUnknown where Workers were seen and none has the language. Before any was seen, the job's own run decides."""
    installed = installed_languages(read(list_workers))
    missing = [language for language in options.languages if language not in (*installed, AUTO_LANGUAGE)]
    if installed and missing:
        raise LanguageUnknown(
            f"Language '{missing[0]}' is not installed. Installed are: {', '.join(installed)}. "
            "docs/languages.md says how to add one.",
            installed=list(installed),
        )
