"""Signing in through an OpenID Connect provider: the whole way, and every way in which what comes back is not to be trusted."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from joserfc.jwk import RSAKey
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recto import accounts, audit
from recto.audit import Action
from recto.database.connections import Begin, transaction
from recto.users import identities
from recto.users.administration import set_disabled
from recto.web.serving.database import db
from tests.sign_on.fake_provider import Claims, FakeProvider
from tests.web.clients import PAGE, PASSWORD, Browser, Program, problem
from tests.web.conftest import MakeApp, add_user
from tests.web.live_server import LiveServer


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    provider = FakeProvider()
    yield provider
    provider.stop()


@pytest.fixture
def make(make_app: MakeApp, provider: FakeProvider) -> Callable[..., Flask]:
    """An application with the provider, and further settings."""

    def make(**more: str) -> Flask:
        own = {"ISSUER": provider.issuer, "CLIENT_ID": "recto", "CLIENT_SECRET": "a secret", "TITLE": "the office"}
        return make_app(**{f"RECTO_OIDC_{name}": value for name, value in (own | more).items()})

    return make


@pytest.fixture
def app(make: Callable[..., Flask]) -> Flask:
    return make()


def led_to(answer: TestResponse) -> str:
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def sign_in(app: Flask, provider: FakeProvider, next_path: str = "") -> tuple[Browser, TestResponse]:
    """From the button to where the provider leads back to."""
    browser = Browser(app)
    there = led_to(browser.get(f"/sign-in/provider?next={next_path}"))
    return browser, browser.get(provider.let_in(there))


def read(app: Flask, operation: Callable[..., Any], *args: Any) -> Any:
    with app.app_context():
        engine = db.engine
    with transaction(Session(engine), Begin.WRITE) as session:
        return operation(session, *args)


def test_first_sign_in_makes_a_user_and_the_next_finds_them_whatever_they_are_called(
    app: Flask, provider: FakeProvider
) -> None:
    browser, answer = sign_in(app, provider, "/account")
    assert led_to(answer) == "/account"
    assert "grace" in browser.get("/").text
    provider.user_info["preferred_username"] = "hopper"
    browser, answer = sign_in(app, provider)
    assert led_to(answer) == "/"
    assert [user.name for user in read(app, accounts.list_users)] == ["grace"]
    actions = [noted.event.action for noted in read(app, audit.list_events, 10)]
    assert actions == [Action.SIGNED_IN, Action.SIGNED_IN, Action.USER_CREATED]


def test_code_is_asked_for_with_pkce_state_and_nonce_and_changed_with_the_proof(
    app: Flask, provider: FakeProvider
) -> None:
    there = led_to(Browser(app).get("/sign-in/provider"))
    for part in (
        "code_challenge=",
        "code_challenge_method=S256",
        "state=",
        "nonce=",
        "client_id=recto",
        "scope=openid",
    ):
        assert part in there
    sign_in(app, provider)
    assert len(provider.asked[0]["code_verifier"]) >= 43
    assert "client_secret" not in provider.asked[0]  # it goes in a header


def test_sign_in_page_leads_there_and_its_policy_lets_the_sign_out_follow(app: Flask, provider: FakeProvider) -> None:
    page = Browser(app).get("/sign-in?next=/account")
    assert "Sign in with the office" in page.text
    assert "/sign-in/provider?next=/account" in page.text
    assert f"form-action 'self' {provider.issuer};" in page.headers["Content-Security-Policy"]


def test_sign_out_goes_on_to_the_provider_and_leaves_who_signed_in_with_a_password_here(
    app: Flask, provider: FakeProvider
) -> None:
    browser, _ = sign_in(app, provider)
    browser.get("/")
    there = led_to(browser.post("/sign-out"))
    assert there.startswith(f"{provider.issuer}/end?")
    assert "client_id=recto" in there
    assert "post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fsign-in" in there
    assert browser.get("/").status_code == 302
    add_user(app, "ada")
    browser.sign_in("ada")
    assert led_to(browser.post("/sign-out")).startswith("/sign-in")


def test_sign_out_place_of_another_origin_is_not_gone_to(app: Flask, provider: FakeProvider) -> None:
    provider.ends_sessions_at = "http://elsewhere.example/end"
    browser, _ = sign_in(app, provider)
    browser.get("/")
    assert led_to(browser.post("/sign-out")).startswith("/sign-in")


WRONG: dict[str, Callable[[Claims], Claims]] = {
    "another nonce": lambda claims: claims | {"nonce": "x"},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "another issuer": lambda claims: claims | {"iss": "https://elsewhere.example"},
    "another audience": lambda claims: claims | {"aud": "somebody"},
    "expired": lambda claims: claims | {"exp": 1_000_000_000},
    "no subject": lambda claims: {name: value for name, value in claims.items() if name != "sub"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_token_that_is_not_for_this_sign_in_signs_nobody_in(app: Flask, provider: FakeProvider, wrong: str) -> None:
    provider.change = WRONG[wrong]
    browser, answer = sign_in(app, provider)
    assert answer.status_code == 403
    assert "Begin again" in answer.text
    assert browser.get("/").status_code == 302
    assert read(app, accounts.list_users) == []


def test_token_that_another_key_signed_signs_nobody_in(app: Flask, provider: FakeProvider) -> None:
    provider.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    assert sign_in(app, provider)[1].status_code == 403


def test_token_of_a_key_that_is_new_is_taken_once_the_provider_shows_it(app: Flask, provider: FakeProvider) -> None:
    sign_in(app, provider)
    provider.key = provider.signing_key = RSAKey.generate_key(2048, {"kid": "two"})
    assert sign_in(app, provider)[1].status_code == 302


def test_answer_without_an_id_token_signs_nobody_in(app: Flask, provider: FakeProvider) -> None:
    provider.has_id_token = False
    assert "ID token" in sign_in(app, provider)[1].text


def test_user_info_of_somebody_else_signs_nobody_in(app: Flask, provider: FakeProvider) -> None:
    provider.user_info = {"sub": "s-2", "preferred_username": "mallory"}
    _, answer = sign_in(app, provider)
    assert (answer.status_code, "somebody else" in answer.text) == (403, True)


def test_provider_that_gives_no_name_is_said_to_whoever_can_mend_it(app: Flask, provider: FakeProvider) -> None:
    provider.user_info = {"sub": "s-1"}
    assert "oidc.name_claim" in sign_in(app, provider)[1].text


def test_return_that_was_not_begun_here_signs_nobody_in(app: Flask, provider: FakeProvider) -> None:
    there = led_to(Browser(app).get("/sign-in/provider"))
    assert Browser(app).get(provider.let_in(there)).status_code == 403  # another browser


def test_return_that_comes_twice_signs_in_once(app: Flask, provider: FakeProvider) -> None:
    browser = Browser(app)
    back = provider.let_in(led_to(browser.get("/sign-in/provider")))
    assert browser.get(back).status_code == 302
    assert browser.get(back).status_code == 403


def test_refusal_of_the_provider_is_told(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/sign-in/provider")
    answer = browser.get("/sign-in/provider/callback?error=access_denied&error_description=<script>no</script>")
    assert answer.status_code == 403
    assert "<script>no" not in answer.text


def test_next_that_leads_elsewhere_leads_to_the_start_page(app: Flask, provider: FakeProvider) -> None:
    assert led_to(sign_in(app, provider, "//elsewhere.example/")[1]) == "/"


def test_name_that_is_somebodys_here_is_not_taken_over_but_linked_by_an_administrator(
    app: Flask, provider: FakeProvider
) -> None:
    add_user(app, "grace")
    browser, answer = sign_in(app, provider)
    assert answer.status_code == 403
    assert "users link" in answer.text
    assert browser.get("/").status_code == 302
    read(app, identities.link, "grace", provider.issuer, "s-1")
    assert sign_in(app, provider)[1].status_code == 302
    read(app, identities.unlink, provider.issuer, "s-1")
    assert sign_in(app, provider)[1].status_code == 403


def test_user_who_is_disabled_here_is_not_let_in(app: Flask, provider: FakeProvider) -> None:
    sign_in(app, provider)
    root, grace = add_user(app, "root", is_admin=True).id, read(app, accounts.find_user, "grace").id
    read(app, partial(set_disabled, is_disabled=True), grace, root)
    browser, answer = sign_in(app, provider)
    assert (answer.status_code, "disabled" in answer.text) == (403, True)
    assert browser.get("/").status_code == 302
    refused = read(app, audit.list_events, 1)[0].event
    assert (refused.action, refused.user, refused.about) == (Action.SIGN_IN_REFUSED, "grace", provider.issuer)


def test_unknown_person_is_refused_where_sign_ins_make_no_users(
    make: Callable[..., Flask], provider: FakeProvider
) -> None:
    app = make(CREATE_USERS="false")
    _, answer = sign_in(app, provider)
    assert (answer.status_code, "linked" in answer.text) == (403, True)
    assert read(app, accounts.list_users) == []


def test_claim_makes_administrators_and_takes_it_back(make: Callable[..., Flask], provider: FakeProvider) -> None:
    app = make(ADMIN_CLAIM="groups", ADMIN_VALUE="chiefs")
    for groups, is_admin in ((["office"], False), (["office", "chiefs"], True), ("chiefs", True), ([], False)):
        provider.user_info["groups"] = groups
        sign_in(app, provider)
        assert [user.is_admin for user in read(app, accounts.list_users)] == [is_admin]


def test_user_of_the_provider_has_no_password_that_works(app: Flask, provider: FakeProvider) -> None:
    sign_in(app, provider)
    for password in ("", PASSWORD, "!"):
        assert Browser(app).sign_in("grace", password).status_code == 401


def test_without_a_provider_there_is_no_button_and_no_way(make_app: MakeApp) -> None:
    app = make_app()
    page = Browser(app).get("/sign-in")
    assert "Sign in with" not in page.text
    assert "form-action 'self';" in page.headers["Content-Security-Policy"]
    problem(Program(app).get("/sign-in/provider"), 403, "sign_on_failed")


def test_provider_of_another_name_is_not_trusted(app: Flask, provider: FakeProvider) -> None:
    provider.issuer_says = "https://elsewhere.example"
    answer = Browser(app).get("/sign-in/provider")
    assert (answer.status_code, "oidc.issuer" in answer.text) == (503, True)
    provider.issuer_says = ""
    assert Browser(app).get("/sign-in/provider").status_code == 302  # mended there, no restart here


def test_provider_that_cannot_be_reached_is_said_and_passwords_go_on(make: Callable[..., Flask]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        app = make(ISSUER=f"http://127.0.0.1:{unused.getsockname()[1]}")
        answer = Browser(app).get("/sign-in/provider")
    assert (answer.status_code, "password" in answer.text) == (503, True)
    add_user(app, "ada")
    assert Browser(app).sign_in("ada").status_code == 302


def test_provider_that_is_silent_holds_up_nobody_else(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        server = LiveServer(tmp_path / "storage", {"RECTO_OIDC_ISSUER": issuer, "RECTO_OIDC_CLIENT_ID": "recto"})
        try:
            asking = threading.Thread(
                target=requests.get,
                args=(f"{server.address}/sign-in/provider",),
                kwargs={"timeout": 60, "headers": PAGE},
            )
            asking.start()
            connection, _ = silent.accept()  # it asks now
            started_s = time.monotonic()
            assert requests.get(f"{server.address}/sign-in", timeout=60).status_code == 200
            assert asking.is_alive()
            assert time.monotonic() - started_s < 8  # before the provider's time is up
            asking.join()
            connection.close()
        finally:
            server.stop()


def test_identity_keeps_what_it_is_by_its_issuer(app: Flask, provider: FakeProvider) -> None:
    sign_in(app, provider)
    identity = identities.Identity(provider.issuer, "s-1", "grace")
    assert read(app, identities.account_of_identity, identity).name == "grace"
    assert read(app, identities.account_of_identity, replace(identity, issuer="https://elsewhere.example")) is None
