"""The supervisor with small programs in place of Backend and Worker, and the parent-death signal under it."""

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recto.parent_death import die_with_parent
from tests.patience import wait_until
from tests.ports import free_port
from tests.process_tree import lives

ROOT = Path(__file__).resolve().parent.parent
DEADLINE_S = 20.0
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")

SUPERVISOR = """
import sys
from pathlib import Path
from recto.supervise import Delays, Program, Signals, Supervisor

signals = Signals()
backend, worker, folder = sys.argv[1:]
ready = Path(folder, "ready").exists
programs = [Program("Backend", (sys.executable, "-c", backend)), Program("Worker", (sys.executable, "-c", worker))]
delays = Delays(stop_s=1.0, first_restart_s=0.05, longest_restart_s=0.2, settled_s=60.0)
sys.exit(Supervisor(programs, ready, signals, delays).run())
"""

NOTE = """
import os, signal, sys, time
from pathlib import Path

def note(text):
    with open("notes", "a") as file:
        file.write(f"{NAME} {text}\\n")

def on_signal(number, frame):
    note(signal.Signals(number).name)
    if number == signal.SIGTERM and not STUBBORN:
        sys.exit(0)

STUBBORN = False
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, on_signal)
"""


def program(name: str, body: str) -> str:
    """A fake program: it appends what happens to it to the file `notes`, then does `body`."""
    return f"NAME = {name!r}\n{NOTE}\nnote(f'started {{os.getpid()}}')\n{body}"


SERVE = "while True: time.sleep(60)"
BACKEND = program("backend", f"Path('ready').touch()\n{SERVE}")
WORKER = program("worker", SERVE)


