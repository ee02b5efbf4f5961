"""GET /api/v1/jobs: the list, and with ?after= what changed."""

import threading
from typing import Any

import pytest

from recto.errors import DocumentEncrypted
from tests.web.clients import Browser, Program, problem
from tests.web.hand_worker import HandWorker

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
        "after=0&wait=x",
        "after=0&wait=-1",
        "after=0&wait=inf",
        "after=0&wait=nan",
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


def test_signed_out_is_refused(anybody: Program) -> None:
    problem(anybody.get(JOBS), 401, "not_signed_in")
    problem(anybody.get(f"{JOBS}?after=0&wait=30"), 401, "not_signed_in")


def test_browser_reads_the_list_by_its_cookie(browser: Browser) -> None:
    response = browser.client.get(JOBS)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
