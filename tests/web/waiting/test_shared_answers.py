"""Answers that many ask for at once."""

import threading
import time

import pytest

from recto.web.waiting.shared_answers import SharedAnswers


def test_many_who_ask_at_once_cost_one_search() -> None:
    answers: SharedAnswers[str] = SharedAnswers(10, len)
    asked: list[int] = []
    got: list[str] = []

    def find() -> str:
        asked.append(1)
        time.sleep(0.05)
        return "found"

    threads = [threading.Thread(target=lambda: got.append(answers.get("key", find))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(asked), got) == (1, ["found"] * 50)


def test_answers_together_stay_below_their_weight_and_the_latest_asked_for_stay() -> None:
    answers: SharedAnswers[str] = SharedAnswers(10, len)
    for key in "abc":
        answers.get(key, lambda key=key: key * 4)  # type: ignore[misc]
        answers.get("a", lambda: "aaaa")
    assert answers.get("a", lambda: "anew") == "aaaa"
    assert answers.get("c", lambda: "anew") == "cccc"
    assert answers.get("b", lambda: "anew") == "anew"


def test_answer_heavier_than_all_may_be_is_given_and_not_kept() -> None:
    answers: SharedAnswers[str] = SharedAnswers(3, len)
    assert answers.get("key", lambda: "long") == "long"
    assert answers.get("key", lambda: "new") == "new"


def test_search_that_fails_is_tried_again_by_who_comes_next() -> None:
    answers: SharedAnswers[str] = SharedAnswers(10, len)

    def fail() -> str:
        raise LookupError("not now")

    with pytest.raises(LookupError):
        answers.get("key", fail)
    assert answers.get("key", lambda: "found") == "found"
