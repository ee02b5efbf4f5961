"""Whether something was committed: SQLite's count, and PostgreSQL's word, which comes again after the server was away."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import text

from recto import accounts
from recto.database import commits as commits_module
from recto.database.commits import Commits, DataVersion, Notifications, watch_commits
from recto.database.log_writes import LogWrites
from tests.conftest import JobTable
from tests.postgresql import Server

PATIENCE_S = 10.0
NOT_YET_S = 0.2


@pytest.fixture
def commits(table: JobTable) -> Iterator[Commits]:
    """Listening already, where that takes a while."""
    commits = watch_commits(table.engine)
    yield commits
    commits.close()


def settled(commits: Commits) -> int:
    """The number after it has stood still for a moment."""
    seen = commits.read()
    while True:
        time.sleep(NOT_YET_S)
        if commits.read() == seen:
            return seen
        seen = commits.read()


def waited_s(action: Callable[[], object]) -> float:
    began_s = time.monotonic()
    action()
    return time.monotonic() - began_s


def changed(commits: Commits, seen: int) -> bool:
    deadline_s = time.monotonic() + PATIENCE_S
    while commits.read() == seen and time.monotonic() < deadline_s:
        time.sleep(0.005)
    return commits.read() != seen


@pytest.mark.each_database
def test_commits_change_with_the_writes_of_others_alone(table: JobTable, ann: int, commits: Commits) -> None:
    before = settled(commits)
    table.read(lambda session: session.execute(text("SELECT 1")))
    assert settled(commits) == before
    table.submit(ann)
    assert changed(commits, before)


@pytest.mark.each_database
def test_commits_tell_of_a_write_that_is_undone_to_nobody(table: JobTable, ann: int, commits: Commits) -> None:
    before = settled(commits)
    with table.engine.connect() as connection:
        connection.execute(text("UPDATE change_counter SET value = value + 1"))
        connection.rollback()
    assert settled(commits) == before


@pytest.mark.each_database
def test_commits_tell_that_a_sign_in_ended(table: JobTable, ann: int, commits: Commits) -> None:
    account = table.read(accounts.find_user, "ann")
    secret = table.do(accounts.sign_in, account, "203.0.113.7", "tests")
    before = settled(commits)
    table.do(accounts.sign_out, secret)
    assert changed(commits, before)


@pytest.mark.each_database
def test_commits_count_anew_after_they_were_closed(table: JobTable, ann: int, commits: Commits) -> None:
    settled(commits)
    commits.close()
    before = settled(commits)
    table.submit(ann)
    assert changed(commits, before)


@pytest.fixture
def told(table: JobTable) -> Iterator[DataVersion]:
    """Listening to the kernel, with nothing more to hear of what was before."""
    told = DataVersion(table.engine)
    seen = settled(told)
    while waited_s(lambda: told.wait(seen, NOT_YET_S, 0.0)) < NOT_YET_S:
        pass
    yield told
    told.close()


def test_data_version_is_waited_for_without_a_look_until_somebody_commits(
    table: JobTable, ann: int, told: DataVersion
) -> None:
    seen, looks = told.read(), 0
    timer = threading.Timer(NOT_YET_S, table.submit, [ann])
    timer.start()
    began_s = time.monotonic()
    while told.read() == seen and time.monotonic() - began_s < PATIENCE_S:
        told.wait(seen, PATIENCE_S, 0.0)
        looks += 1
    timer.join()
    assert told.read() != seen
    assert looks < 30  # not one each millisecond since it began, but since the log was written to


def test_data_version_hears_of_a_write_while_it_looks_for_the_commit_of_an_earlier_one(
    table: JobTable, ann: int, told: DataVersion
) -> None:
    table.submit(ann)
    until_s = time.monotonic() + 0.4
    while time.monotonic() < until_s:  # looks come a fifth of a second apart by now
        told.wait(told.read(), NOT_YET_S, 0.0)
    timer = threading.Timer(0.02, table.submit, [ann])
    timer.start()
    assert waited_s(lambda: told.wait(told.read(), PATIENCE_S, 0.0)) < 0.15
    timer.join()


def test_data_version_ends_a_wait_that_is_woken(told: DataVersion) -> None:
    timer = threading.Timer(0.1, told.wake)
    timer.start()
    assert waited_s(lambda: told.wait(told.read(), PATIENCE_S, 0.0)) < PATIENCE_S / 2
    timer.join()


def test_data_version_is_looked_at_where_the_kernel_will_not_tell(
    table: JobTable, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits_module, "LogWrites", refuse)
    commits = DataVersion(table.engine)
    seen = commits.read()
    assert waited_s(lambda: commits.wait(seen, PATIENCE_S, 0.01)) < PATIENCE_S / 2
    table.submit(ann)
    assert changed(commits, seen)
    commits.close()


def test_data_version_is_looked_at_from_then_on_where_commits_were_not_told(
    table: JobTable, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits_module, "LogWrites", Deaf)
    monkeypatch.setattr(commits_module, "_LOOKS_FOR_S", 0.0)
    commits = DataVersion(table.engine)
    seen = commits.read()
    commits.wait(seen, NOT_YET_S, 0.0)
    for _ in range(3):
        assert waited_s(lambda: commits.wait(commits.read(), NOT_YET_S, 0.0)) >= NOT_YET_S
        table.submit(ann)
        commits.wait(seen, 0.05, 0.0)
        seen = commits.read()
    assert waited_s(lambda: commits.wait(commits.read(), PATIENCE_S, 0.01)) < PATIENCE_S / 2
    commits.close()


def test_data_version_goes_on_listening_where_the_commit_was_before_it_began(
    table: JobTable, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits_module, "_LOOKS_FOR_S", 0.0)
    commits = DataVersion(table.engine)
    seen = commits.read()
    for _ in range(4):
        table.submit(ann)
        assert waited_s(lambda: commits.wait(seen, PATIENCE_S, 0.0)) < PATIENCE_S / 2  # noqa: B023 - called at once
        seen = commits.read()
        commits.close()  # and begins anew
        seen = commits.read()
    commits.wait(seen, NOT_YET_S, 0.0)
    assert waited_s(lambda: commits.wait(commits.read(), NOT_YET_S, 0.0)) >= NOT_YET_S
    commits.close()


class Telling(LogWrites):
    """A kernel that tells when the test does."""

    tells = tells_late = False
    longest_s: ClassVar[list[float]] = []

    def wait(self, longest_s: float) -> bool:
        self.longest_s.append(longest_s)
        told = self.take()
        Telling.tells, Telling.tells_late = Telling.tells_late, False
        return told

    def pause(self, pause_s: float) -> bool:
        return self.wait(pause_s)

    def take(self) -> bool:
        told, Telling.tells = Telling.tells, False
        return told


@pytest.fixture
def telling(table: JobTable, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataVersion]:
    """Has been told of a write whose commit does not show yet, and looks for it."""
    monkeypatch.setattr(commits_module, "LogWrites", Telling)
    Telling.tells = Telling.tells_late = False
    Telling.longest_s.clear()
    commits = DataVersion(table.engine)
    seen = commits.read()
    commits.wait(seen, PATIENCE_S, 0.0)  # begins to listen
    Telling.tells = True
    commits.wait(seen, PATIENCE_S, 0.0)
    assert commits.read() == seen
    assert longest_wait_s(commits) < NOT_YET_S
    yield commits
    commits.close()


def longest_wait_s(commits: DataVersion) -> float:
    """How long it would wait now if it were told of nothing."""
    commits.wait(None, PATIENCE_S, 0.0)
    return Telling.longest_s[-1]


def test_data_version_looks_no_more_once_the_commit_shows_that_it_was_told_of(
    table: JobTable, ann: int, telling: DataVersion
) -> None:
    seen = telling.read()
    table.submit(ann)
    assert telling.read() != seen
    assert longest_wait_s(telling) == PATIENCE_S


def test_data_version_looks_on_where_another_write_was_told_of_before_the_commit_shows(
    table: JobTable, ann: int, telling: DataVersion
) -> None:
    """It may be of the commit that shows, or of the next."""
    seen = telling.read()
    Telling.tells = True
    telling.wait(seen, PATIENCE_S, 0.0)
    table.submit(ann)
    assert telling.read() != seen
    assert longest_wait_s(telling) < NOT_YET_S
    table.submit(ann)
    telling.read()
    assert longest_wait_s(telling) == PATIENCE_S


def test_data_version_notes_a_write_that_is_told_of_while_it_looks_all_the_same(
    table: JobTable, ann: int, telling: DataVersion
) -> None:
    seen = telling.read()
    table.submit(ann)
    assert telling.read() != seen
    Telling.tells_late = True
    telling.wait(seen, PATIENCE_S, 0.0)
    assert longest_wait_s(telling) < NOT_YET_S


class Deaf(LogWrites):
    """A kernel that tells nothing, as where the log is on a file system that it does not write itself."""

    def take(self) -> bool:
        return False


def refuse(database: Path) -> LogWrites:
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.fixture
def notifications(postgresql_table: JobTable) -> Iterator[Notifications]:
    notifications = Notifications(postgresql_table.engine, slow_poll_s=0.5)
    yield notifications
    notifications.close()


@pytest.mark.services
def test_notifications_wake_who_waits_at_once(postgresql_table: JobTable, notifications: Notifications) -> None:
    user, seen = postgresql_table.add_user("ann"), settled(notifications)
    timer = threading.Timer(0.1, postgresql_table.submit, [user])
    timer.start()
    assert waited_s(lambda: notifications.wait(seen, PATIENCE_S, 0.0)) < PATIENCE_S
    timer.join()
    assert notifications.read() != seen


@pytest.mark.services
def test_notifications_end_a_wait_that_is_woken(notifications: Notifications) -> None:
    seen = settled(notifications)
    timer = threading.Timer(0.1, notifications.wake)
    timer.start()
    assert waited_s(lambda: notifications.wait(seen, PATIENCE_S, 0.0)) < PATIENCE_S
    timer.join()


@pytest.mark.services
def test_notifications_close_without_waiting_for_the_server(postgresql_table: JobTable) -> None:
    notifications = Notifications(postgresql_table.engine, slow_poll_s=60.0)
    settled(notifications)
    assert waited_s(notifications.close) < PATIENCE_S


@pytest.mark.services
def test_notifications_come_again_when_the_connection_was_cut(
    postgresql_table: JobTable, notifications: Notifications, postgresql: Server
) -> None:
    user, seen = postgresql_table.add_user("ann"), settled(notifications)
    postgresql.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'recto%'")
    assert changed(notifications, seen)  # who waits has to look for themselves meanwhile
    seen = settled(notifications)
    postgresql_table.submit(user)
    assert changed(notifications, seen)


@pytest.mark.services
def test_notifications_that_were_missed_are_made_up_by_the_slow_poll(
    postgresql_table: JobTable, notifications: Notifications
) -> None:
    seen = settled(notifications)
    with postgresql_table.engine.begin() as connection:
        connection.execute(text("ALTER TABLE change_counter DISABLE TRIGGER change_counter_tell"))
        connection.execute(text("UPDATE change_counter SET value = value + 1"))
    assert changed(notifications, seen)
