"""Reliability diagrams as SVG, after Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning" (2005).

From left to right what was estimated, upwards what is true: estimates that mean what they say lie on the diagonal.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

SIDE_PX: Final = 300
LEFT_PX: Final = 60
TOP_PX: Final = 50
PANEL_PX: Final = SIDE_PX + LEFT_PX + 20
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#777777")
"""After Okabe and Ito (2008): they can be told apart by colour-blind people as well, on white and on black."""
STYLE: Final = """
svg { font: 13px system-ui, sans-serif; fill: #1f2328; background: #ffffff }
.grid { stroke: #d1d9e0 } .diagonal { stroke: #818b98; stroke-dasharray: 5 4 } .title { font-weight: 600; font-size: 15px }
@media (prefers-color-scheme: dark) { svg { fill: #f0f6fc; background: #0d1117 } .grid { stroke: #3d444d } }
"""


@dataclass(frozen=True, slots=True)
class Dot:
    """Words of about one estimate: its mean, the share of them that is right, and how many they are."""

    estimate: float
    right: float
    words: int


def write_diagram(path: Path, panels: Mapping[str, Mapping[str, Sequence[Dot | None]]]) -> None:
    """A panel for each title, side by side, with a line for each name; the names of all panels are the same."""
    names = list(next(iter(panels.values())))
    width_px, height_px = PANEL_PX * len(panels), TOP_PX + SIDE_PX + 90
    body = [line for index, (title, curves) in enumerate(panels.items()) for line in _panel(index, title, curves)]
    body += _legend(names, TOP_PX + SIDE_PX + 70)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width_px} {height_px}" width="{width_px}" height="{height_px}">'
    path.write_text("\n".join([head, f"<style>{STYLE}</style>", *body, "</svg>", ""]), encoding="utf-8")


def _panel(index: int, title: str, curves: Mapping[str, Sequence[Dot | None]]) -> Iterator[str]:
    yield f'<g transform="translate({index * PANEL_PX + LEFT_PX} {TOP_PX})">'
    yield f'<text class="title" x="{SIDE_PX / 2:g}" y="-18" text-anchor="middle">{escape(title)}</text>'
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, y = _place(tick, tick)
        yield f'<path class="grid" d="M{x} 0V{SIDE_PX}M0 {y}H{SIDE_PX}"/>'
        yield f'<text x="{x}" y="{SIDE_PX + 18}" text-anchor="middle">{tick:g}</text>'
        yield f'<text x="-8" y="{y + 4}" text-anchor="end">{tick:g}</text>'
    yield f'<path class="diagonal" d="M0 {SIDE_PX}L{SIDE_PX} 0"/>'
    yield f'<text x="{SIDE_PX / 2:g}" y="{SIDE_PX + 38}" text-anchor="middle">estimated</text>'
    yield f'<text transform="translate(-44 {SIDE_PX / 2:g}) rotate(-90)" text-anchor="middle">share right</text>'
    for number, dots in enumerate(curves.values()):
        yield from _curve([dot for dot in dots if dot], COLOURS[number % len(COLOURS)])
    yield "</g>"


def _curve(dots: Sequence[Dot], colour: str) -> Iterator[str]:
    places = [_place(dot.estimate, dot.right) for dot in dots]
    points = " ".join(f"{x},{y}" for x, y in places)
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
    for x, y in places:
        yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>'


def _legend(names: Sequence[str], y_px: int) -> Iterator[str]:
    for number, name in enumerate(names):
        x_px = LEFT_PX + number * 125
        yield f'<circle cx="{x_px}" cy="{y_px - 4}" r="5" fill="{COLOURS[number % len(COLOURS)]}"/>'
        yield f'<text x="{x_px + 12}" y="{y_px}">{escape(name)}</text>'


def _place(estimate: float, right: float) -> tuple[float, float]:
    """Pixels from the panel's left and top."""
    return round(estimate * SIDE_PX, 1), round((1 - right) * SIDE_PX, 1)
