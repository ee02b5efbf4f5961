"""Logging is set up once for a process, so each test has one of its own."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys
from recto.logs import configure_logging, get_logger
configure_logging({level!r}, {log_format!r})
log = get_logger("recto.test")
log.debug("quiet")
log.info("job_claimed", job="42", attempt=1)
logging.getLogger("werkzeug").warning("from %s", "the library")
logging.getLogger("alembic.runtime.migration").info("chatter")
logging.getLogger("botocore.auth").debug("X-Amz-Signature=key")
logging.getLogger("urllib3.connectionpool").debug("GET /bucket?X-Amz-Signature=key")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("bug")
"""


def lines(level: str = "info", log_format: str = "json") -> list[str]:
    program = PROGRAM.format(level=level, log_format=log_format)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_log_has_one_object_a_line_with_named_values() -> None:
    claimed, library, bug = map(json.loads, lines())
    assert (claimed["event"], claimed["job"], claimed["attempt"]) == ("job_claimed", "42", 1)
    assert (claimed["level"], claimed["logger"]) == ("info", "recto.test")
    assert claimed["timestamp"].endswith("Z")
    assert (library["event"], library["logger"], library["level"]) == ("from the library", "werkzeug", "warning")
    assert "ZeroDivisionError" in json.dumps(bug)


def test_text_log_names_event_and_values() -> None:
    text = "\n".join(lines(log_format="text"))
    assert "job_claimed" in text
    assert "attempt" in text
    assert "from the library" in text
    assert "ZeroDivisionError" in text


@pytest.mark.parametrize(
    ("level", "events"),
    [("debug", ["quiet", "job_claimed", "from the library", "bug"]), ("error", ["bug"])],
)
def test_log_level_leaves_out_what_is_below_it(level: str, events: list[str]) -> None:
    assert [json.loads(line)["event"] for line in lines(level)] == events
