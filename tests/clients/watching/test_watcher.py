"""The watcher against a Recto in memory, one step after another, and killed between any two of them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from recto_client import Client, NotReachable, NotSignedIn
from recto_client.digests import sha256_of
from recto_client.watching import watcher as watcher_module
from recto_client.watching.journal import Journal
from recto_client.watching.passage import OptionsRefused
from recto_client.watching.watcher import Folders, Pace, Watcher
from tests.clients.fake_recto import BROKEN, NO_DOCUMENT, FakeRecto, problem

SCAN = b"%PDF-1.7 scan"
OPTIONS = {"formats": "txt+pdf", "languages": "eng"}


class Killed(BaseException):
    """The process is no more."""


class Desk:
    """An inbox and an outbox. `run` starts a watcher, which goes on until nothing is left to do, in this thread."""

    def __init__(self, folder: Path, recto: FakeRecto) -> None:
        self.inbox, self.outbox, self.recto = folder / "in", folder / "out", recto
        self.inbox.mkdir()
        self.outbox.mkdir()
        self.lines: list[str] = []

    def put(self, name: str, content: bytes = SCAN) -> Path:
        file = self.inbox / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def run(self, *, moves_done: bool = False, client: Client | None = None, **options: str) -> Watcher:
        journal = Journal(self.outbox / ".journal")
        folders = Folders(self.inbox, self.outbox, moves_done)
        pace = Pace(in_flight=1, interval_s=0, settle_s=0)
        watcher = Watcher(
            client or self.recto.client(patience_s=0), folders, journal, OPTIONS | options, pace, self.lines.append
        )
        try:
            for entry in journal.unfinished():
                watcher._hand_out(entry)
            while not watcher._look() or not watcher._waiting.empty() or watcher._in_hand - watcher._later.keys():
                while not watcher._waiting.empty():
                    number = watcher._waiting.get()
                    assert number is not None
                    watcher._bring_to_its_end(number)
        finally:
            journal.close()
        return watcher

    def results(self) -> dict[str, bytes]:
        files = [file for file in self.outbox.rglob("*") if file.is_file() and not file.name.startswith(".journal")]
        return {str(file.relative_to(self.outbox)): file.read_bytes() for file in files}


@pytest.fixture
def desk(tmp_path: Path, recto: FakeRecto) -> Desk:
    return Desk(tmp_path, recto)


def test_documents_are_read_once_and_their_results_mirror_the_folders(desk: Desk) -> None:
    desk.put("a.pdf")
    desk.put("sub/b.png", b"%PDF-1.7 other")
    desk.run()
    desk.run()
    assert desk.results() == {
        "a.txt": b"txt of " + SCAN,
        "a.pdf": b"pdf of " + SCAN,
        "sub/b.txt": b"txt of %PDF-1.7 other",
        "sub/b.pdf": b"pdf of %PDF-1.7 other",
    }
    assert len(desk.recto.jobs) == 2
    assert dict(desk.recto.sent("POST")[0].url.params) == {"filename": "a.pdf"} | OPTIONS
    assert desk.lines == ["a.pdf -> a", "sub/b.png -> sub/b"]


def test_two_documents_of_one_stem_do_not_overwrite_each_other(desk: Desk) -> None:
    desk.put("a.jpg", b"%PDF-1.7 one")
    desk.put("a.pdf", b"%PDF-1.7 two")
    desk.run()
    assert (desk.results()["a.txt"], desk.results()["a.pdf.txt"]) == (b"txt of %PDF-1.7 one", b"txt of %PDF-1.7 two")


def test_refused_and_failed_documents_get_a_file_that_says_why(desk: Desk) -> None:
    desk.put("a.txt", NO_DOCUMENT)
    desk.put("b.pdf", BROKEN)
    watcher = desk.run()
    assert desk.results().keys() == {"a.error.txt", "b.error.txt"}
    assert b"Do this. (upload_unsupported)" in desk.results()["a.error.txt"]
    assert b"Save it again. (document_damaged)" in desk.results()["b.error.txt"]
    assert b"delete this one" in desk.results()["b.error.txt"]
    assert len(watcher.failed) == 2
    assert desk.run().failed == set()


def test_failed_document_whose_error_file_is_deleted_is_tried_again(desk: Desk) -> None:
    desk.put("a.pdf", BROKEN)
    desk.run()
    (desk.outbox / "a.error.txt").unlink()
    desk.run()
    assert (len(desk.recto.jobs), set(desk.results())) == (2, {"a.error.txt"})


def test_better_file_in_the_place_of_a_failed_one_takes_its_name(desk: Desk) -> None:
    desk.put("a.pdf", BROKEN)
    desk.run()
    desk.put("a.pdf", SCAN)
    desk.run()
    assert desk.results().keys() == {"a.txt", "a.pdf"}


def test_another_document_in_the_place_of_a_read_one_gets_another_name(desk: Desk) -> None:
    desk.put("scan.pdf", b"%PDF-1.7 one")
    desk.run()
    desk.put("scan.pdf", b"%PDF-1.7 two")
    desk.run()
    assert (desk.results()["scan.txt"], desk.results()["scan.pdf.txt"]) == (
        b"txt of %PDF-1.7 one",
        b"txt of %PDF-1.7 two",
    )


def test_touched_document_is_not_read_again(desk: Desk) -> None:
    file = desk.put("a.pdf")
    desk.run()
    os.utime(file, (1, 1))
    (desk.outbox / "a.txt").unlink()
    desk.run()
    assert len(desk.recto.jobs) == 1


def test_format_that_cannot_be_made_is_told_beside_the_others(desk: Desk) -> None:
    desk.put("a.pdf")
    route = desk.recto.route

    def no_pdf(request: httpx.Request) -> httpx.Response:
        return problem(422, "result_not_made") if request.url.params.get("format") == "pdf" else route(request)

    with mock.patch.object(desk.recto, "route", no_pdf):
        desk.run()
    assert desk.results().keys() == {"a.txt", "a.error.txt"}
    assert b"pdf: Do this. (result_not_made)" in desk.results()["a.error.txt"]


def test_job_that_was_deleted_is_told(desk: Desk) -> None:
    desk.put("a.pdf")
    route = desk.recto.route

    def deleted(request: httpx.Request) -> httpx.Response:
        return route(request) if request.method == "POST" else problem(404, "job_not_found")

    with mock.patch.object(desk.recto, "route", deleted):
        desk.run()
    assert b"was deleted" in desk.results()["a.error.txt"]


def test_document_moves_away_when_it_was_read(desk: Desk) -> None:
    desk.put("sub/a.pdf")
    desk.put("b.pdf", BROKEN)
    desk.run(moves_done=True)
    assert [str(file.relative_to(desk.inbox)) for file in sorted(desk.inbox.rglob("*.pdf"))] == [
        ".done/sub/a.pdf",
        "b.pdf",
    ]


def test_two_documents_of_one_name_both_move_away(desk: Desk) -> None:
    for content in (b"%PDF-1.7 one", b"%PDF-1.7 two"):
        desk.put("a.pdf", content)
        desk.run(moves_done=True)
    assert sorted(file.name for file in (desk.inbox / ".done").iterdir()) == ["a-2.pdf", "a.pdf"]


def test_document_that_is_put_there_again_is_read_again_only_where_its_results_are_gone(desk: Desk) -> None:
    desk.put("a.pdf")
    desk.run(moves_done=True)
    desk.put("a.pdf")
    desk.run(moves_done=True)
    assert len(desk.recto.jobs) == 1
    assert "a.pdf was read before: a" in desk.lines
    (desk.outbox / "a.txt").unlink()
    desk.put("a.pdf")
    desk.run(moves_done=True)
    assert len(desk.recto.jobs) == 2
    assert desk.results().keys() == {"a.txt", "a.pdf"}
    assert len(list((desk.inbox / ".done").iterdir())) == 3


def test_file_that_is_written_to_before_it_is_sent_is_sent_when_it_is_complete(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("a.pdf")
    hand_out = Watcher._hand_out

    def grow(watcher: Watcher, entry: Any) -> None:
        if not desk.recto.requests and entry.seen.size_bytes == len(SCAN):
            desk.put("a.pdf", SCAN + b" and more")
        hand_out(watcher, entry)

    monkeypatch.setattr(Watcher, "_hand_out", grow)
    desk.run()
    assert list(desk.recto.documents.values()) == [SCAN + b" and more"]
    assert desk.results()["a.txt"] == b"txt of " + SCAN + b" and more"


def test_file_that_is_taken_away_before_it_is_sent_is_forgotten(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    file = desk.put("a.pdf")
    monkeypatch.setattr(Watcher, "_report", lambda *_: None)
    hand_out = Watcher._hand_out

    def take_away(watcher: Watcher, entry: Any) -> None:
        file.unlink()
        hand_out(watcher, entry)

    monkeypatch.setattr(Watcher, "_hand_out", take_away)
    desk.run()
    assert (desk.recto.jobs, desk.results()) == ({}, {})


@pytest.mark.parametrize(
    ("answer", "error"),
    [(problem(401, "not_signed_in"), NotSignedIn), (problem(422, "language_unknown"), OptionsRefused)],
)
def test_what_concerns_all_documents_ends_the_watcher(
    desk: Desk, answer: httpx.Response, error: type[Exception]
) -> None:
    desk.put("a.pdf")
    desk.recto.next_answers.append(answer)
    with pytest.raises(error):
        desk.run(languages="xyz")
    desk.run()
    assert (len(desk.recto.jobs), set(desk.results())) == (1, {"a.txt", "a.pdf"})


def test_recto_that_is_away_is_tried_again_and_told_once(desk: Desk) -> None:
    desk.put("a.pdf")
    desk.recto.next_answers.append(httpx.ConnectError("refused"))
    watcher = desk.run()
    assert desk.lines == [
        "a.pdf: http://recto.test/ does not answer (refused). Check the address, and that Recto runs. Trying again."
    ]
    assert len(watcher._later) == 1
    desk.run()
    assert desk.results().keys() == {"a.txt", "a.pdf"}


def test_inbox_that_is_away_is_told(desk: Desk) -> None:
    desk.inbox.rmdir()
    journal = Journal(desk.outbox / ".journal")
    pace = Pace(1, 0, 0)
    watcher = Watcher(
        desk.recto.client(), Folders(desk.inbox, desk.outbox, False), journal, OPTIONS, pace, desk.lines.append
    )
    assert not watcher._look()
    assert not watcher._look()
    journal.close()
    assert len(desk.lines) == 1


def test_folder_for_what_is_done_that_cannot_be_used_holds_up_nothing(desk: Desk) -> None:
    (desk.inbox / ".done").touch()
    desk.put("a.pdf", b"%PDF-1.7 one")
    desk.put("b.pdf", b"%PDF-1.7 two")
    desk.run(moves_done=True)
    assert desk.results().keys() == {"a.txt", "a.pdf", "b.txt", "b.pdf"}
    assert "a.pdf cannot be moved to .done (File exists). Trying again." in desk.lines
    with pytest.raises(FileExistsError):
        run_once(desk)


def test_file_that_this_machine_does_not_give_out_is_told_and_holds_up_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("a.pdf", b"locked")
    desk.put("b.pdf")

    def refuse(file: Any) -> tuple[str, int]:
        if Path(file.name).name == "a.pdf":
            raise PermissionError(13, "Permission denied")
        return sha256_of(file)

    monkeypatch.setattr(watcher_module, "sha256_of", refuse)
    watcher = run_once(desk)
    assert desk.results().keys() == {"b.txt", "b.pdf"}
    assert [file.path for file in watcher.unreadable] == ["a.pdf"]
    assert desk.lines.count("a.pdf cannot be read (Permission denied). Check its permissions. Trying again.") == 1


def run_once(desk: Desk, **values: Any) -> Watcher:
    """With its threads, as the command runs it."""
    journal = Journal(desk.outbox / ".journal")
    pace = Pace(in_flight=3, interval_s=0.01, settle_s=0.01)
    watcher = Watcher(
        desk.recto.client(patience_s=0),
        Folders(desk.inbox, desk.outbox, True),
        journal,
        OPTIONS,
        pace,
        desk.lines.append,
    )
    try:
        watcher.run(once=True)
    finally:
        journal.close()
    return watcher


def test_run_once_ends_when_all_is_read(desk: Desk) -> None:
    for number in range(10):
        desk.put(f"{number}.pdf", b"%%PDF-1.7 %d" % number)
    desk.put("bad.pdf", BROKEN)
    watcher = run_once(desk)
    assert len(watcher.failed) == 1
    assert len(desk.recto.jobs) == 11
    assert len(desk.results()) == 21
    assert [file.name for file in desk.inbox.glob("*.pdf")] == ["bad.pdf"]


def test_run_once_without_a_recto_says_so(desk: Desk) -> None:
    desk.put("a.pdf")
    desk.recto.next_answers.extend([httpx.ConnectError("refused")] * 5)
    with pytest.raises(NotReachable):
        run_once(desk)


STEPS = [
    (Journal, "take"),
    (Journal, "submitted"),
    (Journal, "ended"),
    (Path, "replace"),
    (Path, "rename"),
    (httpx.Client, "send"),
]


def dying(step: int, count: list[int]) -> Iterator[Any]:
    """Patches that end the process before or after step number `step`, counted over all that have an outcome."""

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **values: Any) -> Any:
            count[0] += 1
            if count[0] == step:
                raise Killed
            done = real(*arguments, **values)
            count[0] += 1
            if count[0] == step:
                raise Killed
            return done

        return counted

    for owner, name in STEPS:
        yield mock.patch.object(owner, name, wrap(getattr(owner, name)))


def test_watcher_killed_at_any_step_reads_all_and_nothing_twice(tmp_path: Path) -> None:
    step, was_killed = 0, True
    while was_killed:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        desk = Desk(folder, FakeRecto())
        contents = {"a.pdf": b"%PDF-1.7 one", "a.jpg": b"%PDF-1.7 two", "c.pdf": BROKEN}
        for name, content in contents.items():
            desk.put(name, content)
        patches = list(dying(step, [0]))
        for patch in patches:
            patch.start()
        try:
            desk.run(moves_done=True)
            was_killed = False
        except Killed:
            pass
        finally:
            for patch in patches:
                patch.stop()
        desk.run(moves_done=True)
        assert sorted(desk.recto.documents.values()) == sorted(contents.values()), step
        assert desk.results().keys() == {"a.txt", "a.pdf", "a.pdf.txt", "a.pdf.pdf", "c.error.txt"}, step
        assert sorted(file.name for file in (desk.inbox / ".done").iterdir()) == ["a.jpg", "a.pdf"], step
    assert step > 50
