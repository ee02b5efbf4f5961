"""The Backend as `python app.py` serves it, which counts what it asks SQLite: for benchmarks alone.

    python -m benchmarks.counted_backend FILE

FILE holds two numbers of eight bytes, kept up to date: statements, and looks at SQLite's count of commits (PRAGMA data_version), which read
shared memory and no table. Counted by SQLite's own trace, so nothing that the program runs is left out.
"""

import mmap
import runpy
import struct
import sys
from itertools import count
from pathlib import Path
from typing import Any, Final

_NUMBER: Final = struct.Struct("=Q")
_GLANCE: Final = "PRAGMA data_version"


def counted(file: Path) -> tuple[int, int]:
    """(statements, glances) since the start."""
    statements, glances = struct.unpack("=QQ", file.read_bytes())
    return statements, glances


def main() -> None:
    from gevent import monkey

    monkey.patch_all()  # as app.py does, before SQLAlchemy is imported
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    file = Path(sys.argv[1])
    file.write_bytes(bytes(2 * _NUMBER.size))
    with file.open("r+b") as opened:
        numbers = mmap.mmap(opened.fileno(), 0)
    statements, glances = count(1), count(1)

    def note(statement: str) -> None:
        # The next number is taken in one step, whatever thread it is.
        if statement == _GLANCE:
            _NUMBER.pack_into(numbers, _NUMBER.size, next(glances))
        else:
            _NUMBER.pack_into(numbers, 0, next(statements))

    def trace(connection: Any, _record: Any) -> None:
        connection.set_trace_callback(note)

    event.listen(Pool, "connect", trace)
    runpy.run_path("app.py", run_name="__main__")


if __name__ == "__main__":
    main()
