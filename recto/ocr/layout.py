"""How lines lie and which belong together, derived from boxes and quads."""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby

from recto.ocr.page import Block, Box, Line, Point, Quad


def paragraphs_of(block: Block) -> Iterator[tuple[Line, ...]]:
    """The block's lines, paragraph by paragraph; lines without words are left out."""
    lines = (line for line in block.lines if line.words)
    for _, group in groupby(lines, key=lambda line: line.paragraph):
        yield tuple(group)


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all of them; there has to be one."""
    edges = [(box.left, box.top, box.left + box.width, box.top + box.height) for box in boxes]
    left, top = min(edge[0] for edge in edges), min(edge[1] for edge in edges)
    return Box(left, top, max(edge[2] for edge in edges) - left, max(edge[3] for edge in edges) - top)


def quad_of(box: Box, text_angle_deg: int = 0) -> Quad:
    """Corners of an upright box as the reader of text sees them that is turned counter-clockwise by 0, 90, 180 or 270 degrees."""
    left, top, right, bottom = box.left, box.top, box.left + box.width, box.top + box.height
    corners: list[Point] = [(left, top), (right, top), (right, bottom), (left, bottom)]
    first = -(text_angle_deg // 90) % 4
    one, two, three, four = corners[first:] + corners[:first]
    return one, two, three, four


def angle_deg(quad: Quad) -> float:
    """How far the text is turned, counter-clockwise, from -180 to 180 degrees; 0 for a quad without extent."""
    (left, top), (right, bottom) = quad[0], quad[1]
    return math.degrees(math.atan2(top - bottom, right - left))


def quarter_turn_deg(quad: Quad) -> int:
    """The nearest of 0, 90, 180 and 270 degrees counter-clockwise: 0 for text that lies askew."""
    return round(angle_deg(quad) / 90) * 90 % 360


def height_px(quad: Quad) -> float:
    """From the top left to the bottom left corner, across the reading direction."""
    return math.dist(quad[0], quad[3])


def along(quad: Quad, turn_deg: float) -> tuple[float, float]:
    """Where the quad begins and ends on an axis that runs in the reading direction of text turned by `turn_deg`; in pixels."""
    cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    places = [x * cosine - y * sine for x, y in quad]
    return min(places), max(places)


def is_upright_box(quad: Quad, box: Box) -> bool:
    """Whether the quad says nothing more than the box: the same corners, read from the left to the right."""
    return all(math.dist(one, other) < 0.01 for one, other in zip(quad, quad_of(box), strict=True))
