import pytest

from recto import accounts
from recto.accounts import Account
from recto.errors import NotAllowed, OptionInvalid, SessionNotFound, UserDisabled, UserNotFound, UserQueueFull
from recto.records.retention import LONGEST_S
from recto.users.administration import (
    MOST_NUMBER,
    UserLimits,
    details_of,
    list_details,
    new_password,
    set_disabled,
    set_limits,
)
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database(long=True)

LIFETIME_S = 3600


@pytest.fixture
def root(table: JobTable) -> int:
    """The id of an administrator."""
    return table.do(accounts.create_user, "root", "-", is_admin=True)


@pytest.fixture
def eve(table: JobTable) -> Account:
    """A user with a password."""
    password_hash = accounts.hash_password("right horse")
    return Account(table.do(accounts.create_user, "eve", password_hash), "eve", is_admin=False)


def sign_in(table: JobTable, account: Account, address: str = "203.0.113.7") -> str:
    return table.do(accounts.sign_in, account, address, "Firefox")


def test_users_come_by_name_with_what_they_keep(table: JobTable, root: int, bob: int, ann: int) -> None:
    table.submit(bob)
    listed = table.read(list_details, 10)
    assert [(user.name, user.is_admin, user.stored_documents, user.stored_bytes) for user in listed] == [
        ("ann", False, 0, 0),
        ("bob", False, 1, 1000),
        ("root", True, 0, 0),
    ]
    assert [user.name for user in table.read(list_details, 1, "ann")] == ["bob"]


def test_last_use_is_that_of_the_sign_ins(table: JobTable, eve: Account) -> None:
    assert table.read(details_of, eve.id).seen is None
    sign_in(table, eve)
    assert table.read(details_of, eve.id).seen is not None


def test_who_is_disabled_is_shut_out_with_their_programs_until_enabled(
    table: JobTable, root: int, eve: Account
) -> None:
    secret, token = sign_in(table, eve), table.do(accounts.create_token, eve.id, "scanner")
    table.do(set_disabled, eve.id, root, is_disabled=True)
    assert table.read(accounts.account_of_session, secret, LIFETIME_S) is None
    assert table.read(accounts.account_of_token, token) is None
    with pytest.raises(UserDisabled, match="administrator"):
        table.read(accounts.check_password, "eve", "right horse")
    assert table.read(accounts.check_password, "eve", "wrong") is None
    table.do(set_disabled, eve.id, root, is_disabled=False)
    assert table.read(accounts.account_of_session, secret, LIFETIME_S) is None  # ended, not asleep
    assert table.read(accounts.account_of_token, token) is not None
    assert table.read(accounts.check_password, "eve", "right horse") == eve


def test_administrator_does_not_disable_themself(table: JobTable, root: int) -> None:
    with pytest.raises(NotAllowed, match="another administrator"):
        table.do(set_disabled, root, root, is_disabled=True)


def test_user_that_is_not_there_is_user_not_found(table: JobTable, root: int) -> None:
    with pytest.raises(UserNotFound):
        table.do(set_disabled, 4711, root, is_disabled=True)
    with pytest.raises(UserNotFound):
        table.do(set_limits, 4711, UserLimits())


@pytest.mark.parametrize(
    "limits",
    [
        UserLimits(-1, None),
        UserLimits(MOST_NUMBER + 1, None),
        UserLimits(None, -1),
        UserLimits(None, 2**31),
        UserLimits(retention_s=-1),
        UserLimits(retention_s=LONGEST_S + 1),
    ],
)
def test_limit_that_is_none_is_refused(table: JobTable, ann: int, limits: UserLimits) -> None:
    with pytest.raises(OptionInvalid, match="0"):
        table.do(set_limits, ann, limits)


def test_limit_of_unfinished_jobs_counts_in_the_place_of_everybodys(table: JobTable, ann: int, bob: int) -> None:
    table.do(set_limits, ann, UserLimits(max_unfinished=1))
    table.submit(ann)
    with pytest.raises(UserQueueFull, match="1 unfinished") as caught:
        table.submit(ann)
    assert caught.value.members == {"limit": 1}
    for _ in range(2):
        table.submit(bob)


def test_new_passwords_differ_and_are_accepted() -> None:
    passwords = {new_password() for _ in range(100)}
    assert len(passwords) == 100
    for password in passwords:
        accounts.check_new_password(password)


def test_sign_ins_are_listed_with_the_current_one_named_and_ended_one_by_one(table: JobTable, eve: Account) -> None:
    current, other = sign_in(table, eve), sign_in(table, eve, "198.51.100.9")
    listed = table.read(accounts.list_sessions, eve.id, LIFETIME_S, current)
    assert {(one.address, one.is_current) for one in listed} == {("203.0.113.7", True), ("198.51.100.9", False)}
    ended = next(one for one in listed if not one.is_current)
    table.do(accounts.end_session, eve.id, ended.id)
    assert table.read(accounts.account_of_session, other, LIFETIME_S) is None
    assert table.read(accounts.account_of_session, current, LIFETIME_S) is not None


def test_sign_in_of_somebody_else_is_not_found(table: JobTable, eve: Account, ann: int) -> None:
    secret = sign_in(table, eve)
    (own,) = table.read(accounts.list_sessions, eve.id, LIFETIME_S, secret)
    with pytest.raises(SessionNotFound):
        table.do(accounts.end_session, ann, own.id)
    assert table.read(accounts.account_of_session, secret, LIFETIME_S) is not None


def test_sign_in_that_was_not_used_for_long_is_not_listed(table: JobTable, eve: Account) -> None:
    secret = sign_in(table, eve)
    assert table.read(accounts.list_sessions, eve.id, 0, secret) == []
