import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from models import ApiToken, UserSession
from recto import accounts
from recto.accounts import Account, Scope
from recto.errors import (
    NotAllowed,
    OptionInvalid,
    PasswordRejected,
    TokenNotFound,
    UserExists,
    UserHasJobs,
    UserNotFound,
)
from tests.conftest import SECOND_US, JobTable

pytestmark = pytest.mark.each_database(long=True)

PASSWORD = "correct horse"
HASH = accounts.hash_password(PASSWORD)
DAY_S = 86400


@pytest.fixture
def account(table: JobTable) -> Account:
    table.do(accounts.create_user, "ann", HASH)
    return table.read(accounts.find_user, "ann")


def test_password_hash_is_argon2id_and_never_twice_the_same() -> None:
    assert HASH.startswith("$argon2id$")
    assert accounts.hash_password(PASSWORD) != HASH


def test_short_password_is_rejected_with_what_it_needs() -> None:
    with pytest.raises(PasswordRejected, match="at least 8 characters"):
        accounts.hash_password("1234567")


def test_create_user_makes_an_account_that_can_be_found(table: JobTable) -> None:
    assert not table.read(accounts.has_users)
    user_id = table.do(accounts.create_user, "root", HASH, is_admin=True)
    assert table.read(accounts.has_users)
    assert table.read(accounts.find_user, "root") == Account(user_id, "root", is_admin=True)


def test_create_user_with_a_taken_name_is_user_exists(table: JobTable, account: Account) -> None:
    with pytest.raises(UserExists, match="'ann'"):
        table.do(accounts.create_user, "ann", HASH)


def test_find_user_that_is_not_there_is_user_not_found(table: JobTable) -> None:
    with pytest.raises(UserNotFound, match="'eve'"):
        table.read(accounts.find_user, "eve")


def test_list_users_is_sorted_by_name(table: JobTable) -> None:
    for name in ("bob", "ann"):
        table.do(accounts.create_user, name, HASH)
    assert [user.name for user in table.read(accounts.list_users)] == ["ann", "bob"]


def test_check_password_knows_right_from_wrong(table: JobTable, account: Account) -> None:
    assert table.read(accounts.check_password, "ann", PASSWORD) == account
    assert table.read(accounts.check_password, "ann", "wrong horse") is None
    assert table.read(accounts.check_password, "eve", PASSWORD) is None


def test_check_password_takes_as_long_for_a_user_who_is_not_there(table: JobTable, account: Account) -> None:
    def took_s(name: str) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            table.read(accounts.check_password, name, "wrong horse")
            times.append(time.perf_counter() - start)
        return min(times)

    took_s("eve")
    assert took_s("eve") > took_s("ann") / 3


def test_check_password_against_a_broken_hash_is_no_match(table: JobTable) -> None:
    table.do(accounts.create_user, "old", "not a hash")
    assert table.read(accounts.check_password, "old", PASSWORD) is None


def test_set_password_replaces_it_and_ends_the_other_sign_ins(table: JobTable, account: Account) -> None:
    here = table.do(accounts.sign_in, account, "127.0.0.1", "this browser")
    there = table.do(accounts.sign_in, account, "10.0.0.1", "another")
    table.do(accounts.set_password, account.id, accounts.hash_password("new password"), keep_secret=here)
    assert table.read(accounts.check_password, "ann", "new password") == account
    assert table.read(accounts.check_password, "ann", PASSWORD) is None
    assert table.read(accounts.account_of_session, here, DAY_S) is not None
    assert table.read(accounts.account_of_session, there, DAY_S) is None


def test_set_password_by_an_administrator_ends_every_sign_in(table: JobTable, account: Account) -> None:
    secret = table.do(accounts.sign_in, account, "127.0.0.1", "browser")
    table.do(accounts.set_password, account.id, HASH)
    assert table.read(accounts.account_of_session, secret, DAY_S) is None


