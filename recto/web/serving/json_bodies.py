"""JSON that a request brings, held against its type."""

from typing import Final, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from recto.errors import OptionInvalid, UploadTooLarge

_MOST_BYTES: Final = 64 * 1024
_Body = TypeVar("_Body", bound=BaseModel)


def json_body(kind: type[_Body], what_to_send: str) -> _Body:
    """The body of the request; OptionInvalid, which ends with `what_to_send`, where it is none of that kind. UploadTooLarge above 64 KiB."""
    content = request.stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise UploadTooLarge(f"A change has at most {_MOST_BYTES:,} bytes. {what_to_send}")
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = "".join(f"'{part}': " for part in first["loc"][:1])
        raise OptionInvalid(f"{where}{first['msg']}. {what_to_send}") from error
