"""A short soak of the whole service, and faults that a run has to see."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks.service import Service
from tests.soak import run


@pytest.mark.long
def test_service_under_steady_work_holds_on_to_nothing(tmp_path: Path) -> None:
    soaked = run.soak(tmp_path, minutes=2.0, pause_s=0.5, every_s=10.0, processes=1, seed=1)
    assert soaked.faults == []
    assert {"backend", "worker", "page process", "supervisor"} <= set(soaked.end)


def test_temporary_files_that_stay_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_SETTLE_S", 0.3)
    stays: Any = SimpleNamespace(temporary_files=lambda: ["a.part"])
    assert list(run._left_after_work(cast(Service, stays))) == ["Left behind: a.part"]
    answers = iter([["a.part"], []])
    goes: Any = SimpleNamespace(temporary_files=lambda: next(answers))
    assert list(run._left_after_work(cast(Service, goes))) == []


def test_process_that_outlives_the_stop_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_GONE_S", 0.1)
    assert list(run._left_after_stop([1])) == ["Process 1 has outlived the stop."]
    assert list(run._left_after_stop([2**22 + 1])) == []
