"""Links under which a client puts a document into the store itself."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response

from recto.errors import DirectUploadUnavailable, OptionInvalid, TooManyRequests, UploadTooLarge
from recto.web import answers
from recto.web.api import MOST_NUMBER, number
from recto.web.login import signed_in
from recto.web.openapi.described import Parameter, Reply, described
from recto.web.services import services
from recto.web.sign_in.authorisation import Access, access
from recto.web.uploading import answers as upload_answers
from recto.web.uploading.direct_uploads import offer_upload
from recto.web.uploading.uploads import document_too_large

blueprint = Blueprint("uploads", __name__, url_prefix="/api/v1")
_SIZE: Final = Parameter(
    "size_bytes",
    "Length of the document. The link takes no other",
    {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER, "examples": [48213]},
    is_required=True,
)


@blueprint.post("/uploads")
@access(Access.WRITE)
@described(
    Reply(201, "Where to put the document", (upload_answers.UploadOffer,)),
    problems=(DirectUploadUnavailable, UploadTooLarge, OptionInvalid, TooManyRequests),
    parameters=(_SIZE,),
)
def create_upload() -> Response:
    """Begin an upload straight to the store: PUT the document to the link, then submit it by `POST /api/v1/jobs?upload=…`."""
    size_bytes, most_bytes = number("size_bytes", 0, least=1), services().limits.max_upload_bytes
    if size_bytes > most_bytes:
        raise document_too_large(most_bytes)
    upload_id, url = offer_upload(signed_in().account.id, size_bytes)
    expires = datetime.now(UTC) + timedelta(seconds=services().limits.upload_lifetime_s)
    offer = upload_answers.UploadOffer(upload_id=upload_id, upload_url=url, expires=expires)
    return answers.answered(offer, HTTPStatus.CREATED)
