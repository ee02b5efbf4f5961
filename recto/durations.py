"""Lengths of time as people write them: 90, 90s, 15m, 36h, 2d."""

import re
from typing import Final

UNITS_S: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PATTERN: Final = r"[0-9]{1,9}(\.[0-9]{1,6})?[smhd]?"
"""Also for JSON Schema."""
HOW_TO_WRITE: Final = "Write it like 90s, 15m, 36h or 2d."


def parse_duration_s(given: str) -> float | None:
    """Seconds; None where it is no length of time."""
    if not re.fullmatch(PATTERN, given):
        return None
    unit = given[-1] if given[-1] in UNITS_S else ""
    return float(given.removesuffix(unit)) * UNITS_S[unit]


def shown_duration(duration_s: float) -> str:
    """In the largest unit of which it has at least one."""
    unit = next((unit for unit in "dhm" if duration_s >= UNITS_S[unit]), "s")
    return f"{duration_s / UNITS_S[unit]:.0f} {unit}"
