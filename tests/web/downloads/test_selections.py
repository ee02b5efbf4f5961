"""Several documents at once: one zip, or deletion; and the filters and orders of the list."""

import io
import re
import zipfile
from collections.abc import Sequence

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from recto.errors import DocumentDamaged
from recto.web.downloads.results_zip import UniqueNames
from tests.web.clients import PAGE, Browser, Program
from tests.web.hand_worker import HandWorker

pytestmark = pytest.mark.each_database(long=True)


def post(browser: Browser, path: str, uuids: Sequence[str], **fields: str) -> TestResponse:
    form = MultiDict([("csrf_token", browser.csrf_token), *fields.items(), *(("uuid", uuid) for uuid in uuids)])
    return browser.client.post(path, data=form, headers=PAGE, buffered=True)


def finished(program: Program, worker: HandWorker, name: str, text: str) -> str:
    program.submit(name=name)
    return worker.finish(worker.claim(), text)


def entries(response: TestResponse) -> dict[str, str]:
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_selection_comes_as_one_zip_with_names_of_its_own(
    browser: Browser, program: Program, worker: HandWorker
) -> None:
    names = ("scan.pdf", "scan.pdf", "Scan.PNG", "../up.pdf", "no dot")
    uuids = [finished(program, worker, name, f"text {place}\n") for place, name in enumerate(names)]
    browser.get("/")
    response = post(browser, "/selection/download", [*uuids, uuids[0]], format="txt")
    assert response.headers["Content-Disposition"] == 'attachment; filename="recto-txt.zip"'
    assert "Content-Length" not in response.headers  # it is sent while it is made
    found = entries(response)
    assert list(found.values()) == [f"text {place}\n" for place in range(5)]
    assert list(found)[:3] == ["scan.txt", "scan (2).txt", "Scan (3).txt"]
    assert not any("/" in name for name in found)


def test_selection_leaves_out_what_is_not_the_users_or_not_finished(
    app: Flask, browser: Browser, program: Program, other_program: Program, worker: HandWorker
) -> None:
    mine, others = finished(program, worker, "mine.pdf", "mine"), finished(other_program, worker, "his.pdf", "his")
    waiting = program.submit(name="waiting.pdf")
    browser.get("/")
    assert entries(post(browser, "/selection/download", [mine, others, waiting])) == {"mine.txt": "mine"}
    response = post(browser, "/selection/download", [others, waiting])
    assert response.status_code == 302
    assert "Tick documents that are finished" in browser.get("/").text


