"""Every address of the URL map, by every method, as everybody: the answer has to be the one that follows from what the view states."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from models import ApiToken
from recto import accounts
from recto.accounts import DEFAULT_SCOPES, Scope
from recto.database.connections import Begin, transaction
from recto.web.sign_in.authorisation import Access, access
from recto.web.sign_in.authorisation_check import install_authorisation_check
from tests.ocr.writers.made_pages import block, line
from tests.web.authorisation import (
    BY_SESSION,
    ENDLESS,
    LET_IN,
    SAFE,
    Address,
    Caller,
    addresses,
    expected_status,
    matrix,
    scopes,
)
from tests.web.clients import PDF, Browser, Program, problem
from tests.web.conftest import Known, MakeApp, add_user
from tests.web.hand_worker import HandWorker

DOCS = Path(__file__).resolve().parents[2] / "docs" / "authorisation.md"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Without the rates: some call here more often than anybody should. And nobody waits for long. Without what programs on this machine may do: these are some."""
    return make_app(
        RECTO_LIMITS_SIGN_INS_PER_MINUTE="0",
        RECTO_LIMITS_TOKENS_PER_HOUR="0",
        RECTO_LIMITS_UPLOADS_PER_MINUTE="0",
        RECTO_SERVER_MAX_WAIT_S="0.1",
        RECTO_METRICS_LOOPBACK="false",
    )


P = ParamSpec("P")
T = TypeVar("T")


_BODIES = {
    "POST /upload": PDF,
    "POST /api/v1/jobs": PDF,
    "POST /api/v1/ocr": PDF,
    "PUT /api/v1/ocr": PDF,
    "PUT /api/v1/webhook": b'{"url": "https://hooks.example.com/"}',
}


