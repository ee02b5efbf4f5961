"""The JavaScript modules that a page needs, found out from their imports: named in the page, they are all asked for at once.

A browser hears of a module's imports only when it has the module. Below it, four in a row take four times there and back.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

from flask import Flask

_IMPORT: Final = re.compile(r'^(?:import|export)\s(?:[^;"]*\sfrom\s)?"(\.{1,2}/[^"]+)";', re.MULTILINE)


def install_modules(app: Flask) -> None:
    """Templates have `modules_below(name)`, with the names as `url_for("static")` takes them."""
    folder = Path(app.static_folder or "")

    @cache
    def modules_below(name: str) -> tuple[str, ...]:
        return _below(folder, name)

    app.context_processor(lambda: {"modules_below": modules_below})


def _below(folder: Path, name: str) -> tuple[str, ...]:
    """Every module that `name` imports, itself or by others, each once."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        module = folder / waiting.pop()
        for imported in _IMPORT.findall(module.read_text(encoding="utf-8")):
            path = (module.parent / imported).resolve().relative_to(folder.resolve()).as_posix()
            if path not in found and path != name:
                found[path] = None
                waiting.append(path)
    return tuple(found)
