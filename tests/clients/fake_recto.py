"""A Recto in memory, for the client alone: what docs/api.md says of jobs, their results and Idempotency-Key."""

import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from recto_client import Client
from recto_client.digests import digest_field

ADDRESS = "http://recto.test/below"
TOKEN = "recto_of_tests"
CREATED = "2026-11-23T18:24:02.123456Z"
NO_DOCUMENT = b"no scan"
BROKEN = b"%PDF-1.7 that breaks off"

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def problem(status: int, code: str, headers: dict[str, str] | None = None, **members: Any) -> httpx.Response:
    """An answer of problem+json."""
    body = {"type": f"urn:recto:problem:{code}", "title": "Title", "status": status, "detail": "Do this.", "code": code}
    return httpx.Response(
        status,
        headers={"Content-Type": "application/problem+json"} | (headers or {}),
        content=json.dumps(body | members),
    )


class FakeRecto:
    """Every job ends when it is asked for. `next_answers` are given first, one for each request; an exception is a broken connection."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.next_answers: deque[Answer] = deque()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, bytes] = {}
        self.answered_keys: dict[str, tuple[bytes, str]] = {}
        self._lock = threading.Lock()

    def client(self, **values: Any) -> Client:
        """A client of it."""
        return Client(ADDRESS, TOKEN, transport=httpx.MockTransport(self._answer), **values)

    def sent(self, method: str) -> list[httpx.Request]:
        """Requests with that method."""
        return [request for request in self.requests if request.method == method]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with self._lock:
            self.requests.append(request)
            if self.next_answers:
                answer = self.next_answers.popleft()
                if isinstance(answer, Exception):
                    raise answer
                return answer if isinstance(answer, httpx.Response) else answer(request)
            return self.route(request)

    def route(self, request: httpx.Request) -> httpx.Response:
        """What Recto itself answers."""
        path = request.url.path.removeprefix("/below/api/v1")
        if path.startswith("/files/"):
            return self._file(path)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return problem(401, "not_signed_in")
        if path == "/token":
            return httpx.Response(200, json={"name": "scanner", "scopes": ["jobs:read", "jobs:write"]})
        if path == "/limits":
            return httpx.Response(200, json={"queue": {"max_unfinished_per_user": 2}})
        if path == "/jobs":
            return self._submit(request) if request.method == "POST" else self._list(request)
        uuid, _, rest = path.removeprefix("/jobs/").partition("/")
        return self._of_job(request, uuid, rest) if uuid in self.jobs else problem(404, "job_not_found")

    def _submit(self, request: httpx.Request) -> httpx.Response:
        key, content = request.headers["Idempotency-Key"], request.content
        fingerprint = request.url.query + content
        if key in self.answered_keys:
            known, uuid = self.answered_keys[key]
            return (
                httpx.Response(202, json=self.jobs[uuid])
                if known == fingerprint
                else problem(422, "idempotency_key_reused")
            )
        if content.startswith(NO_DOCUMENT):
            return problem(415, "upload_unsupported")
        uuid = str(uuid4())
        self.jobs[uuid] = job_json(uuid, request.url.params.get("filename", "document"), len(content))
        self.documents[uuid] = content
        self.answered_keys[key] = (fingerprint, uuid)
        return httpx.Response(202, json=self.jobs[uuid])

    def _list(self, request: httpx.Request) -> httpx.Response:
        """Two pages: the newest job, and the others."""
        newest, *others = list(reversed(self.jobs.values())) or [{}]
        if "before" in request.url.params:
            return httpx.Response(200, json={"jobs": others, "next": None, "change": 1})
        first = [newest] if newest else []
        return httpx.Response(
            200, json={"jobs": first, "next": "/below/api/v1/jobs?before=1" if others else None, "change": 1}
        )

    def _of_job(self, request: httpx.Request, uuid: str, rest: str) -> httpx.Response:
        job = self.jobs[uuid]
        if request.method == "DELETE":
            del self.jobs[uuid]
            return httpx.Response(204)
        if self.documents[uuid] == BROKEN or rest == "cancel":
            job |= {
                "status": "FAILURE",
                "reason": {"code": "document_damaged", "detail": "The PDF breaks off. Save it again."},
            }
        else:
            job |= {"status": "FINISHED"}
        if rest != "result":
            return httpx.Response(200, json=job)
        if job["status"] == "FAILURE":
            return problem(409, "job_failed", reason="document_damaged")
        wanted = request.url.params.get("format", "txt")
        return httpx.Response(302, headers={"Location": f"/below/api/v1/files/{uuid}/{wanted}"})

    def _file(self, path: str) -> httpx.Response:
        content = self.result_of(*path.split("/")[-2:])
        return httpx.Response(
            200, content=content, headers={"Repr-Digest": digest_field(hashlib.sha256(content).hexdigest())}
        )

    def result_of(self, uuid: str, result_format: str) -> bytes:
        """The text names format and document."""
        return result_format.encode() + b" of " + self.documents[uuid]


def job_json(uuid: str, file_name: str, size_bytes: int) -> dict[str, Any]:
    """A job that waits."""
    return {
        "uuid": uuid,
        "status": "QUEUED",
        "file_name": file_name,
        "size_bytes": size_bytes,
        "created": CREATED,
        "ended": None,
        "progress": {"pages_done": 0, "page_count": None, "pages_failed": 0},
        "reason": None,
        "warnings": [],
        "newer": "members are passed over",
    }
