"""The events of jobs: each write that clients hear of, once, in order, as long as the job is there."""

import pytest
from sqlalchemy import literal

from models import JobStatus
from recto import workers
from recto.errors import JobNotFound, PageDamaged, StorageFull
from recto.jobs import Claim
from recto.records.job_events import (
    Event,
    EventKind,
    PageNews,
    Progress,
    StatusNews,
    events_after,
    forget_events,
    is_over,
)
from recto.views.jobs import Reason, latest_change
from tests.conftest import START_US, JobTable, new_submission
from tests.query_costs import plans_of

pytestmark = pytest.mark.each_database

ALL = 1000
ERROR = PageDamaged("Page 2 is damaged. Scan it anew.")


def events(table: JobTable, user_id: int, uuid: str | None = None, after: int = 0, limit: int = ALL) -> list[Event]:
    return list(table.read(events_after, user_id, uuid, after, limit))


def kinds(told: list[Event]) -> list[str]:
    return [event.kind.value for event in told]


def opened(table: JobTable, page_count: int = 3) -> Claim:
    claim = table.claim()
    table.do(table.jobs.set_page_count, claim.lease, page_count)
    return claim


def statuses(told: list[Event]) -> list[StatusNews]:
    return [event.news for event in told if isinstance(event.news, StatusNews)]


