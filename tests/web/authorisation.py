"""Who is answered what: every address of the URL map, every kind of caller, and the status that follows from what the view states.

`python -m tests.web.authorisation` prints the table of docs/authorisation.md; test_every_address.py asks for every cell of it.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from flask import Flask

from app import create_app
from recto.accounts import DEFAULT_SCOPES, Scope
from recto.settings import load_settings
from recto.web.sign_in.authorisation import Access, stated_access

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Caller(Enum):
    """Those who knock. The owner is no administrator; the others are not the owner."""

    NOBODY = "nobody"
    EXPIRED = "token: expired"
    REVOKED = "token: revoked"
    NARROW = "token: scope too small"
    OTHER = "token: another user"
    ADMIN_TOKEN = "token: an admin, `admin` alone"
    ADMIN = "session: an admin"
    FORGED = "session: owner, no CSRF token"
    SESSION = "session: owner"
    TOKEN = "token: owner"


UNKNOWN: Final = frozenset({Caller.NOBODY, Caller.EXPIRED, Caller.REVOKED})
BY_SESSION: Final = frozenset({Caller.ADMIN, Caller.FORGED, Caller.SESSION})

LET_IN: Final = {
    "GET /static/<path:filename>": 200,
    "GET /docs": 200,
    "GET /openapi.json": 200,
    "GET /healthz": 200,
    "GET /readyz": 200,
    "GET /metrics": 200,
    "GET /sign-in": 200,
    "POST /sign-in": 401,  # with no password
    "GET /sign-in/provider": 403,  # where there is none
    "GET /sign-in/provider/callback": 403,
    "POST /sign-out": 302,
    "GET /": 200,
    "POST /upload": 302,
    "POST /upload/kind": 415,  # of no document
    "GET /account": 200,
    "POST /account/password": 422,  # with no password
    "POST /account/tokens": 201,
    "POST /account/tokens/<int(max=9223372036854775807):token_id>/revoke": 302,
    "GET /jobs/<uuid:uuid>": 200,
    "GET /jobs/<uuid:uuid>/result/<result_format>": 302,
    "GET /jobs/<uuid:uuid>/pages/<int:number>/<stage>": 302,
    "POST /jobs/<uuid:uuid>/cancel": 302,
    "POST /jobs/<uuid:uuid>/read-again": 302,
    "POST /jobs/<uuid:uuid>/read-page": 302,
    "POST /jobs/<uuid:uuid>/use-page": 302,  # with nothing to use it for
    "POST /jobs/<uuid:uuid>/tags": 302,
    "POST /jobs/<uuid:uuid>/delete": 302,
    "POST /language": 302,
    "GET /search": 200,
    "POST /selection/download": 302,  # with nothing ticked
    "POST /selection/delete": 302,  # with nothing ticked
    "GET /api/v1/search": 422,  # with no words
    "GET /api/v1/jobs": 200,
    "POST /api/v1/jobs": 202,
    "POST /api/v1/uploads": 422,  # with no size
    "GET /api/v1/jobs/<uuid:uuid>": 200,
    "PATCH /api/v1/jobs/<uuid:uuid>": 422,  # with no change
    "DELETE /api/v1/jobs/<uuid:uuid>": 204,
    "POST /api/v1/jobs/<uuid:uuid>/cancel": 200,
    "POST /api/v1/jobs/<uuid:uuid>/retry": 202,
    "GET /api/v1/jobs/<uuid:uuid>/result": 302,
    "GET /api/v1/jobs/<uuid:uuid>/files/<file_name>": 200,
    "GET /api/v1/jobs/<uuid:uuid>/pages": 200,
    "GET /api/v1/jobs/<uuid:uuid>/pages/<int:number>": 200,
    "GET /api/v1/jobs/<uuid:uuid>/pages/<int:number>/corrections": 200,
    "POST /api/v1/jobs/<uuid:uuid>/pages/<int:number>/corrections": 422,  # with no correction
    "DELETE /api/v1/jobs/<uuid:uuid>/pages/<int:number>/corrections/<int:correction>": 200,
    "GET /api/v1/jobs/<uuid:uuid>/pages/<int:number>/image": 200,
    "GET /api/v1/jobs/<uuid:uuid>/events": 200,
    "GET /api/v1/jobs/<uuid:uuid>/stream": 426,  # without a handshake
    "GET /api/v1/events": 200,
    "GET /api/v1/stream": 426,
    "POST /api/v1/batches": 202,
    "GET /api/v1/batches/<uuid:uuid>": 200,
    "GET /api/v1/batches/<uuid:uuid>/result": 200,
    "POST /api/v1/batches/<uuid:uuid>/cancel": 200,
    "DELETE /api/v1/batches/<uuid:uuid>": 204,
    "POST /api/v1/ocr": 202,
    "PUT /api/v1/ocr": 202,
    "GET /api/v1/jobs/<uuid:uuid>/webhook-deliveries": 200,
    "POST /api/v1/jobs/<uuid:uuid>/webhook-deliveries/<delivery_id>/resend": 202,
    "GET /api/v1/webhook": 200,
    "PUT /api/v1/webhook": 200,
    "DELETE /api/v1/webhook": 204,
    "POST /api/v1/webhook/secret": 200,
    "GET /api/v1/languages": 200,
    "GET /api/v1/limits": 200,
    "GET /api/v1/options": 200,
    "GET /api/v1/token": 200,
    "DELETE /api/v1/token": 204,
    "GET /api/v1/audit": 200,
    "GET /api/v1/account": 200,
    "GET /api/v1/admin/users": 200,
    "POST /api/v1/admin/users": 422,  # with no user
    "PATCH /api/v1/admin/users/<int(max=9223372036854775807):user_id>": 422,  # with no change
    "GET /api/v1/admin/queue": 200,
    "GET /api/v1/admin/workers": 200,
    "GET /api/v1/admin/throughput": 200,
    "POST /account/sessions/<session_id>/end": 404,  # of nobody
    "GET /admin": 200,
    "GET /admin/users": 200,
    "POST /admin/users": 422,  # with no name
    "POST /admin/users/<int(max=9223372036854775807):user_id>/password": 404,  # of nobody
    "POST /admin/users/<int(max=9223372036854775807):user_id>/disabled": 404,
    "POST /admin/users/<int(max=9223372036854775807):user_id>/enabled": 404,
    "POST /admin/users/<int(max=9223372036854775807):user_id>/limits": 404,
    "GET /admin/audit": 200,
    "GET /api/v1/admin/storage": 200,
}
"""What each address answers to whom it lets in. A new address needs its line here."""


ENDLESS: Final = frozenset({"/api/v1/events"})
"""Answers that go on for as long as somebody listens: not to be read to their ends."""


@dataclass(frozen=True)
class Address:
    """One method of one rule of the URL map, and what its view says of who may call it."""

    method: str
    rule: str
    needed: Access

    @property
    def name(self) -> str:
        """As LET_IN has it."""
        return f"{self.method} {self.rule}"

    @property
    def let_in(self) -> int:
        """The status for whom the view lets in. HEAD answers as GET does."""
        return LET_IN[self.name.replace("HEAD", "GET")]


def addresses(app: Flask) -> Iterator[Address]:
    """All there are."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.websocket:
            continue  # the same address and view again, for handshakes (recto/web/live.py)
        needed = stated_access(app.view_functions[rule.endpoint])
        assert needed is not None, rule
        for method in sorted(rule.methods or ()):
            yield Address(method, rule.rule, needed)


