"""What the tests share: an environment without RECTO_* variables, real databases in files, a clock that tests set."""

import gc
import io
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID, uuid4

import pytest
import structlog
from hypothesis import settings
from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, bindparam, event, select, text
from sqlalchemy.orm import Session, sessionmaker

import ocr_worker
from models import Job, JobStatus, JobStatusTransition, User
from recto.commands import parts
from recto.database.connections import Begin, connect, transaction, upgrade_schema
from recto.jobs import Claim, Jobs, QueuePolicy, Submission
from tests.postgresql import Server, running_server
from tests.s3_servers import SERVERS, S3Server, running

if TYPE_CHECKING:
    from tests.worker_loop import Loop

# As recto/logs.py does: where Rich is installed, the default shows local variables, and trips over those of werkzeug.
structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback
settings.register_profile("recto", deadline=None)  # how long an example takes says something about the machine
settings.load_profile("recto")

gc.disable()  # until the tests are collected: see `pytest_collection_finish`

_P = ParamSpec("_P")
_T = TypeVar("_T")

POLICY = QueuePolicy(
    lease_s=20.0, renew_s=5.0, max_attempts=3, retry_delay_s=5.0, max_unfinished_per_user=50, max_unfinished=100
)
START_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


class SetClock:
    """A clock for Jobs and ExpiryWatch that stands still until a test moves it, forward or back."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> ColumnElement[int]:
        # Read when a statement runs, as a database's clock is: some are built once and run often.
        return bindparam(None, type_=BigInteger, callable_=lambda: self.now_us, unique=True)

    def move(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND_US)


class JobTable:
    """The operations on one database, each in a transaction of its own, and what the tables then say."""

    def __init__(self, engine: Engine, clock: SetClock, policy: QueuePolicy = POLICY) -> None:
        self.engine = engine
        self.sessions = sessionmaker(engine)
        self.clock = clock
        self.jobs = Jobs(policy, clock)

    def do(self, operation: Callable[Concatenate[Session, _P], _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run operation(session, ...) and commit."""
        with transaction(self.sessions(), Begin.WRITE) as session:
            return operation(session, *args, **kwargs)

    def read(self, operation: Callable[Concatenate[Session, _P], _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run operation(session, ...) that only reads."""
        with transaction(self.sessions(), Begin.READ) as session:
            return operation(session, *args, **kwargs)

    def add_user(self, name: str) -> int:
        with transaction(self.sessions(), Begin.WRITE) as session:
            user = User(name=name, password_hash="-", is_admin=False, created_us=START_US)
            session.add(user)
            session.flush()
            return user.id

    def submit(self, user_id: int, options: dict[str, Any] | None = None, **origin: str) -> str:
        """Submit a job and return its uuid. `origin` is what it keeps of the request that made it."""
        submission = replace(new_submission(user_id, options), **origin)  # type: ignore[arg-type]
        self.jobs.committed(self.do(self.jobs.submit, submission))
        return submission.uuid

    def try_claim(self, worker: str = "one", except_users: Collection[int] = ()) -> Claim | None:
        with transaction(self.sessions(), Begin.CLAIM) as session:
            return self.jobs.claim_next(session, worker, except_users)

    def claim(self, worker: str = "one") -> Claim:
        """Claim a job that is known to wait."""
        claim = self.try_claim(worker)
        assert claim is not None
        return claim

    def row(self, uuid: str) -> Job | None:
        """The job as it stands, or None after its deletion."""
        with self.sessions(expire_on_commit=False) as session:
            return session.get(Job, uuid)

    def job(self, uuid: str) -> Job:
        row = self.row(uuid)
        assert row is not None
        return row

    def log(self, uuid: str) -> list[JobStatusTransition]:
        """The job's transitions, oldest first."""
        entries = select(JobStatusTransition).where(JobStatusTransition.job_uuid == uuid)
        with self.sessions() as session:
            return list(session.scalars(entries.order_by(JobStatusTransition.timestamp_us, JobStatusTransition.id)))

    def statuses(self, uuid: str) -> list[str]:
        """The statuses that the job went through."""
        return [JobStatus(entry.status).value for entry in self.log(uuid)]


def new_submission(user_id: int, options: dict[str, Any] | None = None, uuid: UUID | None = None) -> Submission:
    return Submission(
        uuid=str(uuid or uuid4()),
        user_id=user_id,
        file_name="letter.pdf",
        media_type="application/pdf",
        size_bytes=1000,
        options=options or {"languages": "eng"},
    )


@contextmanager
def writing_elsewhere(engine: Engine) -> Iterator[Connection]:
    """Another connection writes to jobs, and has not committed yet."""
    with engine.connect().execution_options(recto_begin=Begin.WRITE) as other:
        other.execute(text("UPDATE change_counter SET value = value"))
        yield other


def sqlite_url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture(autouse=True)
def _no_recto_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests do not reach them."""
    for name in [name for name in os.environ if name.startswith("RECTO_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest schema, to copy: quicker than migrating for each test."""
    file = tmp_path_factory.mktemp("migrated") / "recto.db"
    engine = connect(sqlite_url(file), busy_timeout_s=10.0)
    upgrade_schema(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that checks signatures."""
    folder = tmp_path_factory.mktemp("rclone")
    with running("rclone", folder) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that knows If-None-Match."""
    with running("moto", tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(params=SERVERS)
def s3_server(request: pytest.FixtureRequest) -> S3Server:
    """Each of the two, for tests marked `services`."""
    server: S3Server = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture
def database_file(migrated_file: Path, tmp_path: Path) -> Path:
    """A database of the test's own."""
    return Path(shutil.copy(migrated_file, tmp_path / "recto.db"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked `each_database` runs on SQLite, and once more on PostgreSQL: among the services, or the long ones (`long=True`)."""
    marker = metafunc.definition.get_closest_marker("each_database")
    if marker is None or "database_kind" not in metafunc.fixturenames:
        return
    when = pytest.mark.long if marker.kwargs.get("long") else pytest.mark.services
    kinds = ["sqlite", pytest.param("postgresql", marks=[when, pytest.mark.postgresql])]
    if metafunc.definition.get_closest_marker("sqlite_alone"):
        kinds = kinds[:1]
    metafunc.parametrize("database_kind", kinds)


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they import stay: looking for garbage among them took a sixth of the time."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(2_000, 10, 50)


def pytest_itemcollected(item: pytest.Item) -> None:
    """What asks for a server of PostgreSQL's is marked by that."""
    if isinstance(item, pytest.Function) and "postgresql" in item.fixturenames:
        item.add_marker(pytest.mark.postgresql)


@pytest.fixture
def database_kind() -> str:
    """Which database the test runs on."""
    return "sqlite"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server, for all tests that want one."""
    with running_server() as server:
        yield server


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own, at the newest schema."""
    if database_kind == "sqlite":
        yield sqlite_url(request.getfixturevalue("database_file"))
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url, busy_timeout_s=10.0)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _never_flush)
    yield engine
    engine.dispose()


def _never_flush(connection: sqlite3.Connection, _record: object) -> None:
    """No test pulls the plug: waiting for the disk would only make them slow."""
    connection.execute("PRAGMA synchronous=OFF").close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def table(engine: Engine, clock: SetClock) -> JobTable:
    return JobTable(engine, clock)


@pytest.fixture
def postgresql_table(postgresql: Server, clock: SetClock) -> Iterator[JobTable]:
    """A `table` on PostgreSQL, for what SQLite has no part in."""
    with postgresql.database() as url:
        engine = connect(url, busy_timeout_s=10.0)
        yield JobTable(engine, clock)
        engine.dispose()


@pytest.fixture
def loop(table: JobTable) -> "Loop":
    """A Worker on `table` that is stepped by hand. Loaded where it is wanted."""
    from tests.worker_loop import Loop

    return Loop(table)


@pytest.fixture
def ann(table: JobTable) -> int:
    """The id of a user."""
    return table.add_user("ann")


@pytest.fixture
def bob(table: JobTable) -> int:
    """The id of another user."""
    return table.add_user("bob")


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit status, standard output and standard error."""

    status: int
    out: str
    err: str


class CommandLine:
    """Calls ocr_worker.py as its users do, in this process, on a storage folder of the test's own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, stdin: str = "") -> Outcome:
        self._capsys.readouterr()
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["ocr_worker.py", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            status = ocr_worker.run_command_line()
        captured = self._capsys.readouterr()
        return Outcome(status, captured.out, captured.err)


@pytest.fixture
def command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, database_url: str
) -> Iterator[CommandLine]:
    """The commands on the database of `table`. Their connections are closed at the end: a process would do it by ending."""
    engines: list[Engine] = []

    def connect_and_remember(url: str, busy_timeout_s: float) -> Engine:
        engines.append(connect(url, busy_timeout_s))
        return engines[-1]

    monkeypatch.setattr(parts, "connect", connect_and_remember)
    if not database_url.startswith("sqlite"):
        monkeypatch.setenv("RECTO_DATABASE_URL", database_url)
    monkeypatch.setenv("RECTO_FILE_STORAGE_PATH", str(tmp_path))
    monkeypatch.setenv("RECTO_FILE_STORAGE_MIN_FREE_BYTES", "0")
    yield CommandLine(monkeypatch, capsys, tmp_path)
    for engine in engines:
        engine.dispose()