def test_events_of_a_job_tell_its_whole_life_in_order(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    claim = opened(table, page_count=2)
    table.clock.move(1)
    table.do(table.jobs.adopt_page, claim.lease, 2, ERROR)
    table.do(table.jobs.adopt_page, claim.lease, 1)
    table.do(table.jobs.finish, claim.lease)
    told = events(table, ann, uuid)
    assert kinds(told) == ["status", "status", "progress", "page", "page", "end"]
    assert [event.progress for event in told] == [
        Progress(0, None, 0),
        Progress(0, None, 0),
        Progress(0, 2, 0),
        Progress(1, 2, 1),
        Progress(2, 2, 1),
        Progress(2, 2, 1),
    ]
    assert told[3].news == PageNews(2, claim.lease.token, Reason(ERROR.code, ERROR.detail))
    assert told[4].news == PageNews(1, claim.lease.token, None)
    assert [news.status.value for news in statuses(told)] == ["QUEUED", "IN_PROGRESS", "FINISHED"]
    assert [event.timestamp.timestamp() * 1_000_000 for event in told[::3]] == [START_US, START_US + 1_000_000]
    assert [event.is_last for event in told] == [False] * 5 + [True]


def test_ids_of_events_rise_and_stay_what_they_are(table: JobTable, ann: int) -> None:
    first, second = table.submit(ann), table.submit(ann)
    claim = opened(table)
    before = events(table, ann)
    table.do(table.jobs.adopt_page, claim.lease, 1)
    told = events(table, ann)
    assert told[: len(before)] == before
    assert [event.id for event in told] == sorted({event.id for event in told})
    assert {event.job_uuid for event in told} == {first, second}
    assert told[-1].id == table.read(latest_change) == table.job(claim.lease.job_uuid).change


def test_events_after_an_id_are_the_ones_that_follow(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.submit(ann)
    table.do(table.jobs.finish, opened(table).lease)
    for scope in (uuid, None):
        whole = events(table, ann, scope)
        for place, event in enumerate(whole):
            assert events(table, ann, scope, event.id) == whole[place + 1 :]


def test_requeue_and_second_attempt_repeat_no_page(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    first = opened(table)
    table.do(table.jobs.adopt_page, first.lease, 1)
    table.do(table.jobs.retry_later, first.lease, StorageFull("Full."))
    table.clock.move(60)
    second = opened(table)
    table.do(table.jobs.adopt_page, second.lease, 2)
    told = events(table, ann, uuid)
    assert kinds(told) == ["status", "status", "progress", "page", "status", "status", "progress", "page"]
    assert [news.attempt for news in statuses(told)] == [0, 1, 1, 2]
    assert statuses(told)[2].reason == Reason("storage_full", "Full.")
    pages = [event.news for event in told if isinstance(event.news, PageNews)]
    assert [(page.number, page.attempt_token) for page in pages] == [(1, first.lease.token), (2, second.lease.token)]
    assert told[-2].progress == Progress(1, 3, 0)


def test_answer_from_an_earlier_job_tells_each_page_and_the_end(table: JobTable, ann: int) -> None:
    table.do(workers.report, "one", "1", "double", ["eng"], 1, "v")
    table.submit(ann)
    source = opened(table, page_count=3)
    for number in (3, 1, 2):
        table.do(table.jobs.adopt_page, source.lease, number)
    table.do(table.jobs.finish, source.lease, "v")
    submission = new_submission(ann)
    table.do(table.jobs.submit_answered, submission, source.lease.job_uuid, "b" * 32)
    after = table.submit(ann)
    told = events(table, ann, submission.uuid)
    assert kinds(told) == ["status", "status", "page", "page", "page", "end"]
    assert [event.news for event in told[2:5]] == [PageNews(number, "b" * 32, None) for number in (1, 2, 3)]
    assert {event.progress for event in told} == {Progress(3, 3, 0)}
    assert [event.id for event in told] == list(range(told[0].id, told[0].id + 6))
    assert table.job(submission.uuid).change == told[-1].id == events(table, ann, after)[0].id - 1


def test_events_of_ended_jobs_are_forgotten_but_for_their_ends(table: JobTable, ann: int) -> None:
    table.submit(ann)
    claim = opened(table)
    table.do(table.jobs.adopt_page, claim.lease, 1)
    table.do(table.jobs.finish, claim.lease)
    waiting = table.submit(ann)
    table.clock.move(100)
    late = table.submit(ann)
    table.do(table.jobs.cancel, ann, late)
    before = events(table, ann)
    assert table.do(forget_events, literal(START_US), ALL) == 0
    assert table.do(forget_events, literal(START_US + 10), 3) == 3
    assert table.do(forget_events, literal(START_US + 10), 3) == 1
    assert events(table, ann) == [event for event in before if event.is_last or event.job_uuid in (waiting, late)]
    (end,) = events(table, ann, claim.lease.job_uuid)
    assert end.kind is EventKind.END
    assert not table.read(is_over, ann, claim.lease.job_uuid, None)


@pytest.mark.sqlite_alone
def test_query_plans_of_events_read_their_indices(table: JobTable, ann: int) -> None:
    def ask() -> None:
        events(table, ann)
        events(table, ann, "x")
        table.do(forget_events, literal(1), 9)

    plans = [line for plan in plans_of(table.engine, ask).values() for line in plan]
    used = {line.partition("INDEX ")[2].partition(" ")[0] for line in plans if line.startswith("SEARCH job_event")}
    assert used == {"job_event_of_user", "job_event_of_job", "job_event_to_forget", ""}, (
        plans
    )  # and the rows themselves, by number
    assert [line for line in plans if line.startswith("SCAN")] == []
    assert any("job_deletion_1 (uuid=?)" in line for line in plans), plans


def test_cancelled_job_ends_with_its_reason(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.cancel, ann, uuid)
    (_, end) = events(table, ann, uuid)
    assert end.kind is EventKind.END
    assert isinstance(end.news, StatusNews)
    assert end.news.status is JobStatus.FAILURE
    assert end.news.reason is not None
    assert end.news.reason.code == "cancelled"


def test_write_of_a_lost_lease_is_no_event(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    claim = opened(table)
    table.do(table.jobs.cancel, ann, uuid)
    before = events(table, ann)
    with pytest.raises(Exception, match="no longer this attempt's"):
        table.do(table.jobs.adopt_page, claim.lease, 1)
    assert events(table, ann) == before


def test_deleted_job_leaves_its_deletion_alone(table: JobTable, ann: int) -> None:
    uuid, other = table.submit(ann), table.submit(ann)
    table.do(table.jobs.delete, ann, uuid)
    (deleted,) = events(table, ann, uuid)
    assert (deleted.kind, deleted.job_uuid, deleted.progress, deleted.news) == (EventKind.DELETED, uuid, None, None)
    assert [(event.job_uuid, event.kind.value) for event in events(table, ann)] == [
        (other, "status"),
        (uuid, "deleted"),
    ]


def test_events_and_deletions_are_one_sequence_however_few_are_read_at_once(table: JobTable, ann: int) -> None:
    uuids = [table.submit(ann) for _ in range(4)]
    table.do(table.jobs.delete, ann, uuids[1])
    table.do(table.jobs.cancel, ann, uuids[0])
    table.do(table.jobs.delete, ann, uuids[3])
    table.submit(ann)
    whole = events(table, ann)
    for limit in (1, 2, 3):
        read: list[Event] = []
        while more := events(table, ann, None, read[-1].id if read else 0, limit):
            assert len(more) <= limit
            read += more
        assert read == whole


def test_events_of_others_are_not_told(table: JobTable, ann: int, bob: int) -> None:
    uuid, gone = table.submit(ann), table.submit(ann)
    table.do(table.jobs.delete, ann, gone)
    assert events(table, bob) == []
    assert events(table, bob, uuid) == events(table, bob, gone) == []
    for job in (uuid, gone):
        with pytest.raises(JobNotFound):
            table.read(is_over, bob, job, 0)


def test_job_is_over_for_who_has_its_last_event(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    assert not table.read(is_over, ann, uuid, None)
    assert not table.read(is_over, ann, uuid, events(table, ann)[-1].id)
    table.do(table.jobs.cancel, ann, uuid)
    end = events(table, ann)[-1].id
    assert [table.read(is_over, ann, uuid, after) for after in (None, 0, end - 1, end)] == [False, False, False, True]


def test_deletion_is_told_to_who_followed_the_job_and_to_nobody_else(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    table.do(table.jobs.delete, ann, uuid)
    deletion = events(table, ann)[-1].id
    with pytest.raises(JobNotFound):
        table.read(is_over, ann, uuid, None)
    assert [table.read(is_over, ann, uuid, after) for after in (1, deletion)] == [False, True]
