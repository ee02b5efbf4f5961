"""The languages of the Workers, as they were a moment ago: enough to take a document by, but not to refuse one."""

import time
from collections.abc import Collection
from typing import Final

from recto.web.serving.database import read
from recto.workers import installed_languages, list_workers

_KNOWN_FOR_S: Final = 1.0


class KnownLanguages:
    """Those of one Backend. Each upload names languages, and they hardly ever change."""

    def __init__(self) -> None:
        self._installed: frozenset[str] = frozenset()
        self._until_s = 0.0

    def lack(self, wanted: Collection[str]) -> tuple[str, ...] | None:
        """None where every language of `wanted` can be read, or no Worker was seen yet; else those that can be, as they are now."""
        if time.monotonic() < self._until_s and self._installed.issuperset(wanted):
            return None
        installed = installed_languages(read(list_workers))
        self._installed, self._until_s = frozenset(installed), time.monotonic() + _KNOWN_FOR_S
        return installed if installed and not self._installed.issuperset(wanted) else None
