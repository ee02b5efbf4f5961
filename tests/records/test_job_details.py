"""Tags and names of jobs: what is taken, that both places say the same, and that a change is one."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import JobStatus, JobTag
from recto.errors import JobNotFound, OptionInvalid
from recto.records.job_details import MOST_TAG_CHARACTERS, MOST_TAGS, change_details, parse_tags, put_tags
from recto.views.jobs import JobFilter, changes_after, get_job, latest_change, list_jobs
from tests.conftest import JobTable, new_submission

pytestmark = pytest.mark.each_database(long=True)


def tag_rows(table: JobTable, uuid: str) -> set[str]:
    with table.sessions() as session:
        return set(session.scalars(select(JobTag.tag).where(JobTag.job_uuid == uuid)))


def submit_tagged(table: JobTable, user: int, *tags: str) -> str:
    """As recto/web/uploading/submissions.py does it: the row of the job and those of the tags in one transaction."""
    submission = replace(new_submission(user), tags=tags)

    def record(session: Session) -> None:
        table.jobs.submit(session, submission)
        put_tags(session, submission.uuid, tags)

    table.do(record)
    return submission.uuid


def listed(table: JobTable, user: int, *tags: str, statuses: frozenset[JobStatus] = frozenset()) -> list[str]:
    found = table.read(list_jobs, user, 50, None, JobFilter(statuses=statuses, tags=tags))
    return [job.uuid for job in found]


@pytest.mark.parametrize(
    ("given_tags", "expected"),
    [
        ([], ()),
        (["", "  "], ()),
        ([" invoice ", "2026", "invoice"], ("invoice", "2026")),
        (["Ärger", unicodedata.normalize("NFD", "Ärger")], ("Ärger",)),
        (["a b", "a+b", "a,b"], ("a b", "a+b", "a,b")),
        (["a\nb", "\x00", "\u202eabc"], ("ab", "abc")),
        (["x" * MOST_TAG_CHARACTERS], ("x" * MOST_TAG_CHARACTERS,)),
    ],
)
def test_tags_are_taken_once_each_and_trimmed(given_tags: list[str], expected: tuple[str, ...]) -> None:
    assert parse_tags(given_tags) == expected


@pytest.mark.parametrize(
    "given_tags",
    [
        ["x" * (MOST_TAG_CHARACTERS + 1)],
        [str(number) for number in range(MOST_TAGS + 1)],
    ],
)
def test_tags_that_are_none_are_refused_with_what_is_right(given_tags: list[str]) -> None:
    with pytest.raises(OptionInvalid, match=str(MOST_TAG_CHARACTERS) if len(given_tags) == 1 else str(MOST_TAGS)):
        parse_tags(given_tags)


@given(st.lists(st.text(max_size=70), max_size=30))
def test_any_tags_are_refused_or_stay_what_they_are(given_tags: list[str]) -> None:
    try:
        tags = parse_tags(given_tags)
    except OptionInvalid:
        return
    assert parse_tags(tags) == tags


def test_tags_put_on_a_job_are_in_its_row_and_in_the_lists(table: JobTable, ann: int, bob: int) -> None:
    first, second = submit_tagged(table, ann, "invoice", "2026"), submit_tagged(table, ann, "invoice")
    third = submit_tagged(table, bob, "invoice")
    assert table.read(get_job, ann, first).tags == ("invoice", "2026")
    assert tag_rows(table, first) == {"invoice", "2026"}
    assert set(listed(table, ann, "invoice")) == {first, second}
    assert listed(table, ann, "2026", "invoice") == listed(table, ann, "invoice", "2026") == [first]
    assert listed(table, bob, "invoice") == [third]
    assert listed(table, ann, "INVOICE") == []


def test_list_by_tag_goes_on_from_a_place_and_keeps_to_the_status(table: JobTable, ann: int) -> None:
    uuids = []
    for _ in range(5):
        table.clock.move(1)
        uuids.append(submit_tagged(table, ann, "all"))
    claim = table.claim()
    assert listed(table, ann, "all", statuses=frozenset({JobStatus.IN_PROGRESS})) == [claim.lease.job_uuid]
    newest = table.read(list_jobs, ann, 2, None, JobFilter(tags=("all",)))
    assert [job.uuid for job in newest] == uuids[:2:-1]
    place = round(newest[-1].created.timestamp() * 1_000_000), newest[-1].uuid
    assert [job.uuid for job in table.read(list_jobs, ann, 9, place, JobFilter(tags=("all",)))] == uuids[2::-1]


def test_change_of_tags_replaces_them_and_is_a_change_of_the_job(table: JobTable, ann: int) -> None:
    uuid = submit_tagged(table, ann, "a", "b")
    seen = table.read(latest_change)
    table.do(change_details, ann, uuid, tags=("b", "c"))
    (job,) = table.read(changes_after, seen).jobs
    assert (job.uuid, job.tags, job.file_name) == (uuid, ("b", "c"), "letter.pdf")
    assert tag_rows(table, uuid) == {"b", "c"}
    table.do(change_details, ann, uuid, tags=())
    assert (table.job(uuid).tags, tag_rows(table, uuid)) == ([], set())


def test_change_of_the_name_leaves_tags_and_status(table: JobTable, ann: int) -> None:
    uuid = submit_tagged(table, ann, "a")
    table.claim()
    table.do(change_details, ann, uuid, file_name="other.png")
    job = table.read(get_job, ann, uuid)
    assert (job.file_name, job.tags, job.status) == ("other.png", ("a",), JobStatus.IN_PROGRESS)


def test_change_of_somebody_elses_job_finds_none(table: JobTable, ann: int, bob: int) -> None:
    uuid = table.submit(bob)
    with pytest.raises(JobNotFound):
        table.do(change_details, ann, uuid, tags=("mine",))
    assert tag_rows(table, uuid) == set()


def test_tags_go_with_their_job(table: JobTable, ann: int) -> None:
    uuid = submit_tagged(table, ann, "a", "b")
    table.do(table.jobs.delete, ann, uuid)
    with table.sessions() as session:
        assert session.scalar(select(func.count()).select_from(JobTag)) == 0
