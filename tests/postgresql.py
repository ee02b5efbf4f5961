"""A PostgreSQL of the tests' own: a server in a temporary folder, on a port of its own, and a fresh database for whoever asks.

Needs PostgreSQL's programs (Debian: postgresql), which `make test-services` installs. It waits for no disk: no test pulls the plug.

    python -m tests.postgresql [--durable]

runs one until Ctrl-C and prints the URL of its database, for trying things out and for benchmarks; `--durable` with the settings of its own.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Interface
from itertools import count
from pathlib import Path
from typing import Final

import psycopg

from recto.database.connections import connect, upgrade_schema
from recto.parent_death import die_with_parent
from tests.ports import free_port

_DEBIAN: Final = Path("/usr/lib/postgresql")
_SERVER_ACCOUNT: Final = "postgres"
_PATIENCE_S: Final = 30.0
_CONNECTIONS: Final = 200
_QUICK: Final = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    f"max_connections={_CONNECTIONS}",
    "shared_buffers=64MB",
)
TEMPLATE: Final = "migrated"


class Server:
    """A running server. Databases are copies of an empty one at the newest schema, made once."""

    def __init__(self, folder: Path, settings: tuple[str, ...] = _QUICK, network: IPv4Interface | None = None) -> None:
        """`network`: where it listens besides the loopback; whoever is in it gets in."""
        self.folder = folder
        self.port = free_port()
        self._settings = settings
        self._addresses = ("127.0.0.1", *([str(network.ip)] if network else []))
        self._numbers = count(1)
        self._run(
            "initdb",
            "--pgdata",
            str(folder),
            "--username=recto",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )
        if network:
            with (folder / "pg_hba.conf").open("a") as admitted:
                admitted.write(f"host all all {network.network} trust\n")
        self.start()
        self.make(TEMPLATE)
        engine = connect(self.url(TEMPLATE), busy_timeout_s=10.0)
        upgrade_schema(engine)
        engine.dispose()

    def url(self, database: str) -> str:
        """What `database.url` says of it."""
        return f"postgresql+psycopg://recto@127.0.0.1:{self.port}/{database}"

    def make(self, name: str, template: str | None = None, encoding: str = "UTF8") -> str:
        """A database of that name, empty or a copy; its URL."""
        copied = f"TEMPLATE {template or 'template0'} ENCODING '{encoding}'"
        self.execute(f"CREATE DATABASE {name} {copied}")
        return self.url(name)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh database at the newest schema, as long as it is used."""
        name = f"recto_{next(self._numbers)}"
        yield self.make(name, TEMPLATE)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, sql: str) -> None:
        """Something that concerns the server."""
        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=recto dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(sql)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder.parent / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdout=log,
                stderr=log,
                user=_account(),
                cwd="/",
                preexec_fn=partial(die_with_parent, signal.SIGINT, parent_pid=os.getpid()),
            )
        deadline_s = time.monotonic() + _PATIENCE_S
        while not self._answers():
            is_hopeful = self._process.poll() is None and time.monotonic() < deadline_s
            assert is_hopeful, self._log()
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it, and all connections to it, at once."""
        self._process.send_signal(number)
        self._process.wait(_PATIENCE_S)

    def _command(self) -> list[str]:
        own = (
            *self._settings,
            f"port={self.port}",
            f"listen_addresses={','.join(self._addresses)}",
            f"unix_socket_directories={self.folder.parent}",
        )
        return [program("postgres"), "-D", str(self.folder), *(part for setting in own for part in ("-c", setting))]

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _log(self) -> str:
        return (self.folder.parent / "postgres.log").read_text()[-2000:]

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [program(name), *arguments], capture_output=True, text=True, check=False, user=_account(), cwd="/"
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def running_server(settings: tuple[str, ...] = _QUICK, network: IPv4Interface | None = None) -> Iterator[Server]:
    """A server in a folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="recto-postgresql-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _SERVER_ACCOUNT)
        server = Server(folder / "data", settings, network)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _account() -> str | None:
    """Whose processes they are: PostgreSQL refuses to run as root."""
    return _SERVER_ACCOUNT if os.geteuid() == 0 else None


def program(name: str) -> str:
    """Debian keeps them out of the PATH, one folder a version."""
    installed = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = str(installed[-1]) if installed else shutil.which(name)
    assert found, f"PostgreSQL's {name} is not installed. `make test-services` installs it."
    return found


def main() -> None:
    with running_server((f"max_connections={_CONNECTIONS}",) if "--durable" in sys.argv[1:] else _QUICK) as server:
        sys.stdout.write(f"{server.url('postgres')}\n")
        sys.stdout.flush()
        for number in (signal.SIGINT, signal.SIGTERM):  # in the background, a shell has SIGINT ignored
            signal.signal(number, lambda *_: sys.exit(0))
        signal.pause()


if __name__ == "__main__":
    main()
