import json

from recto import accounts
from tests.conftest import CommandLine, JobTable


def test_tokens_create_prints_a_token_that_works(command_line: CommandLine, table: JobTable, ann: int) -> None:
    done = command_line("tokens", "create", "ann", "--name", "scanner")
    assert (done.status, done.err) == (0, "")
    found = table.read(accounts.account_of_token, done.out.strip())
    assert found is not None
    assert found.account.id == ann


def test_tokens_create_for_nobody_says_so(command_line: CommandLine) -> None:
    done = command_line("tokens", "create", "eve")
    assert (done.status, done.out) == (1, "")
    assert "no user 'eve'" in done.err


def test_tokens_list_shows_no_whole_token(command_line: CommandLine, ann: int, bob: int) -> None:
    token = command_line("tokens", "create", "ann", "--name", "scanner").out.strip()
    command_line("tokens", "create", "bob")
    (row,) = json.loads(command_line("tokens", "list", "--user", "ann", "--json").out)
    assert (row["name"], row["user"]) == ("scanner", "ann")
    shown = command_line("tokens", "list").out
    assert "command line" in shown
    assert token not in shown


def test_tokens_list_without_tokens_says_so(command_line: CommandLine) -> None:
    assert command_line("tokens", "list").out == "There are no tokens.\n"


def test_tokens_revoke_ends_the_users_token_alone(
    command_line: CommandLine, table: JobTable, ann: int, bob: int
) -> None:
    token = command_line("tokens", "create", "ann").out.strip()
    (row,) = json.loads(command_line("tokens", "list", "--json").out)
    refused = command_line("tokens", "revoke", "bob", str(row["id"]))
    assert (refused.status, "no such token" in refused.err) == (1, True)
    done = command_line("tokens", "revoke", "ann", str(row["id"]))
    assert (done.status, done.out) == (0, f"Token {row['id']} is revoked.\n")
    assert table.read(accounts.account_of_token, token) is None


def test_tokens_create_takes_scopes_and_days(command_line: CommandLine, table: JobTable, ann: int) -> None:
    token = command_line("tokens", "create", "ann", "--scope", "jobs:read", "--days", "30").out.strip()
    found = table.read(accounts.account_of_token, token)
    assert found is not None
    assert found.scopes == {"jobs:read"}
    (row,) = json.loads(command_line("tokens", "list", "--json").out)
    assert row["scopes"] == "jobs:read"
    assert row["expires"] > row["created"]


def test_tokens_create_with_what_cannot_be_says_so(command_line: CommandLine, ann: int) -> None:
    refused = command_line("tokens", "create", "ann", "--scope", "admin")
    assert (refused.status, "Only an administrator's token" in refused.err) == (1, True)
    refused = command_line("tokens", "create", "ann", "--days", "0")
    assert (refused.status, "1 to 36,500 days" in refused.err) == (1, True)
    assert command_line("tokens", "create", "ann", "--scope", "jobs:paint").status == 2
