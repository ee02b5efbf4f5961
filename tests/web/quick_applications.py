"""What is the same in every application that the tests make, made once: thousands of them are made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from recto.web.serving import static_files


class CompiledTemplates(BytecodeCache):
    """Templates as they were compiled, by their text."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """See jinja2."""
        if kept := self._kept.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """See jinja2."""
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def make_quickly(patch: pytest.MonkeyPatch) -> None:
    """Read and compress each static file once as it is, and compile what writes the addresses of a rule once."""
    read, compiled = static_files._file, Rule._compile_builder
    kept_files: dict[tuple[Path, int], static_files._File] = {}
    kept_builders: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}

    def file(path: Path) -> static_files._File:
        version = (path, path.stat().st_mtime_ns)
        if version not in kept_files:
            kept_files[version] = read(path)
        return kept_files[version]

    def builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compiled(rule, append_unknown)
        key = (tuple(rule._trace), append_unknown)
        if key not in kept_builders:
            kept_builders[key] = compiled(rule, append_unknown)
        return kept_builders[key]

    patch.setattr(static_files, "_file", file)
    patch.setattr(Rule, "_compile_builder", builder)
