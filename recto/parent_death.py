"""Ask the kernel to end this process when its parent dies, so that nothing is left running behind a killed parent.

A leaf: it imports the standard library only, since it also runs between fork and exec and in processes that load little.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)

# Loaded at import: between fork and exec nothing should be loaded any more.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signal_number: int = signal.SIGKILL, *, parent_pid: int | None = None) -> None:
    """From now on the kernel sends `signal_number` to this process when its parent dies. Linux only; elsewhere a no-op.

    `parent_pid` is the parent that is meant to be alive: give it where the parent may already be dead when this is called (it
    was learnt before a fork, say). If another process is the parent by now, the signal is sent at once.

    prctl(2), PR_SET_PDEATHSIG: the setting is kept over exec and lost over fork, so each child asks for itself; and "parent"
    means the thread that started this process: start it from a thread that lives as long as its process. OSError for a number
    that is no signal.
    """
    if _libc is None:
        return
    expected_pid = os.getppid() if parent_pid is None else parent_pid
    if _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    # A parent that died before the call above sends nothing any more.
    if os.getppid() != expected_pid:
        os.kill(os.getpid(), signal_number)
