"""Figures of a made-up site for the calculation of scaling, which one can multiply by hand."""

from benchmarks.scaling_model import Measured, Operation, PageCosts, StoreTraffic


def operation(held_steps: int = 0, server_cpu_ms: float = 1.0) -> Operation:
    return Operation(5, held_steps, 5.0, 3.0, server_cpu_ms)


EXAMPLE = Measured(
    page=PageCosts(reading_s=1.0, loop_s=0.05, database_s=0.02, pause_s=0.0),
    operations={name: operation(2) for name in ("page", "submit", "claim", "opened", "finish")}
    | {name: operation() for name in ("look", "held", "beat")},
    told_server_ms=0.1,
    told_client_ms=0.1,
    task_scheduler_ms=1.0,
    task_client_ms=1.0,
    store=StoreTraffic(1.0, 5.0, 4.0, 10.0, 0.1, 1_000_000.0, 200_000.0),
)