def test_sign_in_keeps_the_secret_as_a_hash_alone(table: JobTable, account: Account) -> None:
    secret = table.do(accounts.sign_in, account, "1" * 100, "x" * 1000)
    with table.sessions() as session:
        row = session.scalars(select(UserSession)).one()
    assert secret not in (row.secret_hash, row.address, row.user_agent)
    assert (len(row.secret_hash), len(row.address), len(row.user_agent)) == (64, 64, 200)


def test_sign_in_is_recognised_until_it_is_ended(table: JobTable, account: Account) -> None:
    secret = table.do(accounts.sign_in, account, "127.0.0.1", "browser")
    found = table.read(accounts.account_of_session, secret, DAY_S)
    assert found is not None
    assert (found.account, found.is_stale) == (account, False)
    assert table.read(accounts.account_of_session, f"{secret}x", DAY_S) is None
    table.do(accounts.sign_out, secret)
    assert table.read(accounts.account_of_session, secret, DAY_S) is None


def test_sign_in_that_was_not_used_for_long_has_ended(table: JobTable, account: Account) -> None:
    secret = table.do(accounts.sign_in, account, "127.0.0.1", "browser")
    with table.sessions() as session:
        session.execute(update(UserSession).values(seen_us=UserSession.seen_us - 3600 * SECOND_US))
        session.commit()
    found = table.read(accounts.account_of_session, secret, 3700)
    assert found is not None
    assert found.is_stale
    assert table.read(accounts.account_of_session, secret, 3500) is None
    table.do(accounts.touch_session, secret)
    assert table.read(accounts.account_of_session, secret, 3500) == replace(found, is_stale=False)


def test_token_is_recognised_by_its_hash(table: JobTable, account: Account) -> None:
    token = table.do(accounts.create_token, account.id, "scanner")
    assert token.startswith(accounts.TOKEN_PREFIX)
    with table.sessions() as session:
        row = session.scalars(select(ApiToken)).one()
    assert row.token_hash != token
    assert token.startswith(row.prefix)
    assert len(row.prefix) < len(token) / 3
    found = table.read(accounts.account_of_token, token)
    assert found is not None
    assert (found.account, found.is_stale) == (account, True)
    assert table.read(accounts.account_of_token, row.token_hash) is None


def test_token_that_was_used_just_now_needs_no_other_write(table: JobTable, account: Account) -> None:
    token = table.do(accounts.create_token, account.id, "scanner")
    (before,) = table.read(accounts.list_tokens, account.id)
    table.do(accounts.touch_token, token)
    (after,) = table.read(accounts.list_tokens, account.id)
    found = table.read(accounts.account_of_token, token)
    assert found is not None
    assert not found.is_stale
    assert before.last_used is None
    assert after.last_used is not None
    assert after.last_used >= after.created


def test_revoked_token_is_recognised_no_more(table: JobTable, account: Account) -> None:
    token = table.do(accounts.create_token, account.id, "scanner")
    (view,) = table.read(accounts.list_tokens, account.id)
    table.do(accounts.revoke_token, account.id, view.id)
    assert table.read(accounts.account_of_token, token) is None
    assert table.read(accounts.list_tokens, account.id) == []


def test_revoke_token_of_somebody_else_is_token_not_found(table: JobTable, account: Account, bob: int) -> None:
    token = table.do(accounts.create_token, account.id, "scanner")
    (view,) = table.read(accounts.list_tokens, account.id)
    with pytest.raises(TokenNotFound):
        table.do(accounts.revoke_token, bob, view.id)
    assert table.read(accounts.account_of_token, token) is not None


def test_delete_user_takes_tokens_and_sign_ins_along(table: JobTable, account: Account) -> None:
    table.do(accounts.create_token, account.id, "scanner")
    table.do(accounts.sign_in, account, "127.0.0.1", "browser")
    table.do(accounts.delete_user, "ann")
    with table.sessions() as session:
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 0
        assert session.scalar(select(func.count()).select_from(UserSession)) == 0
    assert not table.read(accounts.has_users)


