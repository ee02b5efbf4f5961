"""Backend and Worker as one program in the foreground: `python -m recto.supervise`, which `make run` calls.

- The Backend starts first and the Worker once the Backend answers: the Backend makes the database and the first admin.
- A program that ends is started again, after a delay that doubles while it keeps ending soon.
- Ctrl-C, SIGTERM or SIGHUP stops both: SIGTERM to each, SIGKILL after `server.stop_timeout_s` + 5 s. A second Ctrl-C kills at once.
- What is set is checked while the Backend starts: the check takes a fifth of a second.
- A program that ends with status 78 (EX_CONFIG in sysexits.h) has refused its settings: both are stopped and 78 is the exit status.
- No program outlives this one: if it is killed, the kernel kills them.

Each program runs in a session of its own. The terminal's Ctrl-C then reaches this process alone, so that each program is
stopped once and by one signal; its output still goes to the terminal.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import FrameType
from typing import TYPE_CHECKING

from recto.parent_death import die_with_parent

if TYPE_CHECKING:
    from recto.settings import ServerSettings

EX_CONFIG = 78
_EVERY_IPV4_ADDRESS = "0.0.0.0"  # nosec B104 # noqa: S104 - compared, not bound
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOP_MARGIN_S = 5.0
_READY_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Program:
    """What is kept running: its name in messages, its arguments, and its environment (None: this process's)."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Delays:
    """How long the supervisor waits, in seconds."""

    stop_s: float = 15.0
    """From SIGTERM to SIGKILL."""
    first_restart_s: float = 1.0
    longest_restart_s: float = 30.0
    settled_s: float = 60.0
    """A program that ran for this long starts over with the first delay."""


@dataclass(slots=True)
class _Child:
    program: Program
    delay_s: float
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    restart_at_s: float | None = None


@dataclass(slots=True)
class Signals:
    """The signals that arrived and were not asked for yet. A handler only notes them; `wait` returns when one came."""

    arrived: list[int] = field(default_factory=list)
    _receiving: socket.socket = field(init=False)
    _sending: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self._receiving, self._sending = socket.socketpair()
        self._receiving.setblocking(False)
        self._sending.setblocking(False)
        signal.set_wakeup_fd(self._sending.fileno(), warn_on_full_buffer=False)
        for number in (*_STOP_SIGNALS, signal.SIGCHLD):
            # Under nohup a hangup is meant to be ignored.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note)

    def wait(self, timeout_s: float | None) -> None:
        """Until a signal arrived, one that arrived before the call included, or the time is up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._receiving, selectors.EVENT_READ)
            if selector.select(timeout_s):
                self._receiving.recv(4096)

    def take(self) -> list[int]:
        """The stop signals that arrived since the last call, in order."""
        taken = []
        while self.arrived:
            taken.append(self.arrived.pop(0))
        return taken

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number != signal.SIGCHLD:
            self.arrived.append(number)


class Supervisor:
    """Keeps programs running until it is told to stop. The first program must be ready before the others start."""

    def __init__(
        self, programs: Sequence[Program], is_ready: Callable[[], bool], signals: Signals, delays: Delays | None = None
    ) -> None:
        self._delays = delays or Delays()
        self._children = [_Child(program, self._delays.first_restart_s) for program in programs]
        self._is_ready = is_ready
        self._signals = signals
        self._ready = False
        self._status: int | None = None
        self._kill_at_s = 0.0

    def run(self) -> int:
        """Serve until stopped; the exit status: 0 after a stop that was asked for."""
        self._start(self._children[0])
        try:
            while self._step():
                self._signals.wait(self._next_look_s())
        finally:
            self._kill()
        return self._status or 0

    def _step(self) -> bool:
        """Attend to all that is due now. False: everything was asked to stop and has ended."""
        for number in self._signals.take():
            self._signalled(number)
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, child.process)
        if self._status is not None:
            if time.monotonic() >= self._kill_at_s:
                self._kill(f"did not stop within {self._delays.stop_s:g} s and was killed")
            return any(child.process for child in self._children)
        self._start_what_is_due()
        return True

    def _start_what_is_due(self) -> None:
        first, *others = self._children
        if not self._ready and first.process is not None and self._is_ready():
            self._ready = True
            for child in others:
                self._start(child)
        now_s = time.monotonic()
        for child in self._children:
            if child.restart_at_s is not None and now_s >= child.restart_at_s:
                self._start(child)

    def _next_look_s(self) -> float | None:
        """Seconds until something is due; None: only a signal brings news."""
        if self._status is not None:
            return max(0.0, self._kill_at_s - time.monotonic())
        if not self._ready:
            return _READY_POLL_S
        due_s = [child.restart_at_s for child in self._children if child.restart_at_s is not None]
        return max(0.0, min(due_s) - time.monotonic()) if due_s else None

    def _start(self, child: _Child) -> None:
        child.restart_at_s = None
        child.started_s = time.monotonic()
        own_pid = os.getpid()
        child.process = subprocess.Popen(
            child.program.command,
            env=child.program.environment,
            start_new_session=True,
            # Safe here, as this process has one thread.
            preexec_fn=lambda: die_with_parent(parent_pid=own_pid),
        )

    def _signalled(self, number: int) -> None:
        if self._status is None:
            # First the deed: a terminal that was halted with Ctrl-S holds up whoever writes to it.
            self._stop(0)
            _say("Stopping. Ctrl-C again stops at once." if number == signal.SIGINT else "Stopping.")
        elif number == signal.SIGINT:
            self._status = 128 + number
            self._kill()
            _say("Stopped at once. Jobs in progress will be taken up again.")

    def _ended(self, child: _Child, process: subprocess.Popen[bytes]) -> None:
        child.process = None
        # What it may have left behind in its session, a page process or a tesseract, holds memory and cores.
        _kill_group(process.pid)
        if self._status is not None:
            return
        name, status = child.program.name, process.returncode
        if status == EX_CONFIG:
            _say(f"{name} refused its settings; see above.")
            self._stop(EX_CONFIG)
        elif not self._ready and child is self._children[0]:
            _say(f"{name} could not start ({_ending(status)}); see above.")
            self._stop(status if status > 0 else 1)
        else:
            self._restart_later(child, status)

    def _restart_later(self, child: _Child, status: int) -> None:
        now_s = time.monotonic()
        if now_s - child.started_s >= self._delays.settled_s:
            child.delay_s = self._delays.first_restart_s
        _say(f"{child.program.name} ended ({_ending(status)}). Starting it again in {child.delay_s:g} s.")
        child.restart_at_s = now_s + child.delay_s
        child.delay_s = min(child.delay_s * 2, self._delays.longest_restart_s)

    def _stop(self, status: int) -> None:
        self._status = status
        self._kill_at_s = time.monotonic() + self._delays.stop_s
        for child in self._children:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()

    def _kill(self, reason: str = "") -> None:
        """End what still runs, now, and all that it started; `reason` goes into a message for each."""
        for child in self._children:
            if child.process is None:
                continue
            if reason:
                _say(f"{child.program.name} {reason}.")
            _kill_group(child.process.pid)
            child.process.wait()
            child.process = None


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in it; macOS says so with EPERM


def _ending(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _say(message: str) -> None:
    sys.stderr.write(f"recto: {message}\n")
    sys.stderr.flush()


def local_url(host: str, port: int, base_path: str) -> str:
    """Address, with a slash at its end, of a server that listens on `host`, as this machine reaches it."""
    reached = _reachable_host(host)
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}{base_path}/"


def _reachable_host(host: str) -> str:
    return {_EVERY_IPV4_ADDRESS: "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)


def _is_free(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return False
    except OSError:
        return True


def _answers(host: str, port: int, path: str) -> bool:
    import http.client  # while the Backend starts: importing it takes a twentieth of a second

    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    try:
        connection.request("GET", path)
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False  # not yet
    else:
        return True
    finally:
        connection.close()


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _given(environ: Mapping[str, str]) -> tuple[str, int, float]:
    """Host, port and `stop_timeout_s` of the server, of which only is known that they are of the right kind. SettingsError."""
    from recto.setting_layers import read_layers

    server = read_layers(environ).values.get("server", {})
    with suppress(KeyError, TypeError, ValueError):
        if (port := int(server["port"])) in range(65_536):
            return str(server["host"]), port, float(server["stop_timeout_s"])
    checked = _checked(environ)  # which says what is wrong
    return checked.host, checked.port, checked.stop_timeout_s


def _checked(environ: Mapping[str, str]) -> "ServerSettings":
    from recto.settings import load_settings  # a fifth of a second: by then the Backend starts already

    return load_settings(environ).server


def main() -> int:
    """Run the Backend and the Worker with the settings of this environment; the exit status."""
    # First of all: a Ctrl-C during the imports below is then noted, not a traceback.
    signals = Signals()
    from recto.errors import SettingsError
    from recto.setting_layers import PROJECT_FOLDER

    try:
        host, port, stop_timeout_s = _given(os.environ)
        host = _reachable_host(host)
        port = port or _free_port(host)
        base_path = cache(lambda: _checked(os.environ).base_path)
        if not _is_free(host, port):
            _say(
                f"Something answers at {local_url(host, port, base_path())} already. Is Recto running? "
                f"Another port: RECTO_SERVER_PORT={port + 1} make run"
            )
            return 1

        def is_ready() -> bool:
            if not _answers(host, port, f"{base_path()}/healthz"):
                return False
            _say(f"Recto is at {local_url(host, port, base_path())} - Ctrl-C stops it.")
            return True

        environment = {**os.environ, "RECTO_SERVER_PORT": str(port)}
        programs = [
            Program("The Backend", (sys.executable, str(PROJECT_FOLDER / "app.py")), environment),
            Program("The Worker", (sys.executable, str(PROJECT_FOLDER / "ocr_worker.py"), "run"), environment),
        ]
        return Supervisor(programs, is_ready, signals, Delays(stop_s=stop_timeout_s + _STOP_MARGIN_S)).run()
    except SettingsError as error:
        _say(error.detail)
        return EX_CONFIG


if __name__ == "__main__":
    sys.exit(main())
