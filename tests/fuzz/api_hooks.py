"""For schemathesis: files are documents. Bytes at random never are, and would be refused at the door."""

import os
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st
from schemathesis.transport.serialization import Binary

from recto.web.uploading.idempotent import IDEMPOTENCY_KEY

DOCUMENT_VARIABLE: Final = "FUZZ_DOCUMENT"
"""Names the file."""

if DOCUMENT_VARIABLE in os.environ:
    _document = Path(os.environ[DOCUMENT_VARIABLE]).read_bytes()
    schemathesis.openapi.media_type("application/octet-stream", st.just(_document))
    schemathesis.openapi.format("binary", st.just(Binary(_document)))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """With `filename` a form would be the document itself, and its fields no options.

    No generator knows what its body's digest is, nor that a key is for one document: the example's would be refused with every other one.
    """
    case.headers.pop("Content-Digest", None)
    if case.headers.get("Idempotency-Key") in IDEMPOTENCY_KEY.schema["examples"]:
        case.headers["Idempotency-Key"] = str(uuid4())
    if case.media_type == "multipart/form-data" and case.query:
        case.query.pop("filename", None)
