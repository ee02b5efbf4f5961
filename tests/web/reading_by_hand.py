"""A Worker that is played by hand and reads whatever comes, as long as a test needs it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from recto.errors import DocumentDamaged
from tests.ocr.writers.made_pages import block, lines
from tests.web.hand_worker import HandWorker

_BROKEN_BYTES: Final = 100


@contextmanager
def reading(worker: HandWorker) -> Iterator[None]:
    """Until the block ends, every document is read as "Read by hand."; a very short one fails."""
    done = threading.Event()
    thread = threading.Thread(target=_read_all, args=(worker, done))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _read_all(worker: HandWorker, done: threading.Event) -> None:
    """Read what comes: slowly enough to be waited for."""
    while not done.wait(0.05):
        claim = worker.try_claim()
        if claim is None:
            continue
        done.wait(1.0)
        if worker.size_bytes(claim) > _BROKEN_BYTES:
            worker.read_page(claim, 1, blocks=(block(*lines("Read bv hand.")),))
            worker.finish(claim, "Read by hand.\n")
        else:
            worker.fail(claim, DocumentDamaged("The PDF breaks off. Save it again."))
