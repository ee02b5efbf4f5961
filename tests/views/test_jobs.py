from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import JobStatus
from recto.errors import JobNotFound, PageCrashed, PageDamaged
from recto.ocr.page import Page, Step
from recto.ocr.step_words import told
from recto.views.jobs import (
    JobFilter,
    PageView,
    change_some_jobs_ago,
    changes_after,
    changes_wanted,
    checkpoints,
    find_job,
    get_job,
    latest_change,
    list_jobs,
    page_failures,
    pages_read,
)
from tests.conftest import SECOND_US, START_US, JobTable

pytestmark = pytest.mark.each_database


def test_get_job_shows_the_job_with_its_log(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann, {"languages": "deu+eng", "pages": "1-3"})
    table.clock.move(2)
    table.do(table.jobs.fail, table.claim().lease, PageDamaged("Page 1 is damaged."))
    view = table.read(get_job, ann, uuid)
    assert (view.uuid, view.user_id, view.status, view.file_name) == (uuid, ann, JobStatus.FAILURE, "letter.pdf")
    assert (view.options.languages, view.options.pages) == (("deu", "eng"), "1-3")
    assert view.reason is not None
    assert (view.reason.code, view.reason.detail) == ("page_damaged", "Page 1 is damaged.")
    assert [entry.status.value for entry in view.transitions] == ["QUEUED", "IN_PROGRESS", "FAILURE"]
    assert view.transitions[-1].reason == view.reason
    assert view.ended == view.transitions[-1].timestamp
    assert view.created == view.transitions[0].timestamp


@pytest.mark.parametrize("whose", ["bob's", "nobody's"])
def test_get_job_of_somebody_else_is_the_same_as_no_job(table: JobTable, ann: int, bob: int, whose: str) -> None:
    uuid = table.submit(ann) if whose == "bob's" else "0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"
    with pytest.raises(JobNotFound, match="among yours"):
        table.read(get_job, bob, uuid)


def test_find_job_finds_it_whoever_owns_it(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    found = table.read(find_job, uuid)
    assert found is not None
    assert (found.uuid, found.transitions) == (uuid, ())
    table.do(table.jobs.delete, ann, uuid)
    assert table.read(find_job, uuid) is None


def test_list_jobs_shows_the_users_own_newest_first(table: JobTable, ann: int, bob: int) -> None:
    uuids = []
    for _ in range(3):
        uuids.append(table.submit(ann))
        table.submit(bob)
        table.clock.move(1)
    assert [view.uuid for view in table.read(list_jobs, ann, 10)] == uuids[::-1]


def test_list_jobs_page_by_page_shows_each_job_once(table: JobTable, ann: int) -> None:
    submitted = set()
    for number in range(7):
        submitted.add(table.submit(ann))
        table.clock.move(number % 2)  # some share their time of creation
    seen: list[str] = []
    before = None
    while page := table.read(list_jobs, ann, 2, before):
        seen += [view.uuid for view in page]
        before = table.job(seen[-1]).created_us, seen[-1]
    assert len(seen) == 7
    assert set(seen) == submitted


def test_list_jobs_of_a_user_without_jobs_is_empty(table: JobTable, ann: int) -> None:
    assert table.read(list_jobs, ann, 10) == []


@given(
    jobs=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["wait", "cancel"])), max_size=8),
    statuses=st.frozensets(st.sampled_from(JobStatus), max_size=3),
    after=st.none() | st.integers(-1, 4),
    before=st.none() | st.integers(-1, 4),
    limit=st.integers(1, 4),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filtered_list_page_by_page_is_the_filter_of_the_whole(
    table: JobTable,
    jobs: list[tuple[int, str]],
    statuses: frozenset[JobStatus],
    after: int | None,
    before: int | None,
    limit: int,
) -> None:
    user = table.add_user(uuid4().hex)
    for second, fate in jobs:
        table.clock.now_us = START_US + second * SECOND_US
        uuid = table.submit(user)
        if fate == "cancel":
            table.do(table.jobs.cancel, user, uuid)
    after_us, before_us = (None if second is None else START_US + second * SECOND_US for second in (after, before))
    wanted = JobFilter(statuses, after_us, before_us)
    expected = [
        view.uuid
        for view in table.read(list_jobs, user, 100)
        if (not statuses or view.status in statuses)
        and (after is None or table.job(view.uuid).created_us > START_US + after * SECOND_US)
        and (before is None or table.job(view.uuid).created_us < START_US + before * SECOND_US)
    ]
    seen: list[str] = []
    place = None
    while page := table.read(list_jobs, user, limit, place, wanted):
        seen += [view.uuid for view in page]
        place = table.job(seen[-1]).created_us, seen[-1]
    assert seen == expected


