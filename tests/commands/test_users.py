import json

import pytest

from recto import accounts, audit
from recto.users import sign_ins
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


def test_users_audit_lists_what_was_done_newest_first(command_line: CommandLine, table: JobTable, ann: int) -> None:
    assert command_line("users", "audit").out == "Nothing was noted yet.\n"
    command_line("users", "add", "eve", "--password-stdin", stdin="correct horse\n")
    command_line("users", "password", "eve", "--password-stdin", stdin="something new\n")
    token = command_line("tokens", "create", "eve").out.strip()
    (row,) = json.loads(command_line("tokens", "list", "--json").out)
    command_line("tokens", "revoke", "eve", str(row["id"]))
    uuid = table.submit(ann)
    command_line("jobs", "delete", uuid)
    command_line("users", "remove", "eve")
    rows = json.loads(command_line("users", "audit", "--json").out)
    assert [(row["action"], row["about"]) for row in rows] == [
        ("user_removed", "eve"),
        ("job_deleted", uuid),
        ("token_revoked", f"eve: {token[:12]}…"),
        ("token_created", f"eve: {token[:12]}… jobs:read jobs:write"),
        ("password_changed", "eve"),
        ("user_created", "eve"),
    ]
    assert {row["user"] for row in rows} == {"(command line)"}
    shown = command_line("users", "audit", "--limit", "2").out
    assert shown.splitlines()[0].split() == ["time", "action", "user", "about", "address"]
    assert len(shown.splitlines()) == 4
    assert token not in command_line("users", "audit").out


def test_users_audit_of_one_user_is_what_they_did_and_what_was_done_to_them(
    command_line: CommandLine, table: JobTable
) -> None:
    for name in ("eve", "eve_", "evex"):
        command_line("users", "add", name, "--password-stdin", stdin="correct horse\n")
        command_line("tokens", "create", name)
    table.do(audit.note, audit.Event(audit.Action.SIGNED_IN, "eve_", address="203.0.113.7"))
    rows = json.loads(command_line("users", "audit", "--user", "eve_", "--json").out)
    assert [row["action"] for row in rows] == ["signed_in", "token_created", "user_created"]


def test_users_password_lets_a_locked_user_in(command_line: CommandLine, table: JobTable, bob: int) -> None:
    limits = sign_ins.SignInLimits(1, 10, 900)
    table.do(sign_ins.begin_attempt, limits, "bob", "203.0.113.7")
    command_line("users", "password", "bob", "--password-stdin", stdin="something new\n")
    table.do(sign_ins.begin_attempt, limits, "bob", "203.0.113.7")


def test_retention_of_a_user_is_set_noted_and_taken_back(command_line: CommandLine, table: JobTable, ann: int) -> None:
    assert command_line("users", "retention", "ann", "30d").status == 0
    first = table.submit(ann)
    assert command_line("users", "retention", "ann", "default").status == 0
    assert (table.job(first).retention_s, table.job(table.submit(ann)).retention_s) == (30 * 86_400, None)
    assert "ann: 30d" in command_line("users", "audit", "--user", "ann").out
    assert command_line("users", "retention", "ann", "soon").status == 1
    assert command_line("users", "retention", "nobody", "30d").status == 1


def test_storage_shows_who_keeps_how_much(command_line: CommandLine, table: JobTable, ann: int, bob: int) -> None:
    table.submit(ann)
    shown = command_line("users", "storage")
    assert shown.out.index("ann") < shown.out.index("bob")
    assert "never yet" in shown.out
    (first, _) = json.loads(command_line("users", "storage", "--json").out)
    assert (first["name"], first["documents"], first["bytes"], first["max_bytes"]) == ("ann", 1, 1000, None)