def test_format_that_cannot_be_made_is_named_in_the_zip(
    browser: Browser, program: Program, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = finished(program, worker, "letter.pdf", "text")
    worker_less = finished(program, worker, "other.pdf", "text")
    monkeypatch.setattr(
        "recto.web.downloads.deriver.Deriver.make", lambda _self, job, *_: job if job.uuid == uuid else None
    )
    browser.get("/")
    found = entries(post(browser, "/selection/download", [uuid, worker_less], format="json"))
    assert sorted(found) == ["letter.json", "missing.txt"]
    assert found["missing.txt"].startswith("other.pdf: It was not made in time.")


def test_deletion_of_a_selection_asks_first(
    browser: Browser, program: Program, other_program: Program, worker: HandWorker
) -> None:
    uuids = [finished(program, worker, f"{name}.pdf", "text") for name in ("one", "two", "three")]
    others = other_program.submit()
    browser.get("/")
    asked = post(browser, "/selection/delete", [*uuids[:2], others])
    assert asked.status_code == 200
    assert "Delete these 2 documents?" in asked.text
    assert re.findall(r'name="uuid" value="([^"]+)"', asked.text) == uuids[:2]
    assert program.get(f"/api/v1/jobs/{uuids[0]}").status_code == 200
    done = post(browser, "/selection/delete", [*uuids[:2], others], confirmed="yes")
    assert done.status_code == 302
    assert "2 documents are deleted." in browser.get("/").text
    assert [program.get(f"/api/v1/jobs/{uuid}").status_code for uuid in uuids] == [404, 404, 200]
    assert other_program.get(f"/api/v1/jobs/{others}").status_code == 200


def test_deletion_of_nothing_says_so(browser: Browser) -> None:
    browser.get("/")
    assert post(browser, "/selection/delete", []).status_code == 302
    assert "Tick the documents that are to be deleted." in browser.get("/").text


def shown(page: str) -> list[str]:
    return re.findall(r'class="job-name" data-part="name" href="/jobs/[^"]+">([^<]+)<', page)


def test_list_is_filtered_and_sorted(browser: Browser, program: Program, worker: HandWorker) -> None:
    finished(program, worker, "beta.pdf", "text")
    program.submit(name="Alpha.pdf")
    worker.fail(worker.claim(), DocumentDamaged("Damaged."))
    program.submit(name="gamma.pdf")
    assert shown(browser.get("/").text) == ["gamma.pdf", "Alpha.pdf", "beta.pdf"]
    assert shown(browser.get("/?sort=oldest").text) == ["beta.pdf", "Alpha.pdf", "gamma.pdf"]
    assert shown(browser.get("/?sort=name&status=&since=").text) == ["Alpha.pdf", "beta.pdf", "gamma.pdf"]
    assert shown(browser.get("/?status=FAILURE").text) == ["Alpha.pdf"]
    assert shown(browser.get("/?status=FINISHED&sort=name&since=1").text) == ["beta.pdf"]
    with worker.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE job SET created_us = created_us - 864e8 * 3 WHERE file_name = 'beta.pdf'")
    assert "None of your documents" in browser.get("/?status=FINISHED&since=1").text
    assert shown(browser.get("/?since=7&sort=oldest").text)[0] == "beta.pdf"


def test_tags_are_given_on_the_page_of_a_document_and_lead_to_those_that_have_them(
    browser: Browser, program: Program, other_program: Program
) -> None:
    invoice, letter = program.submit(name="invoice.pdf"), program.submit(name="letter.pdf")
    browser.get("/")
    for uuid, tags in ((invoice, "invoice\r\n2026 & paid\r\n\r\n"), (letter, "2026 & paid")):
        assert post(browser, f"/jobs/{uuid}/tags", [], tags=tags).status_code == 302
    assert program.get(f"/api/v1/jobs/{invoice}").get_json()["tags"] == ["invoice", "2026 & paid"]
    assert 'href="/?tag=2026+%26+paid"' in browser.get(f"/jobs/{letter}").text
    assert shown(browser.get("/?tag=2026+%26+paid").text) == ["letter.pdf", "invoice.pdf"]
    assert shown(browser.get("/?tag=invoice&sort=name").text) == ["invoice.pdf"]
    assert "None of your documents" in browser.get("/?tag=nothing").text
    assert post(browser, f"/jobs/{letter}/tags", [], tags="x" * 65).status_code == 302
    assert "A tag has up to 64 characters" in browser.get(f"/jobs/{letter}").text
    assert post(browser, f"/jobs/{other_program.submit()}/tags", [], tags="mine").status_code == 404


@pytest.mark.parametrize("query", ["status=DONE", "sort=size", "since=2", "since=x", "before=x"])
def test_list_that_is_not_there_says_so(browser: Browser, query: str) -> None:
    assert browser.get(f"/?{query}").status_code == 422


@pytest.mark.parametrize("query", ["?", "?sort=name&", "?sort=oldest&status=QUEUED&"])
def test_list_goes_on_where_it_ended(
    browser: Browser, program: Program, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr("recto.web.pages._LIST_LIMIT", 2)
    for name in "cabed":
        program.submit(name=f"{name}.pdf")
    seen: list[str] = []
    address: str | None = f"/{query}"
    while address:
        page = browser.get(address).text
        seen += shown(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == 5
    assert seen == {
        "?": ["d.pdf", "e.pdf", "b.pdf", "a.pdf", "c.pdf"],
        "?sort=name&": [f"{name}.pdf" for name in "abcde"],
    }.get(query, [f"{name}.pdf" for name in "cabed"])


def test_names_are_unique_and_fit_every_system() -> None:
    names = UniqueNames("missing.txt")
    wanted = ["a.txt", "A.txt", "a.txt", "..", "a/b\\c:d.txt", "x.pages.zip", "x.pages.zip", ""]
    assert [names.unique(name) for name in wanted] == [
        "a.txt",
        "A (2).txt",
        "a (3).txt",
        "document",
        "a_b_c_d.txt",
        "x.pages.zip",
        "x.pages (2).zip",
        "document (2)",
    ]
