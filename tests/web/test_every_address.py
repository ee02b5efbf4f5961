"""Every rule of the application as nobody, as another user, and as the owner. A new address needs its line here."""

from typing import NamedTuple

import pytest
from flask import Flask

from tests.web.clients import PDF, Program
from tests.web.hand_worker import HandWorker


class Expected(NamedTuple):
    """Status for nobody, for another user, and for the owner of a finished job."""

    nobody: int
    other: int
    owner: int


EXPECTED = {
    "GET /static/<path:filename>": Expected(404, 404, 404),
    "GET /healthz": Expected(200, 200, 200),
    "GET /readyz": Expected(200, 200, 200),
    "GET /sign-in": Expected(200, 302, 302),
    "POST /sign-in": Expected(403, 403, 403),
    "POST /sign-out": Expected(401, 302, 302),
    "GET /": Expected(401, 200, 200),
    "POST /upload": Expected(401, 302, 302),
    "GET /account": Expected(401, 403, 403),
    "POST /account/password": Expected(401, 403, 403),  # for people: a token is not enough
    "POST /account/tokens": Expected(401, 403, 403),
    "POST /account/tokens/<int(max=9223372036854775807):token_id>/revoke": Expected(401, 403, 403),
    "GET /jobs/<uuid:uuid>": Expected(401, 404, 200),
    "GET /jobs/<uuid:uuid>/result/<result_format>": Expected(401, 404, 302),
    "GET /jobs/<uuid:uuid>/pages/<int:number>/<stage>": Expected(401, 404, 404),  # no page was read by hand
    "POST /jobs/<uuid:uuid>/delete": Expected(401, 404, 302),
    "GET /api/v1/jobs": Expected(401, 200, 200),
    "POST /api/v1/jobs": Expected(401, 202, 202),
    "GET /api/v1/jobs/<uuid:uuid>": Expected(401, 404, 200),
    "DELETE /api/v1/jobs/<uuid:uuid>": Expected(401, 404, 204),
    "GET /api/v1/jobs/<uuid:uuid>/result": Expected(401, 404, 302),
    "GET /api/v1/jobs/<uuid:uuid>/files/<file_name>": Expected(404, 404, 404),  # only the signature counts
    "GET /api/v1/jobs/<uuid:uuid>/pages/<int:number>/image": Expected(401, 404, 404),
    "GET /api/v1/languages": Expected(401, 200, 200),
    "GET /api/v1/token": Expected(401, 200, 200),
    "DELETE /api/v1/token": Expected(401, 204, 204),
    "GET /api/v1/audit": Expected(401, 403, 403),  # tokens of the scope admin alone
}


def rules(app: Flask) -> set[str]:
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_address_has_its_expected_answers(app: Flask) -> None:
    assert rules(app) == set(EXPECTED)


@pytest.mark.parametrize("rule", EXPECTED)
def test_address_answers_nobody_others_and_the_owner_as_expected(
    program: Program, other_program: Program, anybody: Program, worker: HandWorker, rule: str
) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    method, _, path = rule.partition(" ")
    for marker, value in {
        "<uuid:uuid>": uuid,
        "<int(max=9223372036854775807):token_id>": "1",
        "<file_name>": "result.txt",
        "<result_format>": "txt",
        "<int:number>": "1",
        "<stage>": "original",
        "<path:filename>": "../app.py",
    }.items():
        path = path.replace(marker, value)
    content = PDF if method == "POST" and path in ("/api/v1/jobs", "/upload") else None
    statuses = [client.request(method, path, data=content).status_code for client in (anybody, other_program, program)]
    assert Expected(*statuses) == EXPECTED[rule]
