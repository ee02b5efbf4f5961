import pytest
from sqlalchemy import func, select

from models import IdempotencyKey
from recto.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from recto.records.idempotency import IdempotencyKeys, KeyedRequest, fingerprint
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database

LIFETIME_S = 3600


@pytest.fixture
def keys(table: JobTable) -> IdempotencyKeys:
    return IdempotencyKeys(LIFETIME_S, table.clock)


def count(table: JobTable) -> int:
    with table.sessions() as session:
        return session.scalars(select(func.count()).select_from(IdempotencyKey)).one()


def test_key_finds_its_job_until_its_lifetime_has_passed(table: JobTable, keys: IdempotencyKeys, ann: int) -> None:
    request, uuid = KeyedRequest(ann, "a", fingerprint("x")), table.submit(ann)
    assert table.read(keys.find, request) is None
    table.do(keys.record, request, uuid)
    table.clock.move(LIFETIME_S - 1)
    assert table.read(keys.find, request) == uuid
    table.clock.move(1)
    assert table.read(keys.find, request) is None


def test_key_with_another_fingerprint_is_refused(table: JobTable, keys: IdempotencyKeys, ann: int) -> None:
    table.do(keys.record, KeyedRequest(ann, "a", fingerprint("x")), table.submit(ann))
    with pytest.raises(IdempotencyKeyReused):
        table.read(keys.find, KeyedRequest(ann, "a", fingerprint("y")))


def test_key_that_is_recorded_already_is_in_use_whatever_came_with_it(
    table: JobTable, keys: IdempotencyKeys, ann: int
) -> None:
    table.do(keys.record, KeyedRequest(ann, "a", fingerprint("x")), table.submit(ann))
    for content in ("x", "y"):
        with pytest.raises(IdempotencyKeyInUse):
            table.do(keys.record, KeyedRequest(ann, "a", fingerprint(content)), table.submit(ann))
    assert count(table) == 1


def test_recording_sweeps_what_is_older_than_the_lifetime(table: JobTable, keys: IdempotencyKeys, ann: int) -> None:
    for key in ("a", "b"):
        table.do(keys.record, KeyedRequest(ann, key, fingerprint("x")), table.submit(ann))
    table.clock.move(LIFETIME_S)
    later = table.submit(ann)
    table.do(keys.record, KeyedRequest(ann, "a", fingerprint("y")), later)
    assert table.read(keys.find, KeyedRequest(ann, "a", fingerprint("y"))) == later
    assert count(table) == 1


def test_deletion_of_the_job_frees_its_key(table: JobTable, keys: IdempotencyKeys, ann: int) -> None:
    request, uuid = KeyedRequest(ann, "a", fingerprint("x")), table.submit(ann)
    table.do(keys.record, request, uuid)
    table.do(table.jobs.delete, ann, uuid)
    assert table.read(keys.find, request) is None
    assert count(table) == 0


def test_fingerprint_depends_on_values_and_not_on_their_order() -> None:
    assert fingerprint("a", {"b": 1, "c": 2}) == fingerprint("a", {"c": 2, "b": 1})
    assert fingerprint("a", {"b": 1}) != fingerprint("a", {"b": 2})
    assert len(fingerprint()) == 64
