"""When the Worker's loop looks at the database again. On SQLite, where a look is all that it costs."""

import threading
import time

from models import JobStatus
from tests.conftest import JobTable
from tests.patience import wait_until
from tests.worker_loop import Loop, end, read_whole

SEVERAL_GLANCES_S = 0.8


def test_what_a_round_has_recorded_itself_is_no_reason_for_another(table: JobTable, ann: int) -> None:
    loop = Loop(table, poll_interval_s=3600.0)
    rounds: list[float] = []
    step = loop.worker.step

    def counted() -> None:
        rounds.append(time.monotonic())
        step()

    loop.worker.step = counted  # type: ignore[method-assign]
    stopping, uuids = threading.Event(), [table.submit(ann, media_type="image/png") for _ in range(3)]
    thread = threading.Thread(target=loop.worker.run, args=(stopping,))
    thread.start()
    wait_until(lambda: len(loop.executor.running) == 2)
    wait_until(lambda: {table.job(uuid).status for uuid in uuids} == {JobStatus.IN_PROGRESS})
    time.sleep(SEVERAL_GLANCES_S)
    before = len(rounds)  # the first, and another by which the third job was claimed ahead
    end(loop.executor.running[0], read_whole(loop.executor.running[0]))
    wait_until(lambda: len(loop.executor.tasks) == 3 and len(rounds) >= 4)
    time.sleep(SEVERAL_GLANCES_S)
    after = len(rounds)
    stopping.set()
    thread.join(10.0)
    assert [table.job(uuid).pages_done for uuid in uuids].count(1) == 1
    assert (before, after) == (2, 4)  # a document has ended; is there one more to claim ahead?