class Run:
    """A supervisor in `folder` and what its programs noted."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder

    def notes(self) -> list[str]:
        file = self.folder / "notes"
        return file.read_text().splitlines() if file.exists() else []

    def pids(self, name: str) -> list[int]:
        return [int(note.split()[2]) for note in self.notes() if note.startswith(f"{name} started")]

    def wait_for_notes(self, prefix: str, count: int = 1) -> None:
        wait_until(
            lambda: sum(note.startswith(prefix) for note in self.notes()) >= count, DEADLINE_S, f"{count} x '{prefix}'"
        )

    def end(self) -> tuple[int, str]:
        """Exit status and standard error, once it has ended."""
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        assert "Traceback" not in (errors or "")
        return self.process.returncode, errors


@contextmanager
def supervised(folder: Path, backend: str = BACKEND, worker: str = WORKER) -> Iterator[Run]:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, backend, worker, str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    run = Run(process, folder)
    try:
        yield run
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_worker_starts_only_once_the_backend_is_ready(tmp_path: Path) -> None:
    backend = program("backend", f"time.sleep(0.5); note('ready'); Path('ready').touch()\n{SERVE}")
    with supervised(tmp_path, backend) as run:
        run.wait_for_notes("worker started")
    assert [note.split()[:2] for note in run.notes()[:3]] == [
        ["backend", "started"],
        ["backend", "ready"],
        ["worker", "started"],
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stop_signal_stops_both_once_and_exits_zero(tmp_path: Path, number: signal.Signals) -> None:
    with supervised(tmp_path) as run:
        run.wait_for_notes("worker started")
        run.process.send_signal(number)
        status, errors = run.end()
    assert status == 0
    assert "Stopping." in errors
    assert sorted(note for note in run.notes() if "started" not in note) == ["backend SIGTERM", "worker SIGTERM"]


def test_stop_before_the_backend_is_ready_starts_no_worker(tmp_path: Path) -> None:
    with supervised(tmp_path, program("backend", SERVE)) as run:
        run.wait_for_notes("backend started")
        run.process.send_signal(signal.SIGTERM)
        assert run.end()[0] == 0
    assert not run.pids("worker")


def test_ctrl_c_in_a_terminal_reaches_each_program_as_one_sigterm(tmp_path: Path) -> None:
    backend = program("backend", f"note('terminal' if os.isatty(1) else 'none')\nPath('ready').touch()\n{SERVE}")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", SUPERVISOR, backend, WORKER, str(tmp_path)])  # noqa: S606 - no shell is wanted
    run = Run(subprocess.Popen(["true"], text=True), tmp_path)
    run.process.wait()
    try:
        run.wait_for_notes("worker started")
        os.write(terminal, b"\x03")
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "backend terminal" in run.notes()
    assert sorted(note for note in run.notes() if "SIG" in note) == ["backend SIGTERM", "worker SIGTERM"]


@pytest.mark.parametrize("ending", ["sys.exit(3)", "sys.exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_program_that_ends_is_started_again(tmp_path: Path, ending: str) -> None:
    with supervised(tmp_path, worker=program("worker", ending)) as run:
        run.wait_for_notes("worker started", 3)
        run.process.send_signal(signal.SIGTERM)
        status, errors = run.end()
    assert status == 0
    assert "Starting it again in 0.05 s" in errors
    assert "Starting it again in 0.1 s" in errors
    assert len(run.pids("backend")) == 1


def test_backend_that_ends_after_it_was_ready_is_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path) as run:
        run.wait_for_notes("worker started")
        os.kill(run.pids("backend")[0], signal.SIGKILL)
        run.wait_for_notes("backend started", 2)
        run.process.send_signal(signal.SIGTERM)
        status, errors = run.end()
    assert status == 0
    assert "Backend ended (killed by SIGKILL)" in errors
    assert len(run.pids("worker")) == 1


def test_backend_that_never_came_up_is_not_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path, program("backend", "sys.exit(5)")) as run:
        status, errors = run.end()
    assert status == 5
    assert "could not start (exit status 5)" in errors
    assert len(run.pids("backend")) == 1


def test_refused_settings_stop_everything(tmp_path: Path) -> None:
    with supervised(tmp_path, worker=program("worker", "sys.exit(78)")) as run:
        status, errors = run.end()
    assert status == 78
    assert "Worker refused its settings" in errors
    assert "backend SIGTERM" in run.notes()
    assert len(run.pids("worker")) == 1


def start(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Recto itself, as `make run` starts it, which is to end by itself."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("RECTO_")}
    environ = outer | {"RECTO_FILE_STORAGE_PATH": str(folder / "storage")} | variables
    command = [sys.executable, "-m", "recto.supervise"]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RECTO_SERVER_PORT", "many", "RECTO_SERVER_PORT: Input should be a valid integer"),
        ("RECTO_SERVER_PORT", "70000", "RECTO_SERVER_PORT: Input should be less than or equal to 65535"),
        ("RECTO_SERVER_BASE_PATH", "recto", "RECTO_SERVER_BASE_PATH: must be empty or start with a slash"),
        ("RECTO_LOG_LEVEL", "loud", "RECTO_LOG_LEVEL: Input should be 'debug'"),
        ("RECTO_SERVER_PROT", "1", "RECTO_SERVER_PROT in the environment names no setting."),
    ],
)
def test_wrong_setting_is_named_and_nothing_is_left_running(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    ended = start(tmp_path, **{"RECTO_SERVER_PORT": str(free_port()), variable: value})
    assert ended.returncode == 78
    assert f"recto: {said}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "storage").exists()


def test_port_that_is_taken_is_named_with_its_address_and_another_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start(tmp_path, RECTO_SERVER_PORT=str(port), RECTO_SERVER_BASE_PATH="/recto/")
    assert ended.returncode == 1
    assert f"Something answers at http://127.0.0.1:{port}/recto/ already." in ended.stderr
    assert f"RECTO_SERVER_PORT={port + 1} make run" in ended.stderr


def test_program_that_ignores_sigterm_is_killed_in_time(tmp_path: Path) -> None:
    with supervised(tmp_path, worker=program("worker", f"STUBBORN = True; note('deaf')\n{SERVE}")) as run:
        run.wait_for_notes("worker deaf")
        run.process.send_signal(signal.SIGTERM)
        status, errors = run.end()
    assert status == 0
    assert "Worker did not stop within 1 s" in errors
    assert not lives(run.pids("worker")[0])


def test_second_ctrl_c_kills_at_once(tmp_path: Path) -> None:
    with supervised(tmp_path, worker=program("worker", f"STUBBORN = True; note('deaf')\n{SERVE}")) as run:
        run.wait_for_notes("worker deaf")
        run.process.send_signal(signal.SIGINT)
        run.wait_for_notes("worker SIGTERM")
        run.process.send_signal(signal.SIGINT)
        status, errors = run.end()
    assert status == 130
    assert "did not stop within" not in errors
    assert not lives(run.pids("worker")[0])


def test_program_that_ends_leaves_nothing_behind(tmp_path: Path) -> None:
    worker = program(
        "worker", "if os.fork() == 0: note(f'child {os.getpid()}'); time.sleep(60)\ntime.sleep(0.3); sys.exit(1)"
    )
    with supervised(tmp_path, worker=worker) as run:
        run.wait_for_notes("worker child")
        child_pid = next(int(note.split()[2]) for note in run.notes() if note.startswith("worker child"))
        run.wait_for_notes("worker started", 2)
        assert not lives(child_pid)
        run.process.send_signal(signal.SIGTERM)
        run.end()


@linux_only
def test_killed_supervisor_takes_its_programs_with_it(tmp_path: Path) -> None:
    with supervised(tmp_path) as run:
        run.wait_for_notes("worker started")
        run.process.kill()
        run.end()
        for pid in (*run.pids("backend"), *run.pids("worker")):
            wait_until(lambda pid=pid: not lives(pid), DEADLINE_S, f"the end of {pid}")  # type: ignore[misc]


def run_main(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recto.supervise"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def test_main_with_a_bad_setting_names_it_and_exits_78(tmp_path: Path) -> None:
    ended = run_main(RECTO_SERVER_PORT="many", RECTO_FILE_STORAGE_PATH=str(tmp_path))
    assert ended.returncode == 78
    assert "RECTO_SERVER_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_main_with_the_port_taken_says_so_and_starts_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = run_main(RECTO_SERVER_PORT=str(port), RECTO_FILE_STORAGE_PATH=str(tmp_path))
    assert ended.returncode == 1
    assert f"http://127.0.0.1:{port}/" in ended.stderr
    assert "RECTO_SERVER_PORT" in ended.stderr
    assert not list(tmp_path.iterdir())


ORPHAN = """
import os, sys, time
from recto.parent_death import die_with_parent

parent_pid = os.getpid()
read, write = os.pipe()
if os.fork() == 0:
    if sys.argv[1] == "late":
        os.read(read, 1)
        os.close(write)
        while os.getppid() == parent_pid:
            time.sleep(0.01)
    die_with_parent(parent_pid=parent_pid)
    print(os.getpid(), flush=True)
    time.sleep(60)
if sys.argv[1] == "late":
    os.write(write, b"x")
else:
    time.sleep(60)
"""


def start_orphan(mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ORPHAN, mode],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@linux_only
def test_die_with_parent_ends_the_child_of_a_killed_parent() -> None:
    with start_orphan("early") as parent:
        assert parent.stdout is not None
        child_pid = int(parent.stdout.readline())
        assert lives(child_pid)
        parent.kill()
        wait_until(lambda: not lives(child_pid), DEADLINE_S, "the end of the child")


@linux_only
def test_die_with_parent_after_the_parents_death_ends_the_child_at_once() -> None:
    with start_orphan("late") as parent:
        assert parent.stdout is not None
        # The child holds the other end: end of file means that it is gone, and it printed nothing.
        assert parent.stdout.read() == ""


@linux_only
def test_die_with_parent_of_no_signal_raises() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        die_with_parent(4096)
