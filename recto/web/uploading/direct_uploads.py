"""Documents that go straight to the store, past the Backend: what they are called there, and what arrived under a link."""

import re
from functools import partial
from typing import Final
from uuid import uuid4

from recto.errors import DirectUploadUnavailable, FileNotFound, UploadNotFound
from recto.file_storage.base import IncomingFile, upload_name
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread

_ID: Final = re.compile(r"[0-9a-f]{32}")


def offer_upload(user_id: int, size_bytes: int) -> tuple[str, str]:
    """A new id, and the URL under which the user puts a document of just that size. DirectUploadUnavailable."""
    upload_id = uuid4().hex
    name, lifetime_s = upload_name(user_id, upload_id), services().limits.upload_lifetime_s
    url = in_thread(partial(services().storage.offer, name, size_bytes, lifetime_s))
    if url is None:
        raise DirectUploadUnavailable(
            "The documents of this Recto lie in a folder, which takes none by itself. Send the document to POST /api/v1/jobs."
        )
    return upload_id, url


def arrived(user_id: int, upload_id: str) -> IncomingFile:
    """What the user has put there. UploadNotFound where it is not there, or is somebody else's: the name of a file has its user's id."""
    if _ID.fullmatch(upload_id):
        try:
            return in_thread(partial(services().storage.offered, upload_name(user_id, upload_id)), Lane.DISK)
        except FileNotFound as error:
            raise _not_found() from error
    raise _not_found()


def _not_found() -> UploadNotFound:
    return UploadNotFound(
        "Nothing has arrived under this upload, or it is a job already. PUT the document to its upload_url first, or begin another upload."
    )
