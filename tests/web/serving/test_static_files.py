"""Recto's own scripts and styles: small on the wire, kept for ever by their version, and never an old one by a new name."""

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask, url_for

from recto.web.serving.static_files import install_static_files
from tests.web.clients import Browser, Program

FOLDER = Path(__file__).parents[3] / "recto" / "web" / "static"
GZIP = {"Accept-Encoding": "br;q=0, gzip, deflate"}


def served(folder: Path) -> Flask:
    """An application that serves nothing but the folder."""
    app = Flask("static files", static_folder=folder, static_url_path="/static")
    install_static_files(app)
    return app


def address_in(app: Flask, name: str) -> str:
    with app.test_request_context():
        return url_for("static", filename=name)


def test_addresses_in_a_page_name_the_version_and_are_kept_for_ever(browser: Browser) -> None:
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', browser.get("/").text)
    assert len(found) > 10
    for address in found:
        assert re.match(r"/static/[0-9a-f]{12}/(?:css|js|favicon)", address)
        response = browser.get(address)
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in response.headers
        assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("prefix", ["", "0123456789ab/"])
def test_name_without_this_version_is_asked_about_each_time(anybody: Program, prefix: str) -> None:
    response = anybody.get(f"/static/{prefix}css/base.css")
    assert response.data == (FOLDER / "css" / "base.css").read_bytes()
    assert response.headers["Cache-Control"] == "no-cache"
    etag = response.headers["ETag"]
    assert anybody.get("/static/css/base.css", headers={"If-None-Match": etag}).status_code == 304
    assert anybody.get("/static/css/base.css", headers={"If-None-Match": '"other"'}).status_code == 200


def test_client_that_takes_gzip_gets_it_with_a_name_of_its_own(anybody: Program) -> None:
    plain, zipped = anybody.get("/static/js/uploads.js"), anybody.get("/static/js/uploads.js", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert len(zipped.data) < len(plain.data) / 2
    assert plain.headers["Vary"] == zipped.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != zipped.headers["ETag"]
    assert plain.content_type == zipped.content_type == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("encodings", ["", "identity", "gzip;q=0", "br"])
def test_client_that_takes_no_gzip_gets_the_file_as_it_is(anybody: Program, encodings: str) -> None:
    response = anybody.get("/static/css/base.css", headers={"Accept-Encoding": encodings})
    assert "Content-Encoding" not in response.headers


def test_version_changes_with_any_file_and_file_that_does_not_shrink_stays(tmp_path: Path) -> None:
    (tmp_path / "one.js").write_text("export const one = 1;")
    (tmp_path / "two.css").write_text("p { margin: 0 } " * 20)
    first, again = address_in(served(tmp_path), "one.js"), address_in(served(tmp_path), "one.js")
    (tmp_path / "two.css").write_text("p { margin: 1px } " * 20)
    app = served(tmp_path)
    assert first == again != address_in(app, "one.js")
    assert "Content-Encoding" not in app.test_client().get("/static/one.js", headers=GZIP).headers
    assert app.test_client().get(first).headers["Cache-Control"] == "no-cache"
    assert app.test_client().head("/static/two.css", headers=GZIP).headers["Content-Encoding"] == "gzip"
