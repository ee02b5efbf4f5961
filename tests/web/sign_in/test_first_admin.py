"""The first user, and how their password reaches them."""

import io
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from recto import accounts
from recto.database.connections import Begin, connect, transaction, upgrade_schema
from recto.errors import PasswordRejected
from recto.web.sign_in.first_admin import ensure_first_admin

pytestmark = pytest.mark.each_database(long=True)

ADDRESS = "http://127.0.0.1:8080/"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def users_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'users.db'}", 10.0)
    upgrade_schema(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(users_engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(users_engine)


def names(sessions: sessionmaker[Session]) -> list[tuple[str, bool]]:
    with transaction(sessions(), Begin.READ) as session:
        return [(user.name, user.is_admin) for user in accounts.list_users(session)]


def is_password(sessions: sessionmaker[Session], password: str) -> bool:
    with transaction(sessions(), Begin.READ) as session:
        return accounts.check_password(session, "admin", password) is not None


def test_random_password_goes_to_a_terminal_in_a_box(
    sessions: sessionmaker[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    ensure_first_admin(sessions, "admin", "", ADDRESS, tmp_path / "first_password")
    shown = terminal.getvalue()
    lines = shown.strip().splitlines()
    assert lines[0].startswith("┌")
    assert len({len(line) for line in lines}) == 1
    assert ADDRESS in shown
    password = shown.partition("Password  ")[2].split()[0]
    assert is_password(sessions, password)
    assert names(sessions) == [("admin", True)]
    assert not (tmp_path / "first_password").exists()
    assert password not in capsys.readouterr().out


def test_random_password_goes_to_a_private_file_without_a_terminal(
    sessions: sessionmaker[Session], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "first_password"
    file.write_text("of an earlier start, for everybody to read")
    file.chmod(0o644)
    ensure_first_admin(sessions, "admin", "", ADDRESS, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = file.read_text().strip()
    assert is_password(sessions, password)
    captured = capsys.readouterr()
    log = captured.out + captured.err
    assert str(file) in log
    assert password not in log


def test_given_password_is_used_and_never_shown(
    sessions: sessionmaker[Session], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_first_admin(sessions, "admin", "as it was given", ADDRESS, tmp_path / "first_password")
    assert is_password(sessions, "as it was given")
    captured = capsys.readouterr()
    assert "as it was given" not in captured.out + captured.err
    assert not (tmp_path / "first_password").exists()


def test_second_start_changes_nothing(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    ensure_first_admin(sessions, "admin", "the first password", ADDRESS, tmp_path / "first_password")
    ensure_first_admin(sessions, "root", "", ADDRESS, tmp_path / "first_password")
    assert names(sessions) == [("admin", True)]
    assert is_password(sessions, "the first password")
    assert not (tmp_path / "first_password").exists()


def test_short_given_password_is_refused(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with pytest.raises(PasswordRejected):
        ensure_first_admin(sessions, "admin", "short", ADDRESS, tmp_path / "first_password")
    assert names(sessions) == []


def test_password_that_cannot_be_written_makes_no_user(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with pytest.raises(OSError, match="first_password"):
        ensure_first_admin(sessions, "admin", "", ADDRESS, tmp_path / "missing" / "first_password")
    assert names(sessions) == []


def test_backends_that_start_together_make_one_user_whose_password_is_the_written_one(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    file = tmp_path / "first_password"
    faults: list[BaseException] = []

    def start() -> None:
        try:
            ensure_first_admin(sessions, "admin", "", ADDRESS, file)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            faults.append(error)

    backends = [threading.Thread(target=start) for _ in range(4)]
    for backend in backends:
        backend.start()
    for backend in backends:
        backend.join()
    assert faults == []
    assert names(sessions) == [("admin", True)]
    assert is_password(sessions, file.read_text().strip())
