import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from models import AuditEvent
from recto.audit import Action, Event, forget_old, list_events, note
from recto.database.connections import NowMicroseconds
from tests.conftest import JobTable

pytestmark = pytest.mark.each_database(long=True)

SIGNED_IN = Event(Action.SIGNED_IN, "ada", address="203.0.113.7")
DAY_S = 86_400


def test_events_come_newest_first_and_no_more_than_asked_for(table: JobTable) -> None:
    for number in range(5):
        table.do(note, Event(Action.JOB_DELETED, "ada", about=str(number)))
    listed = table.read(list_events, 3)
    assert [noted.event.about for noted in listed] == ["4", "3", "2"]
    assert listed[0].timestamp >= listed[2].timestamp


def test_event_that_is_too_long_is_cut(table: JobTable) -> None:
    table.do(note, Event(Action.SIGN_IN_REFUSED, "n" * 500, "a" * 500, "9" * 500))
    (noted,) = table.read(list_events, 10)
    assert (len(noted.event.user), len(noted.event.about), len(noted.event.address)) == (100, 200, 64)


def test_event_is_never_changed(table: JobTable) -> None:
    table.do(note, SIGNED_IN)
    with table.engine.connect() as connection, pytest.raises(IntegrityError, match="append-only"):
        connection.execute(text("UPDATE audit_event SET user_name = 'eve'"))
    assert [noted.event for noted in table.read(list_events, 10)] == [SIGNED_IN]


def test_old_events_are_forgotten_and_younger_ones_stay(table: JobTable) -> None:
    with table.engine.begin() as connection:
        for age_s in (DAY_S + 60, DAY_S - 60):
            at_us = NowMicroseconds() - age_s * 1_000_000
            about = {"action": "signed_in", "user_name": "ada", "about": str(age_s), "address": ""}
            connection.execute(insert(AuditEvent).values(timestamp_us=at_us, **about))
    table.do(forget_old, DAY_S)
    assert [noted.event.about for noted in table.read(list_events, 10)] == [str(DAY_S - 60)]
