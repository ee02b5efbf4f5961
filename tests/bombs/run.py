"""`python -m tests.bombs.run`, which `make bombs` calls: each bomb through the real service, and an ordinary letter right behind it.

Prints outcome, time, and the most memory of any page process and of the Backend for each. Exit status 1 where a letter suffered, a
request was answered by 5xx, a process went above its cap, the Backend grew by more than a bomb's bytes can account for, or the service died.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import requests

from benchmarks.process_memory import family, peak_bytes
from benchmarks.service import Service
from recto.settings import load_settings
from tests.bombs.bombs import BOMBS
from tests.chaos.documents import Letter

_MOST_S: Final = 900.0
_LETTER_MOST_S: Final = 60.0
_BACKEND_MOST_BYTES: Final = 400 << 20
_LOOK_S: Final = 0.05
_OPTIONS: Final = "languages=eng&formats=txt%2Bjson%2Bpdf&mode=force&dedupe=false"


@dataclass(frozen=True, slots=True)
class Result:
    """What a bomb did. `outcome`: the HTTP status and code of a refusal, or how its job ended."""

    name: str
    size_bytes: int
    outcome: str
    took_s: float
    page_process_bytes: int
    backend_bytes: int
    letter: str
    letter_s: float


class Bombing:
    """Sends bombs and letters to a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {service.new_token()}"
        self._jobs = f"{service.address}/api/v1/jobs"
        self._peaks: dict[int, int] = {}

    def drop(self, name: str, content: bytes, number: int) -> Result:
        """The bomb, the letter behind it, and what they came to."""
        self._forget_peaks()
        started_s = time.monotonic()
        posted = self._session.post(f"{self._jobs}?{_OPTIONS}", data=content, timeout=_MOST_S)
        letter = Letter(number, 1)
        letter_job = self._post_letter(letter)
        letter_text, letter_s = self._read_letter(letter_job)
        outcome = self._outcome(posted)
        took_s = time.monotonic() - started_s
        backend = self._backend()
        return Result(
            name,
            len(content),
            outcome,
            took_s,
            max((peak for pid, peak in self._peaks.items() if pid != backend), default=0),
            self._peaks.get(backend, 0),
            "read" if letter_text.strip() == letter.line(1) else f"not read: {letter_text}",
            letter_s,
        )

    def _post_letter(self, letter: Letter) -> str:
        options = "languages=eng&preprocess=none&dedupe=false"
        posted = self._session.post(f"{self._jobs}?{options}", data=letter.content(), timeout=_LETTER_MOST_S)
        posted.raise_for_status()
        return f"{self._jobs}/{posted.json()['uuid']}"

    def _read_letter(self, job: str) -> tuple[str, float]:
        started_s = time.monotonic()
        ended = self._wait(job, _LETTER_MOST_S)
        if ended["status"] != "FINISHED":
            return str(ended["reason"] or ended["status"]), time.monotonic() - started_s
        took_s = time.monotonic() - started_s
        return self._session.get(f"{job}/result", timeout=_LETTER_MOST_S).text, took_s

    def _outcome(self, posted: requests.Response) -> str:
        if posted.status_code != 202:
            return f"{posted.status_code} {posted.json()['code']}"
        job = f"{self._jobs}/{posted.json()['uuid']}"
        ended = self._wait(job, _MOST_S)
        if ended["status"] != "FINISHED":
            return f"{ended['status']}: {(ended['reason'] or {}).get('code', 'still going on')}"
        warnings = self._session.get(f"{job}/result?format=json", timeout=_MOST_S).json()["warnings"]
        codes = sorted({warning["code"] for warning in warnings})
        return f"FINISHED{', ' if codes else ''}{', '.join(codes)}"

    def _wait(self, job: str, most_s: float) -> dict[str, Any]:
        """The job when it has ended, or as it stands after `most_s`; the memory of all processes watched meanwhile."""
        until = time.monotonic() + most_s
        while True:
            self._look()
            found: dict[str, Any] = self._session.get(job, timeout=_LETTER_MOST_S).json()
            if found["status"] in ("FINISHED", "FAILURE") or time.monotonic() > until:
                return found
            time.sleep(_LOOK_S)

    def _look(self) -> None:
        for pid in family(self._service.process.pid):
            self._peaks[pid] = max(self._peaks.get(pid, 0), peak_bytes(pid))

    def _forget_peaks(self) -> None:
        """Count the most memory anew (proc_pid_clear_refs(5))."""
        self._peaks = {}
        for pid in family(self._service.process.pid):
            with suppress(OSError):  # it has ended meanwhile
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def _backend(self) -> int:
        """The process id of the Backend."""
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in family(self._service.process.pid)}
        return next(pid for pid, command in commands.items() if b"app.py" in command)


def faults(result: Result, cap_bytes: int) -> Iterator[str]:
    """What no bomb may do."""
    if result.letter != "read":
        yield f"{result.name}: the letter behind it was {result.letter}"
    if result.outcome.startswith("5") or "still going on" in result.outcome:
        yield f"{result.name}: {result.outcome}"
    if result.page_process_bytes > cap_bytes:
        yield f"{result.name}: a page process had {result.page_process_bytes} bytes; the cap is {cap_bytes}"
    if result.backend_bytes > _BACKEND_MOST_BYTES:
        yield f"{result.name}: the Backend had {result.backend_bytes} bytes"


def line(result: Result) -> str:
    """A row of the table."""
    page_mib, backend_mib = result.page_process_bytes >> 20, result.backend_bytes >> 20
    return (
        f"| {result.name} | {result.size_bytes:,} | {result.outcome} | {result.took_s:.1f} | {page_mib:,} | {backend_mib:,} "
        f"| {result.letter}, {result.letter_s:.1f} s |"
    )


@click.command(help="Send bombs through Recto, one after another, and an ordinary letter right behind each.")
@click.option("--only", default="", help="Those whose name has this in it.")
def main(only: str) -> None:
    """Exit status 1 where there were faults."""
    cap_bytes = load_settings({}).worker.process_memory_bytes
    found: list[str] = []
    click.echo("| bomb | bytes | outcome | seconds | page process, MiB | Backend, MiB | the letter behind it |")
    click.echo("|---|---:|---|---:|---:|---:|---|")
    with TemporaryDirectory(prefix="recto-bombs-") as folder:
        service = Service(Path(folder), 2)
        try:
            bombing = Bombing(service)
            for number, (name, draw) in enumerate(BOMBS.items()):
                if only in name:
                    result = bombing.drop(name, draw(), number)
                    click.echo(line(result))
                    found += faults(result, cap_bytes)
        finally:
            status = service.stop()
    found += [f"The stop ended with status {status}."] if status else []
    if found:
        raise click.ClickException("\n".join([f"{len(found)} faults:", *found]))


if __name__ == "__main__":
    main()
