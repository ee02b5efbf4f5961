"""How long one small page takes through the idle service, and while a long job of somebody else runs.

    python -m benchmarks.latency [--pages N] [--repeats N] [--json FILE]

alone        POST /api/v1/jobs with Prefer: wait and then the text, against reading the same page in a warm process, in turns
at once      POST /api/v1/ocr, which answers with the text
beside       a page like those of the long job, while a job of N pages (300) of another user is read, against the same page alone

The small page is a letter of one line, those of the long job are drawn A5 pages at 200 dpi. Milliseconds.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import requests

from benchmarks.drawn_documents import scanned_pdf
from benchmarks.service import Service
from recto.commands.page_processes import core_count, page_process_setup
from recto.ocr.document_file import DocumentFile
from recto.ocr.options import Options
from recto.settings import load_settings
from recto.working.page_tasks import prepare_this_process, read_page

_OPTIONS: Final = {"languages": "eng", "dedupe": "false"}
_PAUSE_S: Final = 0.1
_SHARE_OF_LONG_PAGES: Final = 4
_PATIENCE_S: Final = 120.0
_AIMS_MS: Final = {"p50": 60.0, "p95": 150.0}


class Client:
    """One user's session with the service."""

    def __init__(self, service: Service, user: str) -> None:
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {service.new_token(user)}"
        self._jobs, self._at_once = f"{service.address}/api/v1/jobs", f"{service.address}/api/v1/ocr"

    def read_ms(self, content: bytes) -> float:
        """From the first byte of the request to the last of the text."""
        began_s = time.perf_counter()
        wait = {"Prefer": f"wait={_PATIENCE_S:g}"}
        posted = self._session.post(self._jobs, params=_OPTIONS, data=content, headers=wait, timeout=2 * _PATIENCE_S)
        assert posted.status_code == 200, posted.text
        self._session.get(f"{self._jobs}/{posted.json()['uuid']}/result", timeout=_PATIENCE_S).raise_for_status()
        return 1000 * (time.perf_counter() - began_s)

    def read_at_once_ms(self, content: bytes) -> float:
        """The same by one request."""
        began_s = time.perf_counter()
        answer = self._session.post(self._at_once, params=_OPTIONS, data=content, timeout=_PATIENCE_S)
        assert answer.status_code == 200, answer.text
        assert answer.text.strip()
        return 1000 * (time.perf_counter() - began_s)

    def send(self, document: Path) -> str:
        """The address of a job that nobody waits for."""
        posted = self._session.post(self._jobs, params=_OPTIONS, data=document.read_bytes(), timeout=_PATIENCE_S)
        return f"{self._jobs}/{posted.json()['uuid']}"

    def pages_done(self, job: str) -> int:
        """How far it is."""
        done: int = self._session.get(job, timeout=_PATIENCE_S).json()["progress"]["pages_done"]
        return done


def small_page(number: int) -> bytes:
    """A PNG of 900 x 140 pixels; every number another."""
    page = np.full((140, 900), 255, np.uint8)
    cv2.putText(page, f"Letter number {number} of this day", (40, 90), cv2.FONT_HERSHEY_DUPLEX, 1.4, 0, 2, cv2.LINE_AA)
    return bytes(cv2.imencode(".png", page)[1])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(folder: Path, page_count: int, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each, one number a repeat."""
    prepare_this_process(page_process_setup(load_settings({}), with_storage=False))
    found: dict[str, list[float]] = {
        "warm process": [],
        "alone": [],
        "at once": [],
        "long job's page alone": [],
        "beside the long job": [],
    }
    service = Service(folder, core_count())
    try:
        client, other = Client(service, "admin"), Client(service, service.new_user("other"))
        long = scanned_pdf(folder / "long.pdf", page_count)
        for number in range(-5, repeats):  # the first ones warm up
            content = small_page(number)
            times = {"warm process": _in_this_process_ms(folder, content), "alone": client.read_ms(content)}
            time.sleep(_PAUSE_S)
            times["at once"] = client.read_at_once_ms(content)
            for name, took_ms in times.items():
                found[name] += [took_ms] if number >= 0 else []
            time.sleep(_PAUSE_S)
        page = (scanned_pdf(folder / "page.pdf", 1)).read_bytes()
        for _ in range(repeats // _SHARE_OF_LONG_PAGES):
            found["long job's page alone"].append(client.read_ms(page))
        job = other.send(long)
        while not other.pages_done(job):
            time.sleep(_PAUSE_S)
        for _ in range(repeats // _SHARE_OF_LONG_PAGES):
            found["beside the long job"].append(client.read_ms(page))
            time.sleep(_PAUSE_S)
        assert other.pages_done(job) < page_count, (
            "the long job ended too soon to be beside anything: give it more pages"
        )
    finally:
        service.stop()
    return found


def _in_this_process_ms(folder: Path, content: bytes) -> float:
    file = folder / "page.png"
    file.write_bytes(content)
    began_s = time.perf_counter()
    read_page(DocumentFile(file), 1, Options(languages=("eng",)))
    return 1000 * (time.perf_counter() - began_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as folder:
        found = measure(Path(folder), given.pages, given.repeats)
    print("| one small page | p50, ms | p95, ms |\n|---|---:|---:|")
    for name, values in found.items():
        print(f"| {name} | {percentile(values, 0.5):.0f} | {percentile(values, 0.95):.0f} |")
    warm_ms = statistics.median(found["warm process"])
    for way in ("alone", "at once"):
        for name, share in (("p50", 0.5), ("p95", 0.95)):
            over_ms = percentile(found[way], share) - warm_ms
            print(f"\n{way} over a warm process, {name}: {over_ms:.0f} ms (aim: {_AIMS_MS[name]:.0f})")
    alone_ms, beside_ms = (statistics.median(found[name]) for name in ("long job's page alone", "beside the long job"))
    print(f"\nbeside a long job / alone: {beside_ms / alone_ms:.2f} (aim: 3)")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