def expected_status(address: Address, caller: Caller) -> int:
    """What follows from the statement."""
    if address.method == "OPTIONS":
        return 200
    if address.rule == "/sign-in":
        return _expected_at_sign_in(address, caller)
    if address.needed in (Access.ANYBODY, Access.LINK):
        return 403 if caller is Caller.FORGED and address.method not in SAFE else address.let_in
    if caller in UNKNOWN:
        return 401
    if not _suffices(caller, address.needed):
        return 403
    if caller is Caller.FORGED and address.method not in SAFE:
        return 403
    is_of_another = caller in (Caller.OTHER, Caller.ADMIN) and (
        "<uuid:" in address.rule or ":token_id>" in address.rule
    )
    is_no_token = address.rule == "/api/v1/token" and caller in BY_SESSION
    if is_of_another or is_no_token:
        return 404
    return address.let_in


def _expected_at_sign_in(address: Address, caller: Caller) -> int:
    """The form is for anybody who got it from the page; who is signed in is led on."""
    if address.method in SAFE:
        return address.let_in if caller in UNKNOWN else 302
    return address.let_in if caller in (Caller.ADMIN, Caller.SESSION) else 403


def _suffices(caller: Caller, needed: Access) -> bool:
    if needed is Access.PERSON:
        return caller in BY_SESSION
    if needed is Access.ADMIN_PERSON:
        return caller is Caller.ADMIN
    return needed.is_met_by(scopes(caller, needed))


def scopes(caller: Caller, needed: Access) -> frozenset[Scope]:
    """What a caller who is known may do. Too small is: the wrong one of the two that programs have."""
    match caller:
        case Caller.NARROW:
            return frozenset({Scope.JOBS_WRITE if needed is Access.READ else Scope.JOBS_READ})
        case Caller.ADMIN_TOKEN:
            return frozenset({Scope.ADMIN})
        case Caller.ADMIN:
            return frozenset(Scope)
        case _:
            return frozenset(DEFAULT_SCOPES)


def matrix(app: Flask) -> Iterator[str]:
    """The lines of a Markdown table: a row for each address, a column for each caller."""
    yield "| " + " | ".join(["request", "for", *(caller.value for caller in Caller)]) + " |"
    yield "|---" * (2 + len(Caller)) + "|"
    for address in addresses(app):
        if address.method not in ("HEAD", "OPTIONS"):
            statuses = [str(expected_status(address, caller)) for caller in Caller]
            yield "| " + " | ".join([f"`{shown(address)}`", address.needed.value, *statuses]) + " |"


def shown(address: Address) -> str:
    """The address as docs/api.md writes it."""
    names = {"number": "n", "filename": "name", "file_name": "name", "result_format": "format"}
    names |= dict.fromkeys(("token_id", "delivery_id", "correction", "user_id", "session_id"), "id")
    return re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda found: f"{{{names.get(found[1], found[1])}}}", address.name)


def main() -> None:
    """Print the table."""
    with TemporaryDirectory() as folder:
        environ = {"RECTO_FILE_STORAGE_PATH": str(Path(folder)), "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0"}
        sys.stdout.writelines(f"{line}\n" for line in matrix(create_app(load_settings(environ))))


if __name__ == "__main__":
    main()
