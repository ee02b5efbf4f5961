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
        self._installed: tuple[str, ...] = ()
        self._until_s = 0.0

    def lack(self, wanted: Collection[str]) -> tuple[str, ...] | None:
        """None where every language of `wanted` can be read, or no Worker was seen yet; else those that can be, as they are now."""
        if time.monotonic() < self._until_s and _has_all(self._installed, wanted):
            return None
        self._installed = installed_languages(read(list_workers))
        self._until_s = time.monotonic() + _KNOWN_FOR_S
        return None if _has_all(self._installed, wanted) else self._installed


def _has_all(installed: Collection[str], wanted: Collection[str]) -> bool:
    return not installed or all(language in installed for language in wanted)
