"""Answers that hold for a moment."""

import threading
import time

import pytest

from recto.web.waiting.fresh_answers import FreshAnswers


def test_many_who_come_at_once_cost_one_question() -> None:
    asked: list[str] = []
    fresh, answers = FreshAnswers[bool](0.5, 100), []

    def ask() -> bool:
        asked.append("x")
        time.sleep(0.05)
        return True

    threads = [threading.Thread(target=lambda: answers.append(fresh.get("key", ask))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (asked, answers) == (["x"], [True] * 50)
    assert fresh.get("other key", lambda: False) is False


def test_answer_of_a_moment_ago_is_asked_for_again() -> None:
    fresh = FreshAnswers[bool](0.05, 100)
    assert fresh.get("key", lambda: True)
    time.sleep(0.1)
    assert not fresh.get("key", lambda: False)


def test_memory_of_answers_does_not_grow() -> None:
    fresh = FreshAnswers[bool](-1.0, 100)
    for number in range(1000):
        fresh.get(str(number), lambda: True)
    assert len(fresh._of) <= 102


def test_what_the_question_raises_is_not_kept() -> None:
    fresh = FreshAnswers[bool](60.0, 100)

    def refuse() -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        fresh.get("key", refuse)
    assert fresh.get("key", lambda: True)
