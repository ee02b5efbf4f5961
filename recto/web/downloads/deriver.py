"""Formats and pictures of pages asked for after the job: each is made by `ocr_worker.py derive` in a process of its own, and by nobody twice at a time.

The process is started by posix_spawn, never by fork: this program is gevent's, and its threads would not survive one. The Database
says who makes what (recto/records/derivations.py), so that several Backends do not do the same work.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias
from uuid import uuid4

import gevent
from flask import Flask, current_app
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from recto.errors import FileNotFound, JobNotFound, ResultNotMade, ServiceError
from recto.file_storage.base import FileStorage
from recto.logs import get_logger
from recto.records import derivations
from recto.records.derivations import Derivable, PagePicture
from recto.time_limits import TimeLimits
from recto.views.jobs import JobView, find_job, job_not_found
from recto.web.serving.database import in_thread, read, write

_log = get_logger(__name__)
_Key: TypeAlias = tuple[str, str]

COMMAND: Final = (sys.executable, str(Path(__file__).resolve().parents[3] / "ocr_worker.py"), "derive")
_AT_ONCE: Final = 2
_GRACE_S: Final = 2.0
"""For so long every request waits: most files are there by then, and nobody has to ask twice."""
_LOOK_S: Final = 0.02
_HOLD_S: Final = 20.0
_RENEW_S: Final = 5.0
"""A Backend that dies is not heard from any more: after _HOLD_S another one, or the same after its start, makes the file."""
_STOP_S: Final = 5.0
_LOOK_ELSEWHERE_S: Final = 0.5


class Deriver:
    """Makes formats and pictures of finished jobs. `limits` says how long that may take, `max_page_px` how large a page can be."""

    def __init__(
        self, storage: FileStorage, limits: TimeLimits, max_page_px: int, command: Sequence[str] = COMMAND
    ) -> None:
        self._storage = storage
        self._limits = limits
        self._max_page_px = max_page_px
        self._command = tuple(command)
        self._slots = BoundedSemaphore(_AT_ONCE)
        self._ended: dict[_Key, Event] = {}
        self._pids: set[int] = set()
        self._greenlets: set[gevent.Greenlet[..., None]] = set()
        self._is_stopping = False

    def make(self, job: JobView, wanted: Derivable, wait_s: float) -> JobView | None:
        """The job as it is with the file there, after making it if need be; None where that takes longer than `wait_s`. ResultNotMade.

        JobNotFound where it is deleted meanwhile. Where it is corrected meanwhile, the file is that with the correction.
        """
        until = time.monotonic() + max(wait_s, _GRACE_S)
        while not in_thread(partial(self._is_there, job, wanted)):
            self._raise_failure(job, wanted)
            remaining_s = until - time.monotonic()
            if remaining_s <= 0 or self._is_stopping:
                return None
            self._under_way(job, wanted).wait(remaining_s)
            job = _as_it_is(job)
        return job

    def stop(self) -> None:
        """Kill what is running, and let others begin it. Who waits is told that it takes longer."""
        self._is_stopping = True
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
        gevent.joinall(list(self._greenlets), timeout=_STOP_S)

    def _is_there(self, job: JobView, wanted: Derivable) -> bool:
        try:
            self._storage.size_bytes(job.uuid, wanted.file_name(job.result_token or "", job.revision))
        except FileNotFound:
            return False
        return True

    def _raise_failure(self, job: JobView, wanted: Derivable) -> None:
        found = read(derivations.find, job.uuid, wanted.name)
        if found and found.error_code:
            raise ResultNotMade(found.error_detail or "", reason=found.error_code)

    def _under_way(self, job: JobView, wanted: Derivable) -> Event:
        """Set when there is reason to look again. Begins to make the file unless that is going on here already."""
        key = job.uuid, wanted.name
        if key not in self._ended:
            self._ended[key] = Event()
            application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way
            greenlet = gevent.spawn(self._make, application, job, wanted)
            self._greenlets.add(greenlet)
            greenlet.link(self._greenlets.discard)
        return self._ended[key]

    def _make(self, application: Flask, job: JobView, wanted: Derivable) -> None:
        """In a greenlet of its own, which outlives the request: who asks again finds the file."""
        try:
            with self._slots, application.app_context():
                self._make_in_turn(job, wanted)
        finally:
            self._ended.pop((job.uuid, wanted.name)).set()

    def _make_in_turn(self, job: JobView, wanted: Derivable) -> None:
        token = uuid4().hex
        try:
            if not write(derivations.begin, job.uuid, wanted.name, token, _HOLD_S):
                gevent.sleep(_LOOK_ELSEWHERE_S)  # another Backend is at it
                return
        except JobNotFound:
            return  # deleted meanwhile; who waits learns it when it asks again
        except ServiceError as error:
            _log.warning("derivation_not_begun", job=job.uuid, name=wanted.name, code=error.code)
            gevent.sleep(_LOOK_ELSEWHERE_S)
            return
        status = self._run(job, wanted, token)
        if self._is_stopping:
            write(derivations.end, job.uuid, wanted.name, token)
        elif status != 0:
            # Changes nothing where the process has recorded its own reason.
            how = "took too long" if status is None else "ended its process"
            ended = ResultNotMade(
                f"Making {wanted.title} {how}. Ask for it again in a minute; the other results are there."
            )
            write(derivations.fail, job.uuid, wanted.name, token, ended)
            _log.warning("derivation_failed", job=job.uuid, name=wanted.name, status=status)

    def _run(self, job: JobView, wanted: Derivable, token: str) -> int | None:
        """The exit status of the program; None where it was killed because it took too long. Renews meanwhile."""
        command = (*self._command, job.uuid, wanted.name, "--token", token, "--parent-pid", str(os.getpid()))
        nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=[nothing])
        self._pids.add(pid)
        until, is_late = time.monotonic() + self._limit_s(job, wanted), False
        renew_at = time.monotonic() + _RENEW_S
        try:
            while True:
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    return None if is_late else os.waitstatus_to_exitcode(status)
                if not is_late and time.monotonic() > until:
                    is_late = True
                    os.kill(pid, signal.SIGKILL)
                if time.monotonic() > renew_at:
                    renew_at += _RENEW_S
                    self._renew(job, wanted, token)
                gevent.sleep(_LOOK_S)
        finally:
            self._pids.discard(pid)

    def _renew(self, job: JobView, wanted: Derivable, token: str) -> None:
        """Late renewals are no harm: two processes that make the same format write equal bytes."""
        try:
            write(derivations.renew, job.uuid, wanted.name, token, _HOLD_S)
        except ServiceError as error:
            _log.warning("derivation_not_renewed", job=job.uuid, name=wanted.name, code=error.code)

    def _limit_s(self, job: JobView, wanted: Derivable) -> float:
        if isinstance(wanted, PagePicture):
            return self._limits.page_s(self._max_page_px)
        return self._limits.writing_s(job.page_count or 0)


def _as_it_is(job: JobView) -> JobView:
    """The same job now."""
    found = read(find_job, job.uuid)
    if found is None:
        raise job_not_found()
    return found
