"""The streams of events on real sockets: four kinds of clients, cut off and resumed, and what ends a stream."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from recto import accounts
from recto.database.connections import Begin, transaction
from recto.errors import PageDamaged
from recto.jobs import Claim
from recto.web.waiting.held_requests import HELD_S
from tests.patience import wait_until
from tests.ports import free_port
from tests.web.clients import PASSWORD, PDF
from tests.web.followers import (
    FOLLOWERS,
    PATIENCE_S,
    Follower,
    LongPollFollower,
    SseFollower,
    WebSocketFollower,
    blocks_of,
    paths_of,
)
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer

JOBS = "/api/v1/jobs"
PAGES = 20
FOREIGN = "https://elsewhere.example"
HANDSHAKE: dict[str, dict[str, str]] = {
    "events": {},
    "stream": {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
}
each_follower = pytest.mark.parametrize("kind", FOLLOWERS, ids=lambda kind: kind.__name__)


def authorised(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def submit(server: LiveServer, token: str) -> str:
    answer = requests.post(server.address + JOBS, files={"document": PDF}, headers=authorised(token), timeout=30)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["uuid"])


def text_of(number: int) -> str:
    return f"Page {number} says «ü»"


def read_pages(worker: HandWorker, claim: Claim, numbers: list[int], pause_s: float = 0.0) -> None:
    """End those pages in that order; the third is damaged."""
    for number in numbers:
        time.sleep(pause_s)
        if number == 3:
            worker.read_page(claim, number, PageDamaged("Page 3 is damaged. Scan it anew."))
        else:
            worker.read_page(claim, number, blocks=blocks_of(text_of(number), 0.5))


def expected_pages(numbers: list[int]) -> list[tuple[int, str | None]]:
    return [(number, None if number == 3 else f"{text_of(number)}\n") for number in numbers]


@pytest.fixture
def worker(live: LiveServer, live_worker: HandWorker) -> HandWorker:
    live_worker.end_waiting()
    live_worker.report("eng")
    return live_worker


@pytest.fixture
def claim(live: LiveServer, live_token: str, worker: HandWorker) -> Claim:
    """A job of the admin's that was opened."""
    submit(live, live_token)
    return worker.claim(PAGES)


@pytest.fixture
def other_token(worker: HandWorker) -> str:
    """Of another user."""
    with transaction(worker.session(), Begin.WRITE) as session:
        names = [user.name for user in accounts.list_users(session)]
        if "eve" not in names:
            accounts.create_user(session, "eve", accounts.hash_password(PASSWORD), is_admin=False)
        return accounts.create_token(session, accounts.find_user(session, "eve").id, "tests")