class Door:
    """Everybody who knocks, and what they come for: a finished job and a token of the owner's."""

    def __init__(self, app: Flask, worker: HandWorker) -> None:
        self._app, self._worker = app, worker
        self._owner = add_user(app, "owner")
        self._others = {Caller.OTHER: add_user(app, "other"), Caller.ADMIN_TOKEN: add_user(app, "admin", is_admin=True)}
        self._by_owner = Program(app, self._owner.token)
        self._paths, self._is_touched = self._made_anew(), False

    def knock(self, address: Address, caller: Caller) -> int:
        """The status of the answer. What an earlier request may have changed is made anew first."""
        if self._is_touched:
            self._paths = self._made_anew()
        self._is_touched = address.method not in SAFE
        path = self._paths.get(address.rule, address.rule)
        is_short = address.rule not in ENDLESS
        content: Any = _BODIES.get(f"{address.method} {address.rule}")
        if address.name == "POST /api/v1/batches":
            content = {"document": (io.BytesIO(PDF), "scan.pdf")}
        if caller in BY_SESSION:
            browser = self._browser(caller)
            headers = {} if caller is Caller.FORGED else {"X-CSRFToken": browser.csrf_token}
            answer = browser.client.open(path, method=address.method, data=content, headers=headers, buffered=is_short)
        else:
            answer = self._program(caller, address).request(address.method, path, data=content, buffered=is_short)
        answer.close()
        return answer.status_code

    def _browser(self, caller: Caller) -> Browser:
        browser = Browser(self._app)
        assert browser.sign_in("admin" if caller is Caller.ADMIN else "owner").status_code == 302
        return browser

    def _program(self, caller: Caller, address: Address) -> Program:
        """With a token of its own, as it may be the last time that it works."""
        if caller is Caller.NOBODY:
            return Program(self._app)
        user = self._others.get(caller, self._owner)
        token, number = self._new_token(user, scopes(caller, address.needed))
        if caller is Caller.REVOKED:
            self._do(accounts.revoke_token, user.id, number)
        if caller is Caller.EXPIRED:
            self._do(_expire, number)
        return Program(self._app, token)

    def _new_token(self, user: Known, allowed: frozenset[Scope] = frozenset(DEFAULT_SCOPES)) -> tuple[str, int]:
        """A token of the user's, and its number."""
        token = self._do(accounts.create_token, user.id, "tests", allowed, 1)
        return token, self._do(accounts.list_tokens, user.id)[-1].id

    def _do(self, operation: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with transaction(self._worker.session(), Begin.WRITE) as session:
            return operation(session, *args, **kwargs)

    def _made_anew(self) -> dict[str, str]:
        """The rules with something in them filled with what is the owner's."""
        self._worker.end_waiting()  # what others submitted meanwhile
        self._by_owner.request("PUT", "/api/v1/webhook", data=_BODIES["PUT /api/v1/webhook"])
        form = {"document": (io.BytesIO(PDF), "scan.pdf")}
        batch = self._by_owner.post("/api/v1/batches", data=form).get_json()
        uuid = batch["jobs"][0]["uuid"]
        claim = self._worker.claim()
        self._worker.read_page(claim, 1, blocks=(block(line("read")),))
        self._worker.write_picture(claim, 1, b"a picture")
        self._worker.finish(claim)
        self._by_owner.post(
            f"/api/v1/jobs/{uuid}/pages/1/corrections", json={"revision": 0, "word": 0, "text": "mended"}
        )
        self._worker.write_file(claim, "txt", b"mended", revision=1)
        link = self._by_owner.get(f"/api/v1/jobs/{uuid}/result").headers["Location"]
        (delivery,) = self._by_owner.get(f"/api/v1/jobs/{uuid}/webhook-deliveries").get_json()["deliveries"]
        filled = {
            "<uuid:uuid>": uuid,
            "<delivery_id>": delivery["id"],
            "<int(max=9223372036854775807):token_id>": str(self._new_token(self._owner)[1]),
            "<int(max=9223372036854775807):user_id>": "4711",
            "<session_id>": "0123456789abcdef",
            "<result_format>": "txt",
            "<int:number>": "1",
            "<int:correction>": "1",
            "<stage>": "original",
            "<path:filename>": "css/base.css",
        }
        paths = {}
        for rule in {address.rule for address in addresses(self._app)}:
            path = rule.replace("batches/<uuid:uuid>", f"batches/{batch['uuid']}")
            for marker, value in filled.items():
                path = path.replace(marker, value)
            paths[rule] = link if "<file_name>" in path else path
        return paths


def _expire(session: Session, number: int) -> None:
    session.execute(update(ApiToken).where(ApiToken.id == number).values(expires_us=1))


def test_every_address_is_known_and_says_what_it_answers(app: Flask) -> None:
    names = {address.name for address in addresses(app) if address.method not in ("HEAD", "OPTIONS")}
    assert names == set(LET_IN)


@pytest.mark.parametrize("caller", Caller)
def test_caller_is_answered_at_every_address_as_its_view_states(app: Flask, worker: HandWorker, caller: Caller) -> None:
    door = Door(app, worker)
    expected = {address.name: expected_status(address, caller) for address in addresses(app)}
    answered = {address.name: door.knock(address, caller) for address in addresses(app)}
    assert answered == expected


def test_document_shows_the_whole_matrix(app: Flask) -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert "\n".join(matrix(app)) in text, "Print it anew: python -m tests.web.authorisation"
    assert all(f"\n| {needed.value} | " in text for needed in Access)


def test_view_that_states_nothing_stops_the_start() -> None:
    app = Flask("recto.web")

    @app.get("/open")
    def forgotten() -> str:
        return "anybody may read this"

    with pytest.raises(RuntimeError, match="'forgotten' does not state who may call it"):
        install_authorisation_check(app)
    access(Access.ANYBODY)(forgotten)
    install_authorisation_check(app)


def test_view_alone_is_not_asked_who_calls(app: Flask) -> None:
    """The statement is what is enforced: a view without any check of its own is closed by it."""
    app.test_client_class = FlaskClient  # the document has the view that stood there
    app.view_functions["health.healthz"] = access(Access.PERSON)(lambda: "reached")
    install_authorisation_check(app)
    problem(Program(app).get("/healthz"), 401, "not_signed_in")
    token = add_user(app, "ada").token
    assert "Sign in" in problem(Program(app, token).get("/healthz"), 403, "not_allowed")["detail"]
    browser = Browser(app)
    browser.sign_in("ada")
    assert browser.get("/healthz").text == "reached"


def test_signed_link_without_its_signature_is_nobodys(app: Flask, program: Program, bob: Known) -> None:
    uuid = program.submit()
    for caller in (program, Program(app), Program(app, bob.token)):
        problem(caller.get(f"/api/v1/jobs/{uuid}/files/result.txt"), 404, "file_not_found")


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/login.py", "css/../../login.py", "/etc/passwd"])
def test_assets_lead_to_no_other_file(anybody: Program, path: str) -> None:
    assert anybody.get(f"/static/{path}").status_code in (308, 404)