def test_delete_user_with_jobs_is_user_has_jobs(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    with pytest.raises(UserHasJobs, match="ann"):
        table.do(accounts.delete_user, "ann")
    assert table.row(uuid) is not None


def test_delete_user_whose_jobs_were_deleted_succeeds(table: JobTable, ann: int) -> None:
    table.do(table.jobs.delete, ann, table.submit(ann))
    table.do(accounts.delete_user, "ann")
    assert not table.read(accounts.has_users)


def test_delete_user_that_is_not_there_is_user_not_found(table: JobTable) -> None:
    with pytest.raises(UserNotFound):
        table.do(accounts.delete_user, "eve")


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", " admin"])
def test_create_user_with_a_name_that_is_none_is_refused(table: JobTable, name: str) -> None:
    with pytest.raises(OptionInvalid, match="1 to 100 printable characters"):
        table.do(accounts.create_user, name, HASH)


def test_token_has_the_scopes_it_was_made_with_and_by_default_those_for_jobs(table: JobTable, account: Account) -> None:
    usual = table.do(accounts.create_token, account.id, "usual")
    reader = table.do(accounts.create_token, account.id, "reader", (Scope.JOBS_READ,))
    for token, scopes in ((usual, {Scope.JOBS_READ, Scope.JOBS_WRITE}), (reader, {Scope.JOBS_READ})):
        found = table.read(accounts.account_of_token, token)
        assert found is not None
        assert found.scopes == scopes
        assert set(table.read(accounts.find_token, token).scopes) == scopes


def test_sign_in_has_every_scope_but_admin_for_who_is_none(table: JobTable, account: Account) -> None:
    root = Account(table.do(accounts.create_user, "root", HASH, is_admin=True), "root", is_admin=True)
    for who, scopes in ((account, {Scope.JOBS_READ, Scope.JOBS_WRITE}), (root, set(Scope))):
        found = table.read(accounts.account_of_session, table.do(accounts.sign_in, who, "", ""), DAY_S)
        assert found is not None
        assert found.scopes == scopes


def test_scope_admin_for_who_is_no_administrator_is_not_allowed(table: JobTable, account: Account) -> None:
    with pytest.raises(NotAllowed, match="Only an administrator"):
        table.do(accounts.create_token, account.id, "root", (Scope.ADMIN,))
    assert table.read(accounts.list_tokens, account.id) == []


def test_token_works_until_it_expires(table: JobTable, account: Account) -> None:
    token = table.do(accounts.create_token, account.id, "scanner", lifetime_days=1)
    (view,) = table.read(accounts.list_tokens, account.id)
    assert view.expires is not None
    assert (view.expires - view.created).total_seconds() == DAY_S
    assert not view.is_expired
    assert table.read(accounts.account_of_token, token) is not None
    with table.sessions() as session:
        session.execute(update(ApiToken).values(expires_us=ApiToken.created_us))
        session.commit()
    assert table.read(accounts.account_of_token, token) is None
    assert table.read(accounts.find_token, token).is_expired


@pytest.mark.parametrize("days", [0, -1, accounts.MAX_TOKEN_LIFETIME_DAYS + 1, 10**12])
def test_token_for_no_time_or_for_ever_is_refused(table: JobTable, account: Account, days: int) -> None:
    with pytest.raises(OptionInvalid, match="1 to 36,500 days"):
        table.do(accounts.create_token, account.id, "scanner", lifetime_days=days)


def test_token_that_never_was_is_token_not_found(table: JobTable) -> None:
    with pytest.raises(TokenNotFound):
        table.read(accounts.find_token, "recto_never")


def test_scopes_are_read_in_one_order_and_wrong_ones_named() -> None:
    assert accounts.parse_scopes(" jobs:write  jobs:read jobs:write") == (Scope.JOBS_READ, Scope.JOBS_WRITE)
    for wrong in ("", " ", "jobs", "jobs:read,jobs:write", "ADMIN"):
        with pytest.raises(OptionInvalid, match="jobs:read, jobs:write, admin"):
            accounts.parse_scopes(wrong)
