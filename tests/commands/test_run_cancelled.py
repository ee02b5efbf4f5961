"""What a cancelled or deleted job leaves running: nothing, two seconds later."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from recto.file_storage.base import DOCUMENT
from recto.jobs import Jobs
from tests.commands.test_run import start, wait_for_worker
from tests.conftest import POLICY, JobTable, new_submission
from tests.patience import wait_until
from tests.process_tree import children, lives, page_processes

GONE_WITHIN_S = 2.0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def slow_page(file: Path) -> None:
    """A page of small print that takes an engine many seconds."""
    image = Image.new("L", (5000, 7000), 255)
    line = "Many hands make light work of long pages, and long pages make hands of light work. " * 4
    font = ImageFont.load_default(size=36)
    for top in range(100, 6900, 44):
        ImageDraw.Draw(image).text((100, top), line, fill=0, font=font)
    image.save(file, "PNG", compress_level=1)


@contextmanager
def worker(table: JobTable, folder: Path, engine: str) -> Iterator[int]:
    process = start(folder, RECTO_OCR_ENGINE=engine, RECTO_WORKER_NICENESS="0")
    try:
        wait_for_worker(table, process)
        yield process.pid
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.mark.parametrize("ocr_engine", ["tesserocr", "pytesseract"])
@pytest.mark.parametrize("way", ["cancel", "delete"])
def test_processes_of_a_job_that_is_taken_away_are_gone_within_two_seconds(
    table: JobTable, tmp_path: Path, ann: int, ocr_engine: str, way: str
) -> None:
    table.jobs = Jobs(POLICY)  # by the database's clock, as the program
    with worker(table, tmp_path, ocr_engine) as pid:
        submission = new_submission(ann)
        (tmp_path / submission.uuid).mkdir()
        slow_page(tmp_path / submission.uuid / DOCUMENT)
        table.do(table.jobs.submit, submission)
        uuid = submission.uuid
        wait_until(lambda: table.job(uuid).page_count == 1)
        at_work = page_processes(pid)
        if ocr_engine == "pytesseract":
            wait_until(lambda: any(children(page) for page in at_work))
            at_work += [child for page in at_work for child in children(page)]
        else:
            time.sleep(1.0)  # for the engine to be at it
        assert table.job(uuid).ended_us is None
        table.do(getattr(table.jobs, way), ann, uuid)
        assert wait_until(lambda: not any(map(lives, at_work)), GONE_WITHIN_S) < GONE_WITHIN_S
