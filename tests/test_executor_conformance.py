"""What every Executor does, over each of them: local processes, and the nodes of a Dask cluster where services are tested."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from recto.errors import PageDamaged
from recto.executors import PROCESS_DIED, Executor, LocalProcesses
from tests.cluster.processes import cluster, dask_executor
from tests.patience import wait_until
from tests.process_tree import lives
from tests.test_executors import PATIENCE_S, SETUP, die, fail, note_and_compute, note_and_sleep

_KILLED_WITHIN_S = 2.0
NewExecutor = Callable[[], Executor]


@contextmanager
def local_processes(_folder: Path) -> Iterator[NewExecutor]:
    yield lambda: LocalProcesses(1, 100, SETUP)


@contextmanager
def nodes_of_dask(folder: Path) -> Iterator[NewExecutor]:
    with cluster(folder) as running:
        running.node(processes=1)
        yield lambda: dask_executor(running)


@pytest.fixture(
    scope="module",
    params=[local_processes, pytest.param(nodes_of_dask, marks=pytest.mark.services)],
    ids=["local", "dask"],
)
def new_executor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewExecutor]:
    """Makes Executors for one task at a time."""
    with ExitStack() as stack:
        yield stack.enter_context(request.param(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def executor(new_executor: NewExecutor) -> Iterator[Executor]:
    executor = new_executor()
    yield executor
    executor.stop()


def test_capacity_is_what_runs_at_once(executor: Executor) -> None:
    assert executor.capacity == 1


def test_task_runs_in_another_process(executor: Executor) -> None:
    assert executor.submit(os.getpid, PATIENCE_S).result() != os.getpid()


def test_error_comes_back_with_its_members(executor: Executor) -> None:
    with pytest.raises(PageDamaged) as caught:
        executor.submit(fail, PATIENCE_S).result()
    assert caught.value.members == {"page": 1}


def test_task_that_ends_its_process_costs_itself_alone(executor: Executor) -> None:
    dying, following = executor.submit(die, PATIENCE_S), executor.submit(os.getpid, PATIENCE_S)
    with pytest.raises(PROCESS_DIED):
        dying.result()
    assert following.result() > 0


def test_task_that_takes_too_long_is_killed(executor: Executor, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    executor.submit(os.getpid, PATIENCE_S).result()
    slow = executor.submit(partial(note_and_sleep, file), 0.5)
    with pytest.raises(TimeoutError):
        slow.result()
    wait_until(lambda: not lives(int(file.read_text())), _KILLED_WITHIN_S)
    assert executor.submit(os.getpid, PATIENCE_S).result() != int(file.read_text())


@pytest.mark.parametrize("hang", [note_and_sleep, note_and_compute])
def test_cancelled_task_is_killed_within_two_seconds(
    executor: Executor, tmp_path: Path, hang: Callable[[Path], None]
) -> None:
    file = tmp_path / "pid"
    running = executor.submit(partial(hang, file), PATIENCE_S)
    wait_until(file.exists)
    running.cancel()
    wait_until(lambda: not lives(int(file.read_text())), _KILLED_WITHIN_S)
    with pytest.raises(CancelledError):
        running.result()
    assert executor.submit(os.getpid, PATIENCE_S).result() > 0


def test_task_that_is_cancelled_before_its_turn_never_runs(executor: Executor, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    running = executor.submit(partial(note_and_sleep, first), PATIENCE_S)
    wait_until(first.exists)
    executor.submit(partial(note_and_sleep, second), PATIENCE_S).cancel()
    running.cancel()
    assert executor.submit(os.getpid, PATIENCE_S).result() > 0
    assert not second.exists()


def test_stop_kills_what_runs(new_executor: NewExecutor, tmp_path: Path) -> None:
    executor = new_executor()
    file = tmp_path / "pid"
    executor.submit(partial(note_and_sleep, file), PATIENCE_S)
    wait_until(file.exists)
    executor.stop()
    wait_until(lambda: not lives(int(file.read_text())), _KILLED_WITHIN_S)


def test_stop_leaves_no_future_that_nobody_ends(new_executor: NewExecutor, tmp_path: Path) -> None:
    executor = new_executor()
    file = tmp_path / "pid"
    futures = [executor.submit(partial(note_and_sleep, file), PATIENCE_S) for _ in range(3)]
    wait_until(file.exists)
    executor.stop()
    assert [future.done() for future in futures] == [True, True, True]
