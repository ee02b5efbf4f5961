"""`python -m tests.outbound.attempts`: what becomes of webhooks whose receivers misbehave, and of addresses that are not to be called.

The first table sends real messages through the sender to a receiver on this machine, with a time limit of 0.4 s and pauses of 20 and 40 ms
instead of 15 s and the schedule. The second asks for addresses in every notation; names resolve to what the table says. "called" tells whether
any connection was made. Exit status 1 where an outcome is not the expected one.
"""

import ssl
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from unittest import mock

import structlog
from sqlalchemy import Engine
from tabulate import tabulate

from recto.database.connections import connect, upgrade_schema
from recto.errors import AddressRefused, NoAnswer
from recto.jobs import Jobs
from recto.outbound.exchange import Outbound, _PinnedConnection
from recto.outbound.guard import Guard, parse_allow_list
from recto.webhooks import endpoints as webhooks
from tests.conftest import POLICY, JobTable, SetClock, sqlite_url
from tests.outbound.receiver import Receiver
from tests.outbound.test_guard import NOT_PUBLIC, OTHER_NOTATIONS, PUBLIC, REFUSED_URLS
from tests.webhooks.test_sender import OUTCOMES, Sending

Row: TypeAlias = Sequence[object]
NAME: Final = "https://hooks.example.com/"


@dataclass(frozen=True)
class Called:
    """A request that was to be sent: what came of it, and the addresses that were connected to."""

    outcome: str
    addresses: tuple[str, ...]


def receivers(engine: Engine) -> Iterator[tuple[Row, bool]]:
    """A row for each way to behave, and whether it is as expected."""
    table = JobTable(engine, SetClock())
    table.jobs = Jobs(POLICY)
    user_id = table.add_user("ann")
    table.do(webhooks.set_url, user_id, None)
    sending = Sending(table, engine)
    sending.sender.start()
    for behaviour, expected in OUTCOMES.items():
        with Receiver() as receiver:
            started_s = time.monotonic()
            uuid = sending.finish(user_id, receiver.url(behaviour))
            sending.sender.wake()
            view = sending.ended(user_id, uuid)
            took_s = time.monotonic() - started_s
            ids = {request.partition(b"webhook-id: ")[2][:36] for request in receiver.requests}
        outcome = (view.status, view.attempts, view.last_status, view.error_code)
        row = [
            behaviour,
            view.status.value,
            view.attempts,
            view.last_status or "-",
            view.error_code or "-",
            f"{took_s:.2f}",
        ]
        yield row, outcome == expected and len(ids) == 1
    sending.close()


def call(url: str, *answers: list[str], allowed: str = "") -> list[Called]:
    """One request for each answer of the name server. Nothing is sent: connections are only noted."""
    left, connected = list(answers), list[str]()

    def connect_to(_connection: _PinnedConnection, address: object, _timeout_s: float) -> None:
        connected.append(str(address))
        raise OSError("noted")

    guard = Guard(lambda host, port, timeout_s: left.pop(0), parse_allow_list(allowed))
    sender = Outbound(guard, ssl.create_default_context)
    calls = []
    with mock.patch.object(_PinnedConnection, "_connect_to", connect_to):
        for _ in answers or [[]]:
            connected.clear()
            try:
                with sender.answer("POST", url, {}, 1.0, b"{}"):
                    outcome = "answered"
            except AddressRefused:
                outcome = "refused"
            except NoAnswer as error:
                outcome = "called" if connected else str(error.members["reason"])
            calls.append(Called(outcome, tuple(connected)))
    return calls


def addresses() -> Iterator[tuple[Row, bool]]:
    """A row for each address, and whether it is as expected."""
    for name, address in NOT_PUBLIC.items():
        shown = f"[{address}]" if ":" in address else address
        (in_url,), (behind_name,) = call(f"http://{shown}/"), call(NAME, [PUBLIC, address])
        row = [name, address, in_url.outcome, behind_name.outcome, "-"]
        yield row, (in_url, behind_name) == (Called("refused", ()),) * 2
    for name, url in (OTHER_NOTATIONS | REFUSED_URLS).items():
        (in_url,) = call(url, [PUBLIC])
        shown = ascii(url)[1:-1]
        yield (
            [name, shown if len(shown) < 60 else f"{shown[:57]}…", in_url.outcome, "", "-"],
            in_url == Called("refused", ()),
        )
    changing = call(NAME, [PUBLIC], ["127.0.0.1"], ["169.254.169.254"], [PUBLIC])
    for number, (one, expected) in enumerate(
        zip(changing, ["called", "refused", "refused", "called"], strict=True), start=1
    ):
        row = [f"DNS that changes, request {number}", NAME, "", one.outcome, " ".join(one.addresses) or "-"]
        yield row, one == Called(expected, (PUBLIC,) if expected == "called" else ())
    (allowed,) = call("http://hooks.internal/", ["10.0.0.1"], allowed="10.0.0.0/8")
    yield (
        ["allowed by the administrator", "http://hooks.internal/", "", allowed.outcome, "10.0.0.1"],
        allowed == Called("called", ("10.0.0.1",)),
    )


def main() -> int:
    """Print both tables."""
    structlog.configure(processors=[_drop])
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(sqlite_url(Path(folder) / "recto.db"), busy_timeout_s=10.0)
        upgrade_schema(engine)
        sent = list(receivers(engine))
        engine.dispose()
    asked = list(addresses())
    heads = (
        ["receiver", "message", "attempts", "last status", "error", "seconds"],
        ["form", "address", "in the URL", "behind a name", "called"],
    )
    for head, rows in zip(heads, (sent, asked), strict=True):
        sys.stdout.write(tabulate([row for row, _ in rows], head, disable_numparse=True) + "\n\n")
    wrong = [row[0] for row, is_right in (*sent, *asked) if not is_right]
    sys.stdout.write(f"{len(sent) + len(asked)} outcomes, {len(wrong)} not as expected: {wrong}\n")
    return 1 if wrong else 0


def _drop(*_: object) -> dict[str, object]:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