def test_changes_after_gives_each_changed_job_once_in_order(table: JobTable, ann: int) -> None:
    first, second = table.submit(ann), table.submit(ann)
    start = table.read(latest_change)
    lease = table.claim().lease
    table.do(table.jobs.set_page_count, lease, 1)
    table.do(table.jobs.cancel, ann, second if lease.job_uuid == first else first)
    table.do(table.jobs.finish, lease)
    changes = table.read(changes_after, start)
    assert [view.uuid for view in changes.jobs] == [second if lease.job_uuid == first else first, lease.job_uuid]
    assert changes.change == table.read(latest_change)
    assert table.read(changes_after, changes.change).jobs == ()


def test_changes_after_names_deleted_jobs(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    start = table.read(latest_change)
    table.do(table.jobs.delete, ann, uuid)
    changes = table.read(changes_after, start)
    assert (changes.jobs, [gone.uuid for gone in changes.deleted]) == ((), [uuid])


def test_changes_wanted_are_those_of_changes_after_with_their_logs(table: JobTable, ann: int, bob: int) -> None:
    mine, theirs = table.submit(ann), table.submit(bob)
    table.do(table.jobs.cancel, ann, mine)
    for user, uuid in ((ann, mine), (bob, theirs)):
        for is_wanted in (lambda _, owner, user=user: owner == user, lambda one, _, uuid=uuid: one == uuid):
            changes = table.read(changes_wanted, 0, is_wanted)
            assert changes.jobs == (table.read(get_job, user, uuid),)
            assert (changes.change, changes.is_complete) == (table.read(latest_change), True)
    assert table.read(changes_wanted, 0, lambda *_: False).jobs == ()


def test_changes_wanted_that_are_cut_off_go_on_from_the_number_reached(table: JobTable, ann: int) -> None:
    uuids = [table.submit(ann) for _ in range(5)]
    table.do(table.jobs.delete, ann, uuids.pop(1))
    heard, gone, change = [], [], 0
    for _ in range(3):
        changes = table.read(changes_wanted, change, lambda *_: True, 2)
        heard += [view.uuid for view in changes.jobs]
        gone += list(changes.deleted)
        change = changes.change
    assert (heard, len(gone), changes.is_complete) == (uuids, 1, True)


def test_changes_after_of_a_user_leave_out_the_others(table: JobTable, ann: int, bob: int) -> None:
    mine, theirs, gone = table.submit(ann), table.submit(bob), table.submit(bob)
    table.do(table.jobs.delete, bob, gone)
    changes = table.read(changes_after, 0, ann)
    assert [view.uuid for view in changes.jobs] == [mine]
    assert changes.deleted == ()
    assert {view.uuid for view in table.read(changes_after, 0).jobs} == {mine, theirs}


def test_pages_are_told_apart_into_checkpoints_and_failures(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    first = table.claim().lease
    table.do(table.jobs.adopt_page, first, 3)
    table.do(table.jobs.adopt_page, first, 2, PageCrashed("Page 2 crashed."))
    table.do(table.jobs.hand_back, first)
    second = table.claim().lease
    table.do(table.jobs.adopt_page, second, 1)
    assert table.read(checkpoints, uuid) == [(1, second.token), (3, first.token)]
    assert [(f.page, f.code, f.detail) for f in table.read(page_failures, uuid)] == [
        (2, "page_crashed", "Page 2 crashed.")
    ]


def test_pages_that_were_read_say_what_was_done_to_them(table: JobTable, ann: int) -> None:
    uuid = table.submit(ann)
    lease = table.claim().lease
    read = Page(1, 60, 40, 300.0, ("eng",), "hand 1", (Step("deskew", {"angle_deg": 1.8}),), ())
    table.do(table.jobs.adopt_page, lease, 1, page=read)
    table.do(table.jobs.adopt_page, lease, 2, PageCrashed("Page 2 crashed."))
    table.do(table.jobs.adopt_page, lease, 3, page=replace(read, preprocessing=(), text_layer="used"))
    table.do(table.jobs.adopt_page, lease, 4)
    assert table.read(pages_read, uuid) == [
        PageView(1, True, False, (told(Step("deskew", {"angle_deg": 1.8})),)),
        PageView(3, True, True, ()),
        PageView(4, False, False, ()),
    ]


def test_times_are_aware_and_exact(table: JobTable, ann: int) -> None:
    table.clock.move(0.123456)
    view = table.read(get_job, ann, table.submit(ann))
    assert view.created.utcoffset() is not None
    assert round(view.created.timestamp() * SECOND_US) == START_US + 123_456


def test_change_some_jobs_ago_lies_before_the_latest_change_of_so_many(table: JobTable, ann: int) -> None:
    uuids = [table.submit(ann) for _ in range(3)]
    table.do(table.jobs.cancel, ann, uuids[0])
    changes = sorted(table.job(uuid).change for uuid in uuids)
    assert [table.read(change_some_jobs_ago, count) for count in (0, 1, 2, 3)] == [*reversed(changes), 0]
