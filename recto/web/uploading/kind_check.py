"""What the page asks before it uploads a file: whether its beginning is that of a document that Recto reads."""

from http import HTTPStatus

from flask import Blueprint, request

from recto.errors import UploadUnsupported
from recto.ocr.media_types import ACCEPTED, SNIFF_BYTES, sniff, why_unsupported
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("kind_check", __name__)


@blueprint.post("/upload/kind")
@access(Access.WRITE)
def check_kind() -> tuple[str, int]:
    """204, or UploadUnsupported with what the file is instead. Takes its first bytes; more are not looked at."""
    head = request.stream.read(SNIFF_BYTES)
    if sniff(head) is None:
        raise UploadUnsupported(why_unsupported(head), accepted=sorted(ACCEPTED))
    return "", HTTPStatus.NO_CONTENT
