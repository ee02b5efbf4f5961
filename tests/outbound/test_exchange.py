"""One outgoing request: where it connects to, what it sends, and how it ends when the other side does not play along."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from recto.errors import AddressRefused, NoAnswer
from recto.outbound.exchange import Outbound, resolve
from recto.outbound.guard import Guard, parse_allow_list
from tests.outbound.certificates import CertifiedHost, certified_host
from tests.outbound.receiver import LATE_S, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> CertifiedHost:
    return certified_host(tmp_path_factory.mktemp("certificates"), "hooks.internal")


def outbound(*found: str, allowed: str = "127.0.0.0/8", tls: ssl.SSLContext | None = None) -> Outbound:
    guard = Guard(lambda host, port, timeout_s: found, parse_allow_list(allowed))
    return Outbound(guard, lambda: tls or ssl.create_default_context())


def status_of(sender: Outbound, url: str, timeout_s: float = 5.0) -> int:
    with sender.answer("POST", url, {"X-Mine": "1"}, timeout_s, b"{}") as answer:
        return answer.status


def reason_of(sender: Outbound, url: str, timeout_s: float = 5.0) -> str:
    with pytest.raises(NoAnswer) as missing:
        status_of(sender, url, timeout_s)
    return str(missing.value.members["reason"])


def test_request_goes_to_the_address_with_the_name_of_the_url(receiver: Receiver) -> None:
    url = f"http://hooks.internal:{receiver.port}/ok?a=b"
    assert status_of(outbound("127.0.0.1"), url) == 204
    (request,) = receiver.requests
    start, _, body = request.partition(b"\r\n\r\n")
    lines = start.decode().split("\r\n")
    assert lines[0] == "POST /ok?a=b HTTP/1.1"
    assert {f"Host: hooks.internal:{receiver.port}", "X-Mine: 1", "Content-Length: 2", "Connection: close"} <= set(
        lines
    )
    assert body == b"{}"


def test_name_is_resolved_once_and_what_it_resolves_to_later_counts_for_nothing(receiver: Receiver) -> None:
    answers = [["127.0.0.1"], ["127.0.0.2"], ["169.254.169.254"]]
    asked: list[str] = []

    def changing(host: str, port: int, timeout_s: float) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    sender = Outbound(Guard(changing, parse_allow_list("127.0.0.1")), ssl.create_default_context)
    url = f"http://hooks.internal:{receiver.port}/ok"
    assert status_of(sender, url) == 204
    assert asked == ["hooks.internal"]
    for _ in range(2):  # and is judged anew with the next request
        with pytest.raises(AddressRefused):
            status_of(sender, url)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("behaviour", "status"), [("redirect", 302), ("redirect-inside", 307), ("fail", 500), ("gone", 410)]
)
def test_answer_of_whatever_status_is_given_as_it_is(receiver: Receiver, behaviour: str, status: int) -> None:
    assert status_of(outbound(), receiver.url(behaviour)) == status
    assert len(receiver.requests) == 1


def test_proxies_of_the_environment_are_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert status_of(outbound(), receiver.url("ok")) == 204


def test_answer_that_comes_late_but_in_time_is_taken(receiver: Receiver) -> None:
    assert status_of(outbound(), receiver.url("late"), LATE_S + 5) == 204


@pytest.mark.parametrize("behaviour", ["hang", "drip", "late"])
def test_answer_that_takes_too_long_is_given_up_in_time(receiver: Receiver, behaviour: str) -> None:
    started_s = time.monotonic()
    assert reason_of(outbound(), receiver.url(behaviour), 0.2) == "timed_out"
    assert time.monotonic() - started_s < 2.0


@pytest.mark.parametrize("behaviour", ["nonsense", "hang-up", "endless-head"])
def test_answer_that_is_none_is_named_as_that(receiver: Receiver, behaviour: str) -> None:
    assert reason_of(outbound(), receiver.url(behaviour)) == "bad_answer"


def test_answer_without_end_is_read_as_far_as_is_wanted(receiver: Receiver) -> None:
    with outbound().answer("GET", receiver.url("endless"), {}, 5.0) as answer:
        assert answer.status == 200
        assert len(answer.read(100_000)) == 100_000


@pytest.mark.parametrize("behaviour", ["endless", "drip-body"])
def test_answer_without_end_is_read_until_the_time_is_up(receiver: Receiver, behaviour: str) -> None:
    started_s = time.monotonic()

    def read_all() -> None:
        with outbound().answer("GET", receiver.url(behaviour), {}, 0.3) as answer:
            while answer.read(1_000_000):
                pass

    with pytest.raises(NoAnswer, match="too long"):
        read_all()
    assert time.monotonic() - started_s < 3.0


def test_answer_that_ends_has_its_headers_and_its_body(receiver: Receiver) -> None:
    with outbound().answer("GET", receiver.url("document"), {}, 5.0) as answer:
        assert (answer.header("content-length"), answer.header("etag")) == ("5", "")
        assert (answer.read(100), answer.read(100)) == (b"%PDF-", b"")


def test_address_where_nobody_listens_is_passed_over_for_the_next(receiver: Receiver) -> None:
    url = f"http://hooks.internal:{receiver.port}/ok"
    assert status_of(outbound("127.0.0.3", "127.0.0.1"), url) == 204
    assert reason_of(outbound("127.0.0.3", "127.0.0.4"), url) == "connection_failed"


def test_host_with_the_right_certificate_is_called_by_its_name(receiver: Receiver, certified: CertifiedHost) -> None:
    with certified.serving() as port:
        sender = outbound("127.0.0.1", tls=certified.trusting())
        assert status_of(sender, f"https://hooks.internal:{port}/ok") == 200
        assert certified.asked_for == ["hooks.internal"]


@pytest.mark.parametrize(("host", "trusts"), [("hooks.internal", False), ("other.internal", True), ("127.0.0.1", True)])
def test_host_with_another_certificate_is_sent_nothing(certified: CertifiedHost, host: str, trusts: bool) -> None:
    with certified.serving() as port:
        tls = certified.trusting() if trusts else ssl.create_default_context()
        assert reason_of(outbound("127.0.0.1", tls=tls), f"https://{host}:{port}/ok") == "certificate_refused"
    assert certified.received == []


def test_host_that_speaks_no_tls_is_named_as_that(receiver: Receiver) -> None:
    assert reason_of(outbound(), f"https://127.0.0.1:{receiver.port}/ok") == "connection_failed"


def test_host_that_hangs_in_the_handshake_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started_s = time.monotonic()
        assert reason_of(outbound(), f"https://127.0.0.1:{listener.getsockname()[1]}/ok", 0.2) == "timed_out"
        assert time.monotonic() - started_s < 2.0


def test_threads_and_sockets_are_gone_with_the_request(receiver: Receiver) -> None:
    status_of(outbound(), receiver.url("ok"))
    assert not [thread for thread in threading.enumerate() if thread.name == "time-limit"]


def test_system_finds_the_addresses_of_a_literal_and_none_of_a_name_that_is_none() -> None:
    assert resolve("127.0.0.1", 80, 1.0) == ["127.0.0.1"]
    with pytest.raises(NoAnswer):
        resolve("a..b", 80, 1.0)
