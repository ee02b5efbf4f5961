"""`recto watch` and a whole Recto: 30 drawn documents, and the watcher killed again and again while it reads them."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.drawn_documents import word_processor_pdf
from benchmarks.service import PROJECT, Service
from recto_client import Client
from tests.drawing import draw_page, save_pdf, save_tiff

pytestmark = pytest.mark.services

COUNT, KILLS, SEED = 30, 12, 7
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
KINDS = ("png", "jpg", "webp", "tiff", "pdf", "written.pdf", "broken.pdf", "txt", "sub/png", "sub/deep/jpg")
REFUSED, FAILED = 3, 3


def spoken(number: int) -> str:
    """No engine takes one for another."""
    return " ".join(DIGITS[int(digit)] for digit in f"{number:02}")


def draw(inbox: Path, number: int) -> Path:
    """Document `number`, of the kind that its number has. Three of them share each stem, in three formats."""
    folder, _, kind = KINDS[number % len(KINDS)].rpartition("/")
    path = (
        inbox / folder / f"letter-{number // 3}.{number}.{kind}"
        if number % 2
        else inbox / folder / f"letter-{number // 6}.{kind}"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"The letter says {spoken(number)}"
    page = draw_page((line, "and nothing else today")).pixels
    if kind == "tiff":
        return save_tiff(path, [page, page])
    if kind == "pdf":
        return save_pdf(path, [page])
    if kind == "written.pdf":
        return word_processor_pdf(path, 1 + number % 3)
    if kind == "broken.pdf":
        path.write_bytes(b"%PDF-1.7, and there it breaks off " + line.encode())
    elif kind == "txt":
        path.write_text(line)
    else:
        Image.fromarray(page).save(path, dpi=(300, 300))
    return path


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "service").mkdir()
    service = Service(tmp_path / "service", 2)
    yield service
    service.stop()


class Watch:
    """The command, started again and again on the same folders."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.inbox, self.outbox, self.log = folder / "inbox", folder / "outbox", folder / "watch.log"
        self.inbox.mkdir()
        outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
        self.token = service.new_token()
        self._environ = outer | {
            "RECTO_URL": service.address,
            "RECTO_TOKEN": self.token,
            "PYTHONPATH": "clients/python",
        }

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        command: list[str | Path] = [sys.executable, "-m", "recto_client.commands", "watch", self.inbox]
        more: list[str | Path] = [
            "--out",
            self.outbox,
            "--format",
            "txt",
            "--format",
            "pdf",
            "--settle",
            "0.4",
            "--interval",
            "0.2",
            *arguments,
        ]
        with self.log.open("ab") as log:
            return subprocess.Popen(command + more, cwd=PROJECT, env=self._environ, stdout=log, stderr=log)

    def results(self) -> dict[str, Path]:
        return {
            str(file.relative_to(self.outbox)): file
            for file in self.outbox.rglob("*.*")
            if not file.name.startswith(".")
        }


def test_thirty_documents_through_a_watcher_that_is_killed_are_all_there_and_none_twice(
    service: Service, tmp_path: Path
) -> None:
    watch, chance = Watch(tmp_path, service), random.Random(SEED)
    drawn = [draw(watch.inbox, number) for number in range(COUNT // 2)]
    for kill in range(KILLS):
        running = watch.start()
        time.sleep(chance.uniform(0.4, 2.5))
        assert running.poll() is None, watch.log.read_text()
        if kill % 2 and len(drawn) < COUNT:
            drawn += [draw(watch.inbox, number) for number in range(len(drawn), min(COUNT, len(drawn) + 3))]
            time.sleep(chance.uniform(0.0, 1.0))
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert watch.start("--once", "--move-done").wait(180) in (0, 1), watch.log.read_text()

    with Client(service.address, watch.token) as client:
        jobs = list(client.jobs())
    results = watch.results()
    texts = {name: file.read_text() for name, file in results.items() if name.endswith(".txt")}
    errors = [name for name in results if name.endswith(".error.txt")]
    print(len(jobs), "jobs,", len(results), "files,", len(errors), "errors")  # noqa: T201 - shown by -s
    assert len(set(drawn)) == COUNT
    assert len(jobs) == COUNT - REFUSED
    assert sorted(job.reason.code for job in jobs if job.reason) == ["document_damaged"] * FAILED
    assert len(errors) == REFUSED + FAILED
    assert len(results) == 2 * (COUNT - REFUSED - FAILED) + REFUSED + FAILED
    read = [number for number in range(COUNT) if KINDS[number % len(KINDS)] not in ("written.pdf", "broken.pdf", "txt")]
    for number in read:
        assert [name for name, text in texts.items() if f"letter says {spoken(number)}" in " ".join(text.split())], (
            number
        )
    assert sum("of a long document" in text for text in texts.values()) == COUNT // len(KINDS)
    left = [file.name for file in watch.inbox.rglob("*.*") if ".done" not in file.parts]
    assert len(left) == REFUSED + FAILED
    assert len(list((watch.inbox / ".done").rglob("*.*"))) == COUNT - REFUSED - FAILED
