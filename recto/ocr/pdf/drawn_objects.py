"""What the content of a page or form draws by name: the operator Do and the resources that it looks into (ISO 32000-1, 8.8 and 7.8.3)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LEVELS: Final = 50
_DRAWN_OBJECT: Final = re.compile(rb"/([^\s()<>\[\]{}/%]+)\s+Do\b")
_HEX_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")


def resources_of(page: pikepdf.Object) -> pikepdf.Object:
    """The page's own, or those of the nearest node above it that has some."""
    node: pikepdf.Object | None = page
    for _ in range(_MOST_LEVELS):
        if node is None or "/Resources" in node:
            break
        node = node.get("/Parent")
    return node.get("/Resources", pikepdf.Dictionary()) if node is not None else pikepdf.Dictionary()


def content_streams(page: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """Those of the page that are streams."""
    contents = page.get("/Contents")
    for item in contents if isinstance(contents, pikepdf.Array) else [contents]:
        if isinstance(item, pikepdf.Stream):
            yield item


def drawn_names(content: bytes) -> Iterator[str]:
    """The names in the order of drawing, each as often as it is drawn."""
    for written in _DRAWN_OBJECT.findall(content):
        name = _HEX_ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), written)
        with suppress(UnicodeDecodeError):  # pikepdf has no such names to look up
            yield "/" + name.decode()
