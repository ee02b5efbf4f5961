"""The application as a whole: headers, cookies, sub-path, proxies, what it logs, what it imports."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from tests.web.clients import PAGE, PASSWORD, PDF, Browser, Program
from tests.web.conftest import Known, MakeApp, add_user
from tests.web.hand_worker import HandWorker

PROJECT = Path(__file__).resolve().parents[2]
PROXY = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "ocr.example",
    "X-Forwarded-Prefix": "/behind",
}


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_every_answer_carries_the_security_headers(browser: Browser, method: str) -> None:
    paths = ["/", "/sign-in", "/nothing", "/healthz", "/api/v1/jobs", "/api/v1/nothing", "/static/css/base.css", "//x"]
    for path in paths:
        headers = browser.client.open(path, method=method, headers=PAGE, buffered=True).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"]
        assert not [name for name in headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118 - pairs


def test_pages_and_answers_stay_out_of_caches_and_assets_do_not(browser: Browser, program: Program) -> None:
    assert browser.get("/account").headers["Cache-Control"] == "no-store"
    assert program.get("/api/v1/jobs").headers["Cache-Control"] == "no-store"
    assert "no-store" not in browser.get("/static/css/base.css").headers["Cache-Control"]


def test_pages_use_nothing_that_the_policy_forbids(browser: Browser, program: Program, worker: HandWorker) -> None:
    uuid = program.submit()
    worker.finish(worker.claim())
    for path in ("/", "/account", f"/jobs/{uuid}", "/sign-in", "/nothing"):
        page = browser.get(path).text
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<style" not in page
        assert 'src="http' not in page
        assert page.count("<script") == page.count('<script type="module" src="/static/')


def test_cookie_is_for_this_site_alone(app: Flask, ada: Known) -> None:
    browser = Browser(app)
    cookies = browser.sign_in("ada").headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    flags = {flag.strip().partition("=")[0]: flag.strip().partition("=")[2] for flag in cookies[0].split(";")}
    assert "recto_session" in flags
    assert "HttpOnly" in flags
    assert (flags["SameSite"], flags["Path"]) == ("Lax", "/")
    assert "Expires" in flags
    assert "Secure" not in flags
    assert "Domain" not in flags


def test_cookie_is_secure_and_below_the_sub_path_where_set(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_SECURE_COOKIES="true", RECTO_SERVER_BASE_PATH="/recto")
    response = Browser(app, "/recto").get("/sign-in")
    assert "; Secure; HttpOnly; Path=/recto/; SameSite=Lax" in response.headers["Set-Cookie"]


def test_program_gets_no_cookie(program: Program) -> None:
    for response in (program.get("/api/v1/jobs"), program.send_form(), program.get("/api/v1/nothing")):
        assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("is_stripped", [False, True])
def test_sub_path_is_in_every_link_whether_the_proxy_strips_it_or_not(
    make_app: MakeApp, folder: Path, is_stripped: bool
) -> None:
    app = make_app(RECTO_SERVER_BASE_PATH="/recto/")
    program = Program(app, add_user(app, "ada").token)
    prefix = "" if is_stripped else "/recto"
    response = program.post(f"{prefix}/api/v1/jobs", data=PDF)
    assert response.headers["Location"].startswith("/recto/api/v1/jobs/")
    job = response.get_json()
    assert job["links"]["result"] == f"/recto/api/v1/jobs/{job['uuid']}/result"
    worker = HandWorker(folder)
    worker.finish(worker.claim(), "text")
    worker.close()
    link = program.get(f"{prefix}/api/v1/jobs/{job['uuid']}/result").headers["Location"]
    assert link.startswith("/recto/api/v1/jobs/")
    assert program.get(link.removeprefix("/recto") if is_stripped else link).text == "text"
    page = Browser(app).get(f"{prefix}/sign-in").text
    assert re.search(r'href="/recto/static/[0-9a-f]{12}/css/base\.css"', page)
    assert Browser(app).get(f"{prefix}/static/css/base.css").status_code == 200
    assert program.get(f"{prefix}/healthz").status_code == 200


def test_address_that_only_begins_like_the_sub_path_is_none(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_BASE_PATH="/recto")
    assert Program(app).get("/rectory/healthz").status_code == 404
    assert Program(app).get("/recto").status_code in (308, 401)


def test_proxy_headers_mean_nothing_where_no_proxy_is_configured(
    browser: Browser, app: Flask, worker: HandWorker
) -> None:
    page = browser.post("/account/tokens", {"name": "x"}, headers=PROXY).text
    assert "http://localhost/api/v1/jobs" in page
    assert "ocr.example" not in page
    assert browser.get("/static/", headers=PROXY).status_code == 404


def test_proxy_headers_are_believed_where_a_proxy_is_configured(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_TRUSTED_PROXIES="1")
    add_user(app, "ada")
    browser = Browser(app)
    browser.get("/sign-in", headers=PROXY)
    asked = browser.get("/account", headers=PROXY)
    assert asked.headers["Location"].startswith("/behind/sign-in")
    plain = Browser(app)
    assert plain.sign_in("ada").status_code == 302
    page = plain.post(
        "/account/tokens", {"name": "x"}, headers=PROXY | {"Referer": "https://ocr.example/behind/account"}
    )
    assert "https://ocr.example/behind/api/v1/jobs" in page.text


def test_only_the_last_proxies_are_believed(make_app: MakeApp) -> None:
    app = make_app(RECTO_SERVER_TRUSTED_PROXIES="1")
    forged = PROXY | {"X-Forwarded-Host": "evil.example, ocr.example"}
    add_user(app, "ada")
    browser = Browser(app)
    browser.sign_in("ada")
    page = browser.post(
        "/account/tokens", {"name": "x"}, headers=forged | {"Referer": "https://ocr.example/account"}
    ).text
    assert "evil.example" not in page
    assert "https://ocr.example/" in page


def test_requests_are_logged_without_their_query_and_without_control_characters(
    app: Flask, ada: Known, capsys: pytest.CaptureFixture[str]
) -> None:
    program = Program(app, ada.token)
    program.get("/api/v1/jobs?after=0&secret=s3cret")
    for path in ("/%1b[2J", "/%0a2026 [info] forged", "/x%c2%9b"):
        program.get(path)
    Browser(app).sign_in("ada", "not this one")
    captured = capsys.readouterr()
    log = captured.out + captured.err
    assert "path=/api/v1/jobs" in log
    for hidden in ("s3cret", ada.token, "not this one", PASSWORD, "\x1b[2J", "\n2026 [info] forged", "\x9b"):
        assert hidden not in log


def test_backend_starts_without_opencv_numpy_and_tesseract() -> None:
    code = (
        "import sys, app; heavy = {'cv2', 'numpy', 'PIL', 'tesserocr', 'pytesseract', 'pypdfium2', 'recto.worker'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
