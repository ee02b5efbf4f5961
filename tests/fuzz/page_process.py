"""Damaged documents through real page processes: opened, counted, page 1 read, results written, as the Worker has it done."""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

from benchmarks.process_memory import peak_bytes
from recto.errors import PageCrashed, PageTimeout, RectoError
from recto.executors import PROCESS_DIED, LocalProcesses
from recto.file_storage.base import DOCUMENT
from recto.file_storage.volume import VolumeStorage
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits, load_page, text_layer
from recto.ocr.options import Options
from recto.working.page_tasks import (
    PageProcessSetup,
    checkpoint_page,
    describe_result,
    inspect_document,
    write_results,
)
from tests.fuzz.cases import Case

READ: Final = "read"
REFUSED: Final = "refused"
"""The outcome of what is no document: the Backend's check of the type refuses it, and no page process sees it."""

OPTIONS: Final = Options(languages=("eng",), formats=("txt", "json", "pdf"))
TOKEN: Final = "f" * 32
_READ_UP_TO_PX: Final = 150_000
"""Larger pages are decoded and rendered, not recognised: the engine's time would say nothing about the damage."""
_PATIENCE_S: Final = 60.0
_LOOK_S: Final = 0.02
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended: READ, REFUSED or an error's code; seconds; the most that its process had in RAM.

    `fault` is what no document may cause, as a traceback or a sentence; None where there is none.
    """

    code: str
    took_s: float = 0.0
    peak_bytes: int = 0
    fault: str | None = None


class PageProcesses:
    """One page process after another with the Worker's own set-up, and a File Storage in `folder`."""

    def __init__(self, setup: PageProcessSetup, page_timeout_s: float, pages_per_process: int) -> None:
        assert setup.storage is not None
        self._root, self._cap_bytes = setup.storage.folder, setup.memory_bytes
        self._page_timeout_s = page_timeout_s
        self._storage = VolumeStorage(setup.storage.folder)
        self._storage.prepare()
        self._limits = setup.limits
        self._executor = LocalProcesses(1, pages_per_process, setup)
        self._peak_bytes = 0

    def judge(self, case: Case) -> Outcome:
        """Have the case read and clear it away."""
        if case.media_type is None:
            return Outcome(REFUSED)
        uuid, incoming = str(uuid4()), self._storage.incoming()
        incoming.file.write(case.content)
        incoming.keep(uuid, DOCUMENT)
        started_s, self._peak_bytes = time.monotonic(), 0
        code, fault = self._read(uuid)
        took_s = time.monotonic() - started_s
        self._storage.delete(uuid)
        if fault is None and self._cap_bytes and self._peak_bytes > self._cap_bytes:
            fault = f"The process had {self._peak_bytes} bytes; its cap is {self._cap_bytes}."
        return Outcome(code, took_s, self._peak_bytes, fault)

    def left_behind(self) -> list[str]:
        """What should be gone: files that nobody owns, and folders of cases that are over."""
        return sorted(str(path.relative_to(self._root)) for path in self._root.rglob("*") if path.is_file())

    def stop(self) -> None:
        """End the process."""
        self._executor.stop()

    def _read(self, uuid: str) -> tuple[str, str | None]:
        """The code, and the fault where it is one that no document may cause."""
        try:
            info = self._run(partial(inspect_document, uuid))
            page_px = self._run(partial(_look_at_page, self._root / uuid / DOCUMENT, self._limits))
            if page_px > _READ_UP_TO_PX:
                return READ, None
            self._run(partial(checkpoint_page, uuid, TOKEN, 1, OPTIONS))
            document = describe_result(info.page_count, (), datetime(2026, 1, 1, tzinfo=UTC), OPTIONS)
            written = self._run(partial(write_results, uuid, TOKEN, [(1, TOKEN)], document, OPTIONS))
        except RectoError as error:
            return error.code, None if type(error).status < 500 else f"{error.code}: {error.detail}"
        except TimeoutError:
            return PageTimeout.code, None
        except PROCESS_DIED:
            return PageCrashed.code, None
        except Exception as error:  # noqa: BLE001 - what this program is there to find
            return type(error).__name__, f"{type(error).__name__}: {error}\n{error.__cause__ or ''}"
        for failure in written.failures:
            if "reason" not in failure.error.members:
                return f"{failure.result_format} not written", failure.traceback
        return (f"{READ}, no {written.failures[0].result_format}" if written.failures else READ), None

    def _run(self, task: Callable[[], _T]) -> _T:
        """The result of a task, its process's memory watched. A task whose process had died before it is given a new one."""
        pid = self._executor.submit(_forget_peak, _PATIENCE_S).result()
        future = self._executor.submit(task, self._page_timeout_s)
        self._watch(pid, future)
        return future.result()

    def _watch(self, pid: int, future: "Future[Any]") -> None:
        while not future.done():
            self._peak_bytes = max(self._peak_bytes, peak_bytes(pid))
            wait([future], _LOOK_S)
        self._peak_bytes = max(self._peak_bytes, peak_bytes(pid))


def _look_at_page(path: Path, limits: Limits) -> int:
    """Pixels of page 1, decoded or rendered, and its text layer looked for: all but the engine."""
    file = DocumentFile(path)
    text_layer(file, 1, limits)
    return load_page(file, 1, limits).pixels.size


def _forget_peak() -> int:
    """Count the most memory anew (proc_pid_clear_refs(5)); gives the process's id."""
    with suppress(OSError):  # other systems have none of this
        Path("/proc/self/clear_refs").write_text("5")
    return os.getpid()
