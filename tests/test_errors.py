import pickle
import re
from collections.abc import Iterator

import pytest

from recto import errors
from recto.errors import OptionInvalid, RectoError


def classes(top: type[RectoError] = RectoError) -> Iterator[type[RectoError]]:
    yield top
    for cls in top.__subclasses__():
        yield from classes(cls)


ALL = list(classes())


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in ALL]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)
    assert max(map(len, codes)) <= 50  # models.py keeps it in that many characters


def test_every_error_is_drawn_in_the_tree_of_the_module() -> None:
    drawn = set(re.findall(r"\b[A-Z][a-z]+[A-Za-z]*\b", (errors.__doc__ or "").partition("Each class has")[0]))
    assert {cls.__name__ for cls in ALL} <= drawn


@pytest.mark.parametrize("cls", ALL)
def test_error_that_crosses_a_process_boundary_keeps_everything(cls: type[RectoError]) -> None:
    error = cls("What to do next.", limit=3, accepted=["a"])
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is cls
    assert (copy.detail, str(copy), copy.members) == ("What to do next.", "What to do next.", error.members)


def test_only_what_passes_with_time_may_be_tried_again() -> None:
    assert {cls.code for cls in ALL if cls.retryable} == {
        "user_queue_full",
        "too_many_requests",
        "too_many_sign_ins",
        "idempotency_key_in_use",
        *(cls.code for cls in classes(errors.ServiceError)),
    }


def test_error_without_members_has_an_empty_mapping() -> None:
    assert OptionInvalid("No.").members == {}
