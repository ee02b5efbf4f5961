"""An application on a temporary folder, two users of it, and a Worker played by hand."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from recto import accounts
from recto.database.connections import Begin, transaction
from recto.settings import load_settings
from recto.web.serving.database import db
from tests.patience import wait_until
from tests.postgresql import Server
from tests.web.clients import PASSWORD, Browser, Program
from tests.web.conformance import DescribedClient
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.quick_applications import CompiledTemplates, make_quickly

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import BrowserContext

MakeApp = Callable[..., Flask]


@pytest.fixture(autouse=True, scope="session")
def compiled_templates() -> Iterator[CompiledTemplates]:
    """Of all applications that the tests make, which are made quickly."""
    with pytest.MonkeyPatch.context() as patch:
        make_quickly(patch)
        yield CompiledTemplates()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2 is slow on purpose, which says nothing about the pages."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    accounts._hash_of_nobody.cache_clear()
    yield
    accounts._hash_of_nobody.cache_clear()


@dataclass(frozen=True)
class Known:
    """A user of the application, and a token of theirs."""

    id: int
    name: str
    token: str


def add_user(app: Flask, name: str, *, is_admin: bool = False) -> Known:
    """A user with PASSWORD and a token."""
    with app.app_context():
        engine = db.engine
    with transaction(Session(engine), Begin.WRITE) as session:
        user_id = accounts.create_user(session, name, accounts.hash_password(PASSWORD), is_admin=is_admin)
        return Known(user_id, name, accounts.create_token(session, user_id, "tests"))


@pytest.fixture
def folder(tmp_path: Path, migrated_file: Path) -> Path:
    """The File Storage, which holds the database and the secret as well."""
    folder = tmp_path / "storage"
    folder.mkdir()
    shutil.copy(migrated_file, folder / "recto.db")
    return folder


@pytest.fixture
def database_url(database_kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The database of the applications: the one beside the documents, or one of its own."""
    if database_kind == "sqlite":
        yield f"sqlite:///{folder / 'recto.db'}"
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield url


@pytest.fixture
def make_app(folder: Path, database_url: str, compiled_templates: CompiledTemplates) -> Iterator[MakeApp]:
    """Makes applications on `folder` from RECTO_* settings, and takes them down at the end."""
    made: list[Flask] = []

    def make(**environ: str) -> Flask:
        own = {
            "RECTO_DATABASE_URL": database_url,
            "RECTO_FILE_STORAGE_PATH": str(folder),
            "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0",
        }
        app = create_app(load_settings(own | environ))
        app.test_client_class = DescribedClient
        app.jinja_env.bytecode_cache = compiled_templates
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["recto"].deriver.stop()
        app.extensions["recto"].feed.stop()
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def environ_of_processes(monkeypatch: pytest.MonkeyPatch, folder: Path, database_url: str) -> None:
    """The settings of the application, for programs that it starts."""
    monkeypatch.setenv("RECTO_DATABASE_URL", database_url)
    monkeypatch.setenv("RECTO_FILE_STORAGE_PATH", str(folder))
    monkeypatch.setenv("RECTO_FILE_STORAGE_MIN_FREE_BYTES", "0")


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The application under its default settings, but for small uploads."""
    return make_app(RECTO_SERVER_MAX_UPLOAD_BYTES="100000")


@pytest.fixture
def ada(app: Flask) -> Known:
    """An administrator."""
    return add_user(app, "ada", is_admin=True)


@pytest.fixture
def bob(app: Flask) -> Known:
    """Another user."""
    return add_user(app, "bob")


@pytest.fixture
def program(app: Flask, ada: Known) -> Program:
    """A program of ada's."""
    return Program(app, ada.token)


@pytest.fixture
def other_program(app: Flask, bob: Known) -> Program:
    """A program of bob's."""
    return Program(app, bob.token)


@pytest.fixture
def anybody(app: Flask) -> Program:
    """Somebody without a token."""
    return Program(app)


@pytest.fixture
def browser(app: Flask, ada: Known) -> Browser:
    """Ada's browser, signed in."""
    browser = Browser(app)
    assert browser.sign_in("ada").status_code == 302
    return browser


@pytest.fixture
def worker(app: Flask, folder: Path, database_url: str) -> Iterator[HandWorker]:
    """The Worker of the application."""
    worker = HandWorker(folder, database_url)
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator["Chromium"]:
    """A real browser. Loaded where it is wanted: most tests of this folder need none."""
    from tests.web.chromium import launched

    with launched() as browser:
        yield browser


@pytest.fixture
def context(chromium: "Chromium") -> Iterator["BrowserContext"]:
    """A fresh profile of it; the test fails where a script breaks or the Content-Security-Policy blocks something."""
    from tests.web.chromium import window

    with window(chromium) as context:
        yield context


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    """For a module that wants another `server`."""
    return {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, server_settings: dict[str, str]) -> Iterator[LiveServer]:
    """A real Backend of the module's own. Its first user is admin with PASSWORD."""
    folder = tmp_path_factory.mktemp("served") / "storage"
    server = LiveServer(folder, {"RECTO_ADMIN_PASSWORD": PASSWORD, **server_settings})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def address(server: LiveServer) -> str:
    """Its root, with the slash."""
    return f"{server.address}/"


@pytest.fixture(scope="module")
def signed_in(chromium: "Chromium", address: str) -> Any:
    """Cookies of its admin, for a window's `storage_state`."""
    from tests.web.chromium import sign_in

    context = chromium.new_context()
    sign_in(context.new_page(), address)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The real Backend, for what needs sockets. Its first user is admin with PASSWORD."""
    folder = tmp_path_factory.mktemp("live") / "storage"
    environ = {"RECTO_ADMIN_PASSWORD": PASSWORD, "RECTO_SERVER_MAX_UPLOAD_BYTES": "100000"}
    server = LiveServer(folder, environ)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def live_token(live: LiveServer) -> str:
    """A token of the live server's admin."""
    worker = HandWorker(live.folder)
    token = worker.token_of("admin")
    worker.close()
    return token


@pytest.fixture
def live_worker(live: LiveServer) -> Iterator[HandWorker]:
    """The Worker of the live server."""
    worker = HandWorker(live.folder)
    yield worker
    worker.close()


def left_behind(folder: Path) -> list[str]:
    """Names of whatever a refused upload left in the File Storage."""
    own = {"recto.db", "recto.db-wal", "recto.db-shm", "secret_key", ".incoming"}
    incoming = folder / ".incoming"
    waiting = list(incoming.iterdir()) if incoming.is_dir() else []
    return sorted(path.name for path in (*folder.iterdir(), *waiting) if path.name not in own)


@contextmanager
def nothing_stored(folder: Path) -> Iterator[None]:
    """What the block sends leaves nothing in the File Storage, `.incoming` included, once the Backend has put away what it refused."""
    before = left_behind(folder)
    yield
    wait_until(lambda: left_behind(folder) == before, 5.0, told=lambda: f"{before} became {left_behind(folder)}")
