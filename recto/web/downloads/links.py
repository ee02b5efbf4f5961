"""Short-lived signed links to result files: they work without signing in, because clients drop the header on a redirect."""

from typing import Final

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from recto.errors import FileNotFound
from recto.ocr.options import RESULT_FORMATS, ResultFormat
from recto.views.jobs import JobView

_SALT: Final = "result-link"


class LinkSigner:
    """Signs and checks links with the Backend's secret. A link is bound to one file of one job."""

    def __init__(self, secret_key: bytes) -> None:
        self._serializer = URLSafeTimedSerializer(secret_key, salt=_SALT)

    def sign(self, uuid: str, name: str) -> str:
        """The signature to put into the link's query."""
        return str(self._serializer.dumps([uuid, name]))

    def check(self, signature: str, uuid: str, lifetime_s: int) -> str:
        """The name of the file that the signature is for; FileNotFound where it is wrong, too old, or for another job."""
        try:
            signed_uuid, name = self._serializer.loads(signature, max_age=lifetime_s)
        except SignatureExpired as error:
            raise FileNotFound("This link has expired. Ask for the result again to get a new one.") from error
        except BadSignature as error:
            raise FileNotFound("This link is not valid. Ask for the result again to get a new one.") from error
        if signed_uuid != uuid:
            raise FileNotFound("This link belongs to another job. Ask for the result again to get a new one.")
        return str(name)


def download_name(job: JobView, result_format: ResultFormat) -> str:
    """What the client's file is called: letter.pdf becomes letter.txt."""
    stem = job.file_name.rsplit(".", 1)[0] or job.file_name
    return f"{stem}{RESULT_FORMATS[result_format].suffix}"
