"""GET /api/v1/jobs: the list, and with ?after= what changed."""

import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from recto.errors import DocumentEncrypted
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)

JOBS = "/api/v1/jobs"


def listed(program: Program, address: str = JOBS) -> dict[str, Any]:
    response = program.get(address)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def uuids(answer: dict[str, Any]) -> list[str]:
    return [job["uuid"] for job in answer["jobs"]]


def test_list_shows_own_jobs_newest_first_without_transitions(program: Program, other_program: Program) -> None:
    assert listed(program) == {"jobs": [], "next": None, "change": 0}
    first, second = program.submit(name="first.pdf"), program.submit(name="second.pdf")
    other_program.submit()
    answer = listed(program)
    assert uuids(answer) == [second, first]
    assert answer["next"] is None
    assert answer["change"] == 3
    assert all("transitions" not in job for job in answer["jobs"])
    assert answer["jobs"][0]["file_name"] == "second.pdf"


def test_pages_of_the_list_lead_to_every_job_once(program: Program) -> None:
    submitted = [program.submit() for _ in range(5)]
    found: list[str] = []
    address: str | None = f"{JOBS}?limit=2"
    pages = 0
    while address:
        answer = listed(program, address)
        found += uuids(answer)
        address, pages = answer["next"], pages + 1
    assert found == submitted[::-1]
    assert pages == 3


def test_job_submitted_while_paging_moves_nothing(program: Program) -> None:
    oldest, newest = program.submit(), program.submit()
    first_page = listed(program, f"{JOBS}?limit=1")
    program.submit()
    assert uuids(first_page) == [newest]
    assert uuids(listed(program, first_page["next"])) == [oldest]


def test_limit_is_capped(program: Program) -> None:
    assert listed(program, f"{JOBS}?limit=1000000")["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=x",
        "before=x",
        "before=1",
        "before=.",
        "before=²." + "a" * 36,
        "before=99999999999999999999999.a",
        "before=" + "9" * 5000 + ".a",
        "after=x",
        "after=-1",
        "after=1.5",
        "after=99999999999999999999999",
        "wait=-1",
        "after=0&wait=x",
        "after=0&wait=-1",
        "after=0&wait=inf",
        "after=0&wait=nan",
        "status=queued",
        "status=",
        "created_after=",
        "status=QUEUED,DONE",
        "status=%2B",
        "created_after=yesterday",
        "created_after=2026-11-23",
        "created_before=2026-11-23T18:24:02",
        "created_before=9999-99-99T00:00:00Z",
        "after=0&status=QUEUED",
    ],
)
def test_bad_query_answers_422_with_the_next_step(program: Program, query: str) -> None:
    problem(program.get(f"{JOBS}?{query}"), 422, "option_invalid")


def test_after_gives_what_changed_in_order_of_its_change(
    program: Program, other_program: Program, worker: HandWorker
) -> None:
    first, second = program.submit(), program.submit()
    seen = listed(program)["change"]
    assert listed(program, f"{JOBS}?after={seen}") == {"jobs": [], "deleted": [], "change": seen}
    worker.fail(worker.claim(), DocumentEncrypted("Remove the password."))
    other_program.submit()
    answer = listed(program, f"{JOBS}?after={seen}")
    assert uuids(answer) == [first]
    assert answer["jobs"][0]["reason"] == {"code": "document_encrypted", "detail": "Remove the password."}
    program.delete(f"{JOBS}/{first}")
    answer = listed(program, f"{JOBS}?after={answer['change']}")
    assert (answer["jobs"], answer["deleted"]) == ([], [first])
    assert listed(program, f"{JOBS}?after=0")["deleted"] == [first]
    assert uuids(listed(program, f"{JOBS}?after=0")) == [second]


def test_deletions_and_changes_of_others_stay_theirs(program: Program, other_program: Program) -> None:
    foreign = other_program.submit()
    other_program.delete(f"{JOBS}/{foreign}")
    other_program.submit()
    answer = listed(program, f"{JOBS}?after=0")
    assert (answer["jobs"], answer["deleted"], answer["change"]) == ([], [], 3)


def test_wait_ends_with_the_first_change_of_an_own_job(
    program: Program, other_program: Program, worker: HandWorker
) -> None:
    uuid = program.submit()
    seen = listed(program)["change"]
    answers: list[dict[str, Any]] = []
    client = threading.Thread(target=lambda: answers.append(listed(program, f"{JOBS}?after={seen}&wait=30")))
    client.start()
    other_program.submit()
    client.join(0.3)
    assert client.is_alive(), "another user's job woke it"
    worker.claim()
    client.join(10)
    assert uuids(answers[0]) == [uuid]
    assert answers[0]["jobs"][0]["status"] == "IN_PROGRESS"


def test_wait_without_a_change_ends_empty(program: Program) -> None:
    assert listed(program, f"{JOBS}?after=0&wait=0.1") == {"jobs": [], "deleted": [], "change": 0}


def test_link_header_leads_where_next_leads(program: Program) -> None:
    for _ in range(3):
        program.submit()
    first = program.get(f"{JOBS}?limit=2")
    following = first.get_json()["next"]
    assert first.headers["Link"] == f'<{following}>; rel="next"'
    assert "Link" not in program.get(following).headers


@pytest.mark.parametrize(
    "query", ["status=FINISHED%2BFAILURE", "status=FINISHED,FAILURE", "status=FINISHED&status=FAILURE"]
)
def test_filter_by_status_goes_on_from_page_to_page(program: Program, worker: HandWorker, query: str) -> None:
    ended = []
    for number in range(4):
        program.submit()
        ended.append(
            worker.finish(worker.claim()) if number % 2 else worker.fail(worker.claim(), DocumentEncrypted("…"))
        )
    waiting = program.submit()
    found: list[str] = []
    address: str | None = f"{JOBS}?limit=1&{query}"
    while address:
        answer = listed(program, address)
        found += uuids(answer)
        address = answer["next"]
    assert found == ended[::-1]
    assert uuids(listed(program, f"{JOBS}?status=QUEUED")) == [waiting]
    assert uuids(listed(program, f"{JOBS}?status=IN_PROGRESS")) == []


def test_filter_by_time_takes_the_times_that_the_list_shows(program: Program) -> None:
    first, second, third = (program.submit() for _ in range(3))
    created = {job["uuid"]: job["created"] for job in listed(program)["jobs"]}
    assert uuids(listed(program, f"{JOBS}?created_after={created[first]}")) == [third, second]
    assert uuids(listed(program, f"{JOBS}?created_before={created[third]}")) == [second, first]
    between = f"{JOBS}?created_after={created[first]}&created_before={created[third]}&status=QUEUED"
    assert uuids(listed(program, between)) == [second]
    in_another_zone = datetime.fromisoformat(created[second]).astimezone(timezone(timedelta(hours=2))).isoformat()
    assert uuids(listed(program, f"{JOBS}?created_after={in_another_zone}")) == [third]  # its '+' arrives as a space


def test_signed_out_is_refused(anybody: Program) -> None:
    problem(anybody.get(JOBS), 401, "not_signed_in")
    problem(anybody.get(f"{JOBS}?after=0&wait=30"), 401, "not_signed_in")


def test_browser_reads_the_list_by_its_cookie(browser: Browser) -> None:
    response = browser.client.get(JOBS)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
