from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from models import SignInAttempt
from recto.errors import TooManySignIns
from recto.users.sign_ins import SignInLimits, address_group, begin_attempt, forget_attempt, forget_name
from tests.conftest import SECOND_US, JobTable

pytestmark = pytest.mark.each_database(long=True)

LIMITS = SignInLimits(per_name=3, per_address=5, window_s=900)
HOME = "203.0.113.7"


def attempt(table: JobTable, name: str, address: str = HOME) -> int:
    return table.do(begin_attempt, LIMITS, name, address)


def pass_time(table: JobTable, seconds: float) -> None:
    """Make every attempt that many seconds older."""
    with table.sessions() as session:
        session.execute(
            update(SignInAttempt).values(timestamp_us=SignInAttempt.timestamp_us - round(seconds * SECOND_US))
        )
        session.commit()


def count(table: JobTable) -> int:
    with table.sessions() as session:
        return session.scalar(select(func.count()).select_from(SignInAttempt)) or 0


def test_attempts_above_the_limit_of_a_name_are_refused_from_every_address(table: JobTable) -> None:
    for number in range(LIMITS.per_name):
        attempt(table, "ada", f"203.0.113.{number}")
    with pytest.raises(TooManySignIns, match="Wait 15 minutes") as refused:
        attempt(table, "ada", "198.51.100.1")
    assert 895 <= refused.value.members["retry_after_s"] <= 900
    attempt(table, "bob", "198.51.100.1")


def test_attempts_above_the_limit_of_an_address_are_refused_for_every_name(table: JobTable) -> None:
    for number in range(LIMITS.per_address):
        attempt(table, f"user {number}")
    with pytest.raises(TooManySignIns):
        attempt(table, "somebody else")
    attempt(table, "somebody else", "198.51.100.1")


def test_refused_attempt_does_not_make_the_wait_longer(table: JobTable) -> None:
    for _ in range(LIMITS.per_name):
        attempt(table, "ada")
    pass_time(table, 890)
    for _ in range(5):
        with pytest.raises(TooManySignIns, match="Wait 1 minute and") as refused:
            attempt(table, "ada")
        assert 1 <= refused.value.members["retry_after_s"] <= 10
    assert count(table) == LIMITS.per_name
    pass_time(table, 11)
    attempt(table, "ada")


def test_old_attempts_are_forgotten_one_after_another(table: JobTable) -> None:
    for _ in range(LIMITS.per_name):
        attempt(table, "ada")
        pass_time(table, 400)
    attempt(table, "ada")  # the first is 1,200 s old
    assert count(table) == LIMITS.per_name
    with pytest.raises(TooManySignIns) as refused:
        attempt(table, "ada")
    assert 95 <= refused.value.members["retry_after_s"] <= 100


def test_attempt_that_succeeded_counts_no_more(table: JobTable) -> None:
    for _ in range(10):
        table.do(forget_attempt, attempt(table, "ada"))
    assert count(table) == 0


def test_forgotten_name_may_try_again_at_once(table: JobTable) -> None:
    for _ in range(LIMITS.per_name):
        attempt(table, "ada")
    table.do(forget_name, "ada")
    attempt(table, "ada")


def test_attempts_of_the_future_are_not_held_against_anybody(table: JobTable) -> None:
    """The clock was an hour ahead, and was set right."""
    for _ in range(LIMITS.per_name):
        attempt(table, "ada")
    pass_time(table, -3600)
    attempt(table, "ada")


@pytest.mark.parametrize("name", ["", "x" * 100_000, "a\x00b", "\udcff", "correct horse battery staple"])
def test_name_is_kept_as_its_hash_whatever_it_is(table: JobTable, name: str) -> None:
    attempt(table, name)
    with table.sessions() as session:
        kept = session.scalars(select(SignInAttempt.name_hash)).one()
    assert len(kept) == 64
    assert int(kept, 16)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", ""),
        ("unix:" + "x" * 200, "unix:" + "x" * 59),
    ],
)
def test_address_counts_with_those_of_the_same_customer(address: str, group: str) -> None:
    assert address_group(address) == group


@given(st.ip_addresses(v=6, network="2001:db8::/32"), st.integers(0, 2**64 - 1))
def test_addresses_of_one_ipv6_network_are_one(address: IPv6Address, host: int) -> None:
    network = IPv6Network((int(address), 64), strict=False)
    assert address_group(str(address)) == address_group(str(network[host])) == str(network)


@given(st.text(max_size=300))
def test_address_group_fits_its_column(address: str) -> None:
    assert len(address_group(address)) <= 64