@pytest.fixture
def cookie(live: LiveServer) -> str:
    """Of the admin's browser, signed in."""
    with requests.Session() as browser:
        form = browser.get(f"{live.address}/sign-in", timeout=30).text
        csrf_token = form.partition('name="csrf-token" content="')[2].partition('"')[0]
        sent = {"csrf_token": csrf_token, "name": "admin", "password": PASSWORD}
        answer = browser.post(f"{live.address}/sign-in", data=sent, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        return f"recto_session={browser.cookies['recto_session']}"


def test_each_kind_of_client_that_is_cut_off_once_sees_every_page_in_order(
    live: LiveServer, live_token: str, worker: HandWorker, claim: Claim
) -> None:
    uuid, order = claim.lease.job_uuid, Random(1).sample(range(1, PAGES + 1), PAGES)
    followers = [kind(live.address, paths_of(uuid, kind), live_token) for kind in FOLLOWERS]

    def follow(follower: Follower, cut_after: int) -> None:
        follower.follow(cut_after)
        time.sleep(0.2)  # away, while pages go on ending
        follower.follow()

    with ThreadPoolExecutor(len(followers)) as pool:
        ends = [pool.submit(follow, follower, 8 + place) for place, follower in enumerate(followers)]
        read_pages(worker, claim, order, pause_s=0.03)
        worker.finish(claim)
        for end in ends:
            end.result(PATIENCE_S)
    for follower in followers:
        name = type(follower).__name__
        assert follower.pages == expected_pages(order), name
        assert follower.repeats == 0, name
        assert follower.messages == followers[0].messages, name
    told = followers[0].messages
    assert [message["event"] for message in told] == ["status"] * 2 + ["progress"] + ["page"] * PAGES + ["end"]
    assert [message["id"] for message in told] == sorted({message["id"] for message in told})
    assert [message["progress"]["pages_done"] for message in told[2:]] == [*range(PAGES + 1), PAGES]


@each_follower
def test_late_client_gets_all_that_it_missed_and_then_nothing_more(
    live: LiveServer, live_token: str, worker: HandWorker, claim: Claim, kind: type[Follower]
) -> None:
    uuid = claim.lease.job_uuid
    read_pages(worker, claim, [2, 3, 1])
    worker.finish(claim)
    follower = kind(live.address, paths_of(uuid, kind), live_token).follow()
    assert follower.pages == expected_pages([2, 3, 1])
    (end,) = follower.of("end")
    assert (end["status"], end["reason"], end["attempt"]) == ("FINISHED", None, 1)
    assert end["links"]["result"] == f"{JOBS}/{uuid}/result"
    assert follower.of("page")[1]["page"] == {
        "number": 3,
        "text": None,
        "confidence": None,
        "warnings": [{"code": "page_damaged", "detail": "Page 3 is damaged. Scan it anew."}],
    }
    assert follower.of("page")[0]["page"]["confidence"] == 0.5
    seen = len(follower.messages)
    follower.follow()
    assert (len(follower.messages), follower.repeats) == (seen, 0)


def test_finished_stream_keeps_an_event_source_from_coming_back(
    live: LiveServer, live_token: str, worker: HandWorker, claim: Claim
) -> None:
    worker.finish(claim)
    path = f"{JOBS}/{claim.lease.job_uuid}/events"
    follower = SseFollower(live.address, path, live_token).follow()
    for given in ({"Last-Event-ID": str(follower.messages[-1]["id"])}, {"Last-Event-ID": "999999999"}):
        answer = requests.get(live.address + path, headers=authorised(live_token) | given, timeout=30)
        assert (answer.status_code, answer.content) == (204, b"")


@each_follower
def test_stream_of_all_jobs_goes_on_from_the_list_and_tells_nothing_of_others(
    live: LiveServer, live_token: str, other_token: str, worker: HandWorker, kind: type[Follower]
) -> None:
    change = requests.get(live.address + JOBS, headers=authorised(live_token), timeout=30).json()["change"]
    submit(live, other_token)
    first, second = submit(live, live_token), submit(live, live_token)
    worker.end_waiting()
    follower = kind(live.address, paths_of(None, kind), live_token)
    follower.messages.append({"id": change, "event": "start"})
    with ThreadPoolExecutor(1) as pool:
        end = pool.submit(follower.follow, 7)
        wait_until(lambda: len(follower.of("end")) == 2)
        requests.delete(f"{live.address}{JOBS}/{second}", headers=authorised(live_token), timeout=30)
        end.result(PATIENCE_S)
    told = [(message["event"], message["job"]) for message in follower.messages[1:]]
    assert told == [
        *[("status", first), ("status", second)],
        *[(event, uuid) for uuid in (first, second) for event in ("status", "end")],
        ("deleted", second),
    ]


@each_follower
def test_stream_of_all_jobs_that_names_no_id_begins_with_what_comes_next(
    live: LiveServer, live_token: str, worker: HandWorker, claim: Claim, kind: type[Follower]
) -> None:
    follower, path = kind(live.address, paths_of(None, kind), live_token), live.address + "/api/v1/events"
    if kind is LongPollFollower:
        answer = requests.get(path, headers=follower.headers | {"Accept": "application/json"}, timeout=30).json()
        assert answer["events"] == []
        follower.messages.append({"id": answer["after"], "event": "start"})
    else:
        follower.follow(1)
        assert set(follower.messages[0]) == {"id", "event"}
    worker.finish(claim)
    assert [message["event"] for message in follower.follow(1).messages] == ["start", "end"]


@pytest.mark.parametrize("path", ["events", "stream"])
def test_job_of_another_user_is_not_found(live: LiveServer, other_token: str, claim: Claim, path: str) -> None:
    address = f"{live.address}{JOBS}/{claim.lease.job_uuid}/{path}"
    answer = requests.get(address, headers=authorised(other_token) | HANDSHAKE[path], timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


@pytest.mark.parametrize("path", ["events", "stream"])
def test_id_that_is_none_is_refused(live: LiveServer, live_token: str, claim: Claim, path: str) -> None:
    address = f"{live.address}{JOBS}/{claim.lease.job_uuid}/{path}"
    for query, header in (
        ("?after=-1", {}),
        ("?after=x", {}),
        ("", {"Last-Event-ID": "x"}),
        ("?after=x", {"Last-Event-ID": "1"}),
    ):
        headers = authorised(live_token) | HANDSHAKE[path] | header
        answer = requests.get(address + query, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (422, "option_invalid"), (query, header)


def test_address_of_a_websocket_without_handshake_asks_for_one(live: LiveServer, live_token: str) -> None:
    wrong_version = HANDSHAKE["stream"] | {"Sec-WebSocket-Version": "8"}
    for handshake in ({}, wrong_version):
        answer = requests.get(f"{live.address}/api/v1/stream", headers=authorised(live_token) | handshake, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (426, "upgrade_required")


def test_websocket_with_a_cookie_opens_for_recto_s_own_pages_only(live: LiveServer, cookie: str) -> None:
    address = live.address.replace("http:", "ws:") + "/api/v1/stream"
    with connect(address, additional_headers={"Cookie": cookie}, origin=Origin(live.address), proxy=None) as own:
        assert json.loads(own.recv(PATIENCE_S))["event"] == "start"
    for foreign in (FOREIGN, None):
        with pytest.raises(InvalidStatus) as refused:
            connect(
                address, additional_headers={"Cookie": cookie}, origin=Origin(foreign) if foreign else None, proxy=None
            )
        assert refused.value.response.status_code == 403
        assert json.loads(refused.value.response.body or b"")["code"] == "origin_rejected"


def test_websocket_with_a_token_opens_whatever_its_origin(live: LiveServer, live_token: str) -> None:
    address = live.address.replace("http:", "ws:") + "/api/v1/stream"
    headers = authorised(live_token)
    with connect(address, additional_headers=headers, origin=Origin(FOREIGN), proxy=None) as web_socket:
        assert json.loads(web_socket.recv(PATIENCE_S))["event"] == "start"


def test_websocket_answers_pings_and_takes_no_messages(live: LiveServer, live_token: str) -> None:
    with WebSocketFollower(live.address, "/api/v1/stream", live_token).open() as web_socket:
        web_socket.recv(PATIENCE_S)
        assert web_socket.ping().wait(PATIENCE_S)
        web_socket.send("hello")
        with pytest.raises(ConnectionClosed) as closed:
            web_socket.recv(PATIENCE_S)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "This stream takes no messages.")


def test_websocket_of_an_ended_job_is_closed_in_order(
    live: LiveServer, live_token: str, worker: HandWorker, claim: Claim
) -> None:
    worker.finish(claim)
    path = f"{JOBS}/{claim.lease.job_uuid}/stream"
    with WebSocketFollower(live.address, path, live_token).open() as web_socket:
        assert [json.loads(text)["event"] for text in web_socket] == ["status", "status", "progress", "end"]
        assert (web_socket.close_code, web_socket.close_reason) == (1000, "The job has ended.")


def test_streams_end_within_seconds_when_their_token_is_revoked(live: LiveServer, worker: HandWorker) -> None:
    token = worker.token_of("admin")
    uuid = submit(live, token)
    worker.claim(PAGES)
    by_events = SseFollower(live.address, paths_of(uuid, SseFollower), token)
    by_socket = WebSocketFollower(live.address, paths_of(uuid, WebSocketFollower), token)
    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(by_events.follow), pool.submit(by_socket.follow)]
        wait_until(lambda: len(by_events.messages) == len(by_socket.messages) == 3)
        time.sleep(HELD_S)
        requests.delete(f"{live.address}/api/v1/token", headers=authorised(token), timeout=30)
        revoked_s = time.monotonic()
        ends[0].result(PATIENCE_S)
        with pytest.raises(ConnectionClosed, match=r"1008.*Sign in again"):
            ends[1].result(PATIENCE_S)
        assert time.monotonic() - revoked_s < 8.0
    assert len(by_events.messages) == len(by_socket.messages) == 3


def test_backend_that_stops_ends_fifty_streams_at_once_and_they_go_on_at_the_next_one(tmp_path: Path) -> None:
    environ = {"RECTO_ADMIN_PASSWORD": PASSWORD, "RECTO_SERVER_PORT": str(free_port())}
    server = LiveServer(tmp_path / "storage", environ)
    worker = HandWorker(server.folder)
    token = worker.token_of("admin")
    uuid = submit(server, token)
    claim = worker.claim(PAGES)
    kinds = (SseFollower, WebSocketFollower)
    followers = [kinds[place % 2](server.address, paths_of(uuid, kinds[place % 2]), token) for place in range(50)]
    with ThreadPoolExecutor(len(followers)) as pool:
        ends = [pool.submit(follower.follow) for follower in followers]
        wait_until(lambda: all(len(follower.messages) == 3 for follower in followers))
        began_s = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began_s < 2.0
        for end in ends:
            end.result(PATIENCE_S)
        read_pages(worker, claim, [1, 2])
        worker.finish(claim)
        server.log.unlink()  # which says that it is ready
        server = LiveServer(tmp_path / "storage", environ)
        try:
            for end in [pool.submit(follower.follow) for follower in followers]:
                end.result(PATIENCE_S)
        finally:
            server.stop()
            worker.close()
    assert all(follower.pages == expected_pages([1, 2]) and not follower.repeats for follower in followers)
