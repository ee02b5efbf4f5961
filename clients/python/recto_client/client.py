"""The client: submit a document, wait for its job, bring its results."""

import os
import secrets
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Self

import httpx

from recto_client.digests import digest_field
from recto_client.documents import Document, Source, opened
from recto_client.downloads import appearing, take_bytes
from recto_client.errors import WaitTimeout, retry_after
from recto_client.job import Job
from recto_client.sending import Sender, json_of

_WAIT_S: Final = 30.0
_SOON_S: Final = 1.0
_LIST_LIMIT: Final = 200


class Client:
    """One user's way to a Recto. Threads may share it.

    `url` is the root of the service, below a sub-path with that. A request that breaks off, or is asked for patience, is tried again for
    `patience_s`. `timeout_s` is how long the connection may stand still.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience_s: float = 120.0,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._root = httpx.URL(url.rstrip("/"))
        if self._root.scheme not in ("http", "https") or not self._root.host:
            raise ValueError(f"'{url}' is no address of a Recto. Write it as http://127.0.0.1:8080.")
        if not token or not token.isascii() or not token.isprintable():
            raise ValueError("That is no token. Make one on Recto's account page, and copy the whole of it.")
        self._timeout_s = timeout_s
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "recto-client", "Accept-Encoding": "identity"}
        self._http = httpx.Client(headers=headers, timeout=timeout_s, transport=transport)
        self._sender = Sender(self._http, patience_s)

    def submit(
        self,
        document: Source | Document,
        *,
        file_name: str | None = None,
        idempotency_key: str | None = None,
        **options: str,
    ) -> Job:
        """Send a document; the options are those of docs/api.md. It is streamed, and sent again where the connection breaks.

        The key makes that safe: whoever sends the same document with the same key again is answered with the first job.
        """
        key = idempotency_key or secrets.token_hex(16)
        with opened(document, file_name) as sendable:
            make = self._form if "password" in options else self._body
            return self._sender.send(partial(make, sendable, key, options), _job)

    def job(self, job: Job | str) -> Job:
        """The job as it is now. NotFound."""
        return self._sender.send(partial(self._request, "GET", self._job_path(job)), _job)

    def states(self, job: Job | str, *, every_s: float = _WAIT_S, timeout_s: float | None = None) -> Iterator[Job]:
        """The job at least every `every_s`, and last as it ended. WaitTimeout where that is not within `timeout_s`."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = every_s if until is None else min(every_s, until - time.monotonic())
            asked = time.monotonic()
            state, again_s = self._sender.send(
                partial(self._request, "GET", self._job_path(job), wait_s=left_s), _job_and_pause
            )
            yield state
            if state.is_final:
                return
            if until is not None and time.monotonic() >= until:
                raise WaitTimeout(
                    f"Job {state.uuid} has not ended within {timeout_s:g} seconds. It goes on: wait for it again."
                )
            if time.monotonic() - asked < min(
                _SOON_S, left_s
            ):  # it is not held, so it must not be asked without a pause
                time.sleep(again_s)

    def wait(self, job: Job | str, *, timeout_s: float | None = None) -> Job:
        """The job when it has ended, also by failing. WaitTimeout."""
        *_, last = self.states(job, timeout_s=timeout_s)
        return last

    def text(self, job: Job | str) -> str:
        """The text, as soon as it is there. JobFailed where there will be none."""
        return self.content(job, "txt").decode()

    def content(self, job: Job | str, result_format: str) -> bytes:
        """A result in memory, as soon as it is there. JobFailed; Problem where it cannot be had in this format."""
        return self._result(job, result_format, None) or b""

    def download(self, job: Job | str, result_format: str, target: str | os.PathLike[str] | BinaryIO) -> None:
        """Write a result, as soon as it is there, to a file, which appears when it is complete, or to a seekable file object.

        JobFailed; Problem where it cannot be had in this format; DigestMismatch; OSError.
        """
        if isinstance(target, str | os.PathLike):
            with appearing(Path(target)) as file:
                self._result(job, result_format, file)
        else:
            self._result(job, result_format, target)

    def cancel(self, job: Job | str) -> Job:
        """Stop a job; one that has ended stays as it ended. NotFound."""
        return self._sender.send(partial(self._request, "POST", f"{self._job_path(job)}/cancel"), _job)

    def delete(self, job: Job | str) -> None:
        """Stop a job and remove everything of it. NotFound, also where the first answer was lost on the way."""
        self._sender.send(partial(self._request, "DELETE", self._job_path(job)), httpx.Response.read)

    def jobs(self, *, status: str | None = None) -> Iterator[Job]:
        """All jobs, newest first, fetched as they are taken; of some statuses where they are named: FINISHED,FAILURE."""
        wanted = {"limit": str(_LIST_LIMIT)} | ({"status": status} if status else {})
        path: str | None = str(httpx.URL(self._address("/jobs"), params=wanted))
        while path:
            page = self._sender.send(partial(self._http.build_request, "GET", self._root.join(path)), json_of)
            yield from map(Job.from_json, page["jobs"])
            path = page["next"]

    def limits(self) -> dict[str, Any]:
        """Every limit that concerns a client."""
        return self._sender.send(partial(self._request, "GET", "/limits"), json_of)

    def token(self) -> dict[str, Any]:
        """What the token in use may do. NotSignedIn where it is none."""
        return self._sender.send(partial(self._request, "GET", "/token"), json_of)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _result(self, job: Job | str, result_format: str, file: IO[bytes] | None) -> bytes | None:
        """Into the file, or back where there is none. Asks until it is there."""
        path, take = f"{self._job_path(job)}/result", partial(take_bytes, file)
        while True:
            make = partial(self._request, "GET", path, wait_s=_WAIT_S, format=result_format)
            asked = time.monotonic()
            is_there, content, again_s = self._sender.send(make, take)
            if is_there:
                return content
            if time.monotonic() - asked < _SOON_S:
                time.sleep(again_s)

    def _body(self, document: Document, key: str, options: dict[str, str]) -> httpx.Request:
        headers = {
            **_key_header(key),
            "Content-Type": "application/octet-stream",
            "Content-Length": str(document.size_bytes),
            "Content-Digest": digest_field(document.sha256),
        }
        return self._http.build_request(
            "POST",
            self._address("/jobs"),
            params={"filename": document.name, **options},
            content=document.chunks(),
            headers=headers,
        )

    def _form(self, document: Document, key: str, options: dict[str, str]) -> httpx.Request:
        """A password goes into a form, since addresses end up in logs. The same key makes the same body, to the byte."""
        headers = {**_key_header(key), "Content-Type": f"multipart/form-data; boundary=recto-{document.sha256}"}
        file = (document.name, document.file, "application/octet-stream")
        return self._http.build_request(
            "POST", self._address("/jobs"), data=options, files={"document": file}, headers=headers
        )

    def _request(self, method: str, path: str, *, wait_s: float | None = None, **params: str) -> httpx.Request:
        """`wait_s`: have the answer held for so long."""
        held_s = max(0.0, wait_s or 0.0)
        waiting = {} if wait_s is None else {"wait": f"{held_s:.3f}"}
        timeout = httpx.Timeout(self._timeout_s, read=self._timeout_s + held_s)
        return self._http.build_request(method, self._address(path), params=params | waiting, timeout=timeout)

    def _address(self, path: str) -> str:
        return f"{self._root}/api/v1{path}"

    @staticmethod
    def _job_path(job: Job | str) -> str:
        return f"/jobs/{job.uuid if isinstance(job, Job) else job}"


def _key_header(key: str) -> dict[str, str]:
    return {"Idempotency-Key": f'"{key}"'}  # a string of RFC 8941, as the draft of the header has it


def _job(response: httpx.Response) -> Job:
    return Job.from_json(json_of(response))


def _job_and_pause(response: httpx.Response) -> tuple[Job, float]:
    """With the seconds after which to ask again."""
    return _job(response), retry_after(response) or _SOON_S
