import json

import pytest

from recto import accounts
from tests.conftest import CommandLine, JobTable


def test_users_add_makes_a_user_with_the_password_given(command_line: CommandLine, table: JobTable) -> None:
    done = command_line("users", "add", "ann", "--admin", "--password-stdin", stdin="correct horse\n")
    assert (done.status, done.out, done.err) == (0, "Added ann.\n", "")
    account = table.read(accounts.check_password, "ann", "correct horse")
    assert account is not None
    assert account.is_admin


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (("add", "bob", "--password-stdin"), "long enough\n", "Error: There is a user 'bob' already."),
        (("add", "eve", "--password-stdin"), "short\n", "Error: A password needs at least 8 characters."),
        (("add", "eve"), "", "Error: There is no terminal to ask for the password."),
        (("password", "eve", "--password-stdin"), "long enough\n", "Error: There is no user 'eve'."),
        (("remove", "eve"), "", "Error: There is no user 'eve'."),
    ],
)
def test_users_command_that_cannot_be_done_says_why(
    command_line: CommandLine, bob: int, arguments: tuple[str, ...], stdin: str, message: str
) -> None:
    done = command_line("users", *arguments, stdin=stdin)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(message)


def test_users_password_replaces_it(command_line: CommandLine, table: JobTable, bob: int) -> None:
    done = command_line("users", "password", "bob", "--password-stdin", stdin="something new\n")
    assert (done.status, done.out) == (0, "The password of bob is set.\n")
    assert table.read(accounts.check_password, "bob", "something new") is not None


def test_users_list_is_a_table_or_json(command_line: CommandLine, ann: int, bob: int) -> None:
    shown = command_line("users", "list").out
    assert shown.splitlines()[0].split() == ["id", "name", "is_admin", "created", "jobs"]
    rows = json.loads(command_line("users", "list", "--json").out)
    assert [(row["id"], row["name"]) for row in rows] == [(ann, "ann"), (bob, "bob")]


def test_users_list_without_users_says_so(command_line: CommandLine) -> None:
    assert command_line("users", "list").out == "There are no users yet.\n"
    assert json.loads(command_line("users", "list", "--json").out) == []


def test_users_remove_leaves_a_user_with_jobs(command_line: CommandLine, table: JobTable, ann: int) -> None:
    table.submit(ann)
    refused = command_line("users", "remove", "ann")
    assert refused.status == 1
    assert "jobs list --user ann" in refused.err


def test_users_remove_takes_the_user_away(command_line: CommandLine, table: JobTable, ann: int) -> None:
    assert command_line("users", "remove", "ann").out == "Removed ann.\n"
    assert not table.read(accounts.has_users)


def test_wrong_usage_is_exit_status_two(command_line: CommandLine) -> None:
    for arguments in (("users", "add"), ("users", "paint"), ("users", "list", "--colour"), ("nothing",)):
        done = command_line(*arguments)
        assert (done.status, done.out) == (2, "")
        assert "Error" in done.err


def test_wrong_settings_are_exit_status_78(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECTO_SERVER_PORT", "many")
    done = command_line("users", "list")
    assert (done.status, done.out) == (78, "")
    assert done.err.startswith("Error: RECTO_SERVER_PORT")


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("users", "--help"), ("--version",)])
def test_help_and_version_are_exit_status_zero(command_line: CommandLine, arguments: tuple[str, ...]) -> None:
    done = command_line(*arguments)
    assert (done.status, done.err) == (0, "")
    assert done.out
