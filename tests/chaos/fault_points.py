"""Every fault point of every operation, and what survived it: `python -m tests.chaos.fault_points [OPERATION ...]`.

Each operation is done once and its steps are counted. Then it is done once for each step and each fault that can happen there: the
process ends before the step (and once after the last one), a page process alone ends, or the step and those after it fail for
a while. After each, everything is opened afresh and recovers, and what is left is held against the promises.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import gevent
from click.exceptions import ClickException

from recto.errors import RectoError
from recto.logs import configure_logging
from tests.chaos.faults import Crash, Fault, Step, Steps, may_strike
from tests.chaos.operations import OPERATIONS, Operation, Told
from tests.chaos.survival import Survivors, derive_again, recover, survey
from tests.chaos.world import Template, World, new_world

_REFUSALS: Final = (503, 507)
_LOGGED_BY_THEIR_CALLERS: Final = ("expire", "derive")
"""Operations whose error nobody but a log is told: the next beat, or the next request, tries again."""


@dataclass(frozen=True, slots=True)
class FaultPoint:
    """`number` counts from 1; one past the last step is the point after it. `answer` is what a client was told, if anything.

    `broken` says which promise was not kept, where one was not.
    """

    operation: str
    number: int
    label: str
    fault: Fault
    answer: int | None
    survivors: Survivors
    broken: str


def fault_points(operation: Operation, fault: Fault, template: Template, folder: Path) -> Iterator[FaultPoint]:
    """All of them, one after another. `folder` is made, and holds a world for each."""
    folder.mkdir()
    steps = count_steps(operation, template, folder / "as-it-goes")
    for at in range(1, len(steps) + 2):
        label = _label(steps, at, fault)
        if label:
            yield _strike(operation, template, folder / str(at), fault, at, label)


def count_steps(operation: Operation, template: Template, folder: Path) -> list[Step]:
    """The steps of the operation where nothing goes wrong."""
    with new_world(template, folder) as world:
        told, steps = Told(), Steps(folder)
        _act(operation, world, told, steps, alone=False)
        _survey(world, told)
        return steps.taken


def _label(steps: list[Step], at: int, fault: Fault) -> str:
    """What to call the fault point; empty where the fault cannot happen there."""
    if at > len(steps):
        return "after the last step" if fault is Fault.CRASH else ""
    return steps[at - 1].label if may_strike(fault, steps[at - 1]) else ""


def _strike(operation: Operation, template: Template, folder: Path, fault: Fault, at: int, label: str) -> FaultPoint:
    """Do the operation with the fault at that step, recover, and see what is left."""
    told, steps = Told(), Steps(folder, fault, at)
    survivors, broken = Survivors("", ()), ""
    try:
        with new_world(template, folder) as world:
            _act(operation, world, told, steps, alone=fault is Fault.PAGE_CRASH)
            assert steps.struck, "the operation never came to this step"
            assert told.status is None or told.status < 300 or told.status in _REFUSALS, f"answered {told.status}"
            survivors = _survey(world, told)
    except Exception as error:  # noqa: BLE001 - whatever it is, a promise was not kept
        broken = f"{type(error).__name__}: {error}"
    return FaultPoint(operation.name, at, label, fault, told.status, survivors, broken)


def _act(operation: Operation, world: World, told: Told, steps: Steps, *, alone: bool) -> None:
    operation.prepare(world, told)
    world.executor.steps = steps
    hub = gevent.get_hub()
    hub.NOT_ERROR = tuple({*hub.NOT_ERROR, Crash})  # else it prints the traceback of each
    try:
        with steps.watched():
            operation.act(world, told, alone)
    except Crash:
        told.status = None  # nobody was there any more to answer
    except (RectoError, ClickException):
        if operation.name not in _LOGGED_BY_THEIR_CALLERS:
            raise


def _survey(world: World, told: Told) -> Survivors:
    world = recover(world)
    try:
        survivors = survey(world, told)
        if told.uuid is not None:
            derive_again(world, told.uuid)
            survey(world, told)
        return survivors
    finally:
        world.close()


def _print(point: FaultPoint) -> None:
    survived = f"BROKEN: {point.broken}" if point.broken else point.survivors.outcome
    left = f"; left: {', '.join(point.survivors.left)}" if point.survivors.left else ""
    answer = str(point.answer or "-")
    line = f"{point.operation:22} {point.number:3} {point.label:48} {point.fault.value:19} {answer:4} {survived}{left}"
    sys.stdout.write(f"{line}\n")


def main(names: Sequence[str]) -> int:
    """Print the table; the exit status is 1 where a promise was not kept."""
    configure_logging("critical", "text")
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="recto-faults-") as folder:
        template = Template(Path(folder))
        wanted = [operation for operation in OPERATIONS if operation.name in (names or [operation.name])]
        for number, (operation, fault) in enumerate(product(wanted, Fault)):
            for point in fault_points(operation, fault, template, Path(folder, str(number))):
                _print(point)
                counts.update([point.fault.value, "in all", *(["broken"] if point.broken else [])])
    sys.stdout.write("Fault points: " + ", ".join(f"{count} {what}" for what, count in counts.items()) + "\n")
    return 1 if counts["broken"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
