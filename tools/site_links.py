"""Looks at a site of HTML files: links that lead nowhere, anchors that are not there, and whatever a browser would fetch from elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from lxml import html

_FETCHED: Final = (("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("link", "href"))
"""What a browser asks for by itself, by element and attribute."""
_OTHER_SCHEMES: Final = ("mailto", "data", "tel", "javascript")


@dataclass(frozen=True, slots=True)
class Found:
    """What a site was found to hold. `external` are links that a reader may follow: they are listed, nobody asks them."""

    pages: int
    internal: int
    anchors: int
    external: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Page:
    links: tuple[str, ...]
    fetched: tuple[str, ...]
    anchors: frozenset[str]


def look_at_site(folder: Path) -> Found:
    """Every HTML file below `folder` and every link in it. Nothing is fetched."""
    pages = {file.resolve(): _read(file) for file in sorted(folder.rglob("*.html"))}
    internal, anchors, external, faults = 0, 0, set(), []
    for file, page in pages.items():
        name = file.relative_to(folder.resolve())
        for link in (*page.links, *page.fetched):
            parts = urlsplit(link)
            if parts.scheme in _OTHER_SCHEMES:
                continue
            if parts.scheme or parts.netloc:
                external.add(link)
                if link in page.fetched:
                    faults.append(f"{name}: is fetched from elsewhere: {link}")
                continue
            internal += 1
            anchors += bool(parts.fragment)
            fault = _fault(file, unquote(parts.path), unquote(parts.fragment), pages)
            if fault:
                faults.append(f"{name}: {link}: {fault}")
    return Found(len(pages), internal, anchors, tuple(sorted(external)), tuple(faults))


def _read(file: Path) -> _Page:
    elements = list(html.fromstring(file.read_bytes()).iter("*"))
    return _Page(
        tuple(href for one in elements if one.tag == "a" and (href := one.get("href")) is not None),
        tuple(
            url for one in elements for tag, name in _FETCHED if one.tag == tag and (url := one.get(name)) is not None
        ),
        frozenset(name for one in elements for name in (one.get("id"), one.get("name")) if name),
    )


def _fault(file: Path, path: str, fragment: str, pages: dict[Path, _Page]) -> str:
    """Empty where all is well. An absolute path is the site's own only at the root of a host, so it counts as a fault."""
    if path.startswith("/"):
        return "" if file.name == "404.html" else "is absolute"
    target = (file.parent / path).resolve() if path else file
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "is not there"
    if fragment and target in pages and fragment not in pages[target].anchors:
        return "the file has no such anchor"
    return ""


def report(found: Found) -> Iterator[str]:
    """In lines for people."""
    yield from found.faults
    yield f"{found.pages} pages; {found.internal} links within them, {found.anchors} of them to an anchor: {len(found.faults)} faults"
    yield f"{len(found.external)} links to elsewhere, which were not asked"
