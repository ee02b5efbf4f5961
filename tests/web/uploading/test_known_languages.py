"""What Workers can read is asked once a second, and again before a document is refused."""

import pytest

from recto.web.uploading import known_languages
from recto.web.uploading.known_languages import KnownLanguages
from recto.workers import WorkerView


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The languages that Workers have now; how often they were asked for is the length of its last item."""
    installed = ["", ""]

    def read(_: object) -> list[WorkerView]:
        installed[1] += "."
        return []

    monkeypatch.setattr(known_languages, "read", read)
    monkeypatch.setattr(known_languages, "installed_languages", lambda _: tuple(installed[0].split()))
    return installed


def test_languages_that_are_known_are_not_asked_for(asked: list[str]) -> None:
    known = KnownLanguages()
    asked[0] = "deu eng"
    assert [known.lack(["eng"]), known.lack(["deu"]), known.lack(["deu", "eng"]), known.lack([])] == [None] * 4
    assert len(asked[1]) == 1


def test_language_is_asked_for_again_before_it_is_refused(asked: list[str]) -> None:
    known = KnownLanguages()
    asked[0] = "eng"
    assert known.lack(["fra"]) == ("eng",)
    asked[0] = "eng fra"
    assert known.lack(["fra"]) is None
    assert len(asked[1]) == 2


def test_before_any_worker_was_seen_everything_is_taken_and_one_is_looked_for_each_time(asked: list[str]) -> None:
    known = KnownLanguages()
    assert [known.lack(["eng"]), known.lack(["zzz"])] == [None, None]
    asked[0] = "eng"
    assert known.lack(["zzz"]) == ("eng",)
    assert len(asked[1]) == 3


def test_what_is_known_is_forgotten_after_a_second(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    known, now_s = KnownLanguages(), [100.0]
    monkeypatch.setattr("recto.web.uploading.known_languages.time.monotonic", lambda: now_s[0])
    assert known.lack(["eng"]) is None
    now_s[0] += 1.1
    asked[0] = "deu"
    assert known.lack(["eng"]) == ("deu",)
