"""Those who use the Backend in tests: a program with a token, a person with a browser."""

import io
import re
from typing import Any

from flask import Flask
from werkzeug.datastructures import CombinedMultiDict
from werkzeug.test import EnvironBuilder, TestResponse, encode_multipart

PDF = b"%PDF-1.7\n" + b"scan " * 40
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PASSWORD = "a password for tests"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Program:
    """Sends its token with every request, and no cookies. Without a token: anybody."""

    def __init__(self, app: Flask, token: str | None = None) -> None:
        self._client = app.test_client(use_cookies=False)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **values: Any) -> TestResponse:
        """One request; its body is read and its files are closed, unless `buffered` is False. A dict as `data` is sent as a multipart form."""
        if isinstance(values.get("data"), dict):
            values |= multipart(values["data"])
        values.setdefault("buffered", True)
        return self._client.open(path, method=method, headers=self._headers | (headers or {}), **values)

    def get(self, path: str, **values: Any) -> TestResponse:
        return self.request("GET", path, **values)

    def post(self, path: str, **values: Any) -> TestResponse:
        return self.request("POST", path, **values)

    def delete(self, path: str, **values: Any) -> TestResponse:
        return self.request("DELETE", path, **values)

    def send_form(
        self, content: bytes = PDF, name: str = "scan.pdf", headers: dict[str, str] | None = None, **fields: str
    ) -> TestResponse:
        """Submit a document as a form."""
        form: dict[str, Any] = {"document": (io.BytesIO(content), name), **fields}
        return self.post("/api/v1/jobs", data=form, headers=headers)

    def submit(self, content: bytes = PDF, name: str = "scan.pdf") -> str:
        """Submit a document that is accepted; gives the uuid."""
        response = self.send_form(content, name)
        assert response.status_code == 202, response.text
        return str(response.get_json()["uuid"])


class Browser:
    """Keeps cookies, asks for pages, and sends the CSRF token of the page it saw last."""

    def __init__(self, app: Flask, base_path: str = "") -> None:
        self.client = app.test_client()
        self._base_path = base_path
        self.csrf_token = ""

    def get(self, path: str, headers: dict[str, str] | None = None, **values: Any) -> TestResponse:
        """Open an address."""
        response = self.client.get(self._base_path + path, headers=PAGE | (headers or {}), buffered=True, **values)
        return self._remember(response)

    def post(
        self, path: str, form: dict[str, Any] | None = None, headers: dict[str, str] | None = None, **values: Any
    ) -> TestResponse:
        """Send a form with its CSRF token."""
        data = {"csrf_token": self.csrf_token, **(form or {})}
        response = self.client.post(
            self._base_path + path, headers=PAGE | (headers or {}), buffered=True, **multipart(data), **values
        )
        return self._remember(response)

    def sign_in(self, name: str, password: str = PASSWORD, next_path: str = "") -> TestResponse:
        """Open the sign-in page and send its form."""
        self.get("/sign-in")
        response = self.post("/sign-in", {"name": name, "password": password, "next": next_path})
        if response.status_code == 302:
            self.get("/search")  # for its CSRF token: it has nothing to list
        return response

    def cookie(self) -> str:
        """The value of the session's cookie."""
        cookie = self.client.get_cookie("recto_session", path=f"{self._base_path}/")
        assert cookie is not None
        return cookie.value

    def _remember(self, response: TestResponse) -> TestResponse:
        found = re.search(r'name="csrf-token" content="([^"]+)"', response.text) if response.is_json is False else None
        if found:
            self.csrf_token = found[1]
        return response


def multipart(form: dict[str, Any]) -> dict[str, Any]:
    """The form encoded in memory: werkzeug's own client leaves a temporary file open for a large one."""
    builder = EnvironBuilder(method="POST", data=form)
    boundary, content = encode_multipart(CombinedMultiDict([builder.form, builder.files]))
    return {"data": content, "content_type": f'multipart/form-data; boundary="{boundary}"'}


def problem(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The members of an answer that has to be this problem."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    members: dict[str, Any] = response.get_json()
    assert (members["status"], members["code"]) == (status, code), members
    assert members["type"] == f"urn:recto:problem:{code}"
    assert members["title"]
    assert members["detail"].endswith((".", "…")), members["detail"]
    return members
