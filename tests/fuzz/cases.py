"""Case number N of a seed: which document, which damage, which bytes. The same each time, so that one file can be made again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from recto.ocr.media_types import sniff
from tests.fuzz import byte_mutations, image_mutations, pdf_mutations

Mutation = Callable[[bytes, Random], bytes]

_WITH_ANOTHER: Final = {"splice": byte_mutations.splice, "insert": byte_mutations.insert}

_ANY: Final[dict[str, Mutation]] = {
    "flip bytes": byte_mutations.flip_bytes,
    "truncate": byte_mutations.truncate,
    "cut out": byte_mutations.cut_out,
    "repeat": byte_mutations.repeat,
    "numbers": byte_mutations.overwrite_numbers,
}
_OF_TYPE: Final[dict[str, dict[str, Mutation]]] = {
    "application/pdf": {
        "PDF /Length": pdf_mutations.lie_about_length,
        "PDF xref": pdf_mutations.lose_xref,
        "PDF tokens": pdf_mutations.damage_objects_text,
        "PDF page tree": pdf_mutations.changed(pdf_mutations.make_page_tree_cyclic),
        "PDF boxes": pdf_mutations.changed(pdf_mutations.make_boxes_huge),
        "PDF nested streams": pdf_mutations.changed(pdf_mutations.nest_streams),
        "PDF colour spaces": pdf_mutations.changed(pdf_mutations.spoil_colour_spaces),
        "PDF pictures": pdf_mutations.changed(pdf_mutations.lie_about_pictures),
        "PDF content": pdf_mutations.changed(pdf_mutations.spoil_content),
        "PDF fonts": pdf_mutations.changed(pdf_mutations.spoil_fonts),
        "PDF objects": pdf_mutations.changed(pdf_mutations.swap_objects),
    },
    "image/tiff": {
        "TIFF dimensions": image_mutations.damage_tiff_dimensions,
        "TIFF offsets": image_mutations.damage_tiff_offsets,
        "TIFF layout": image_mutations.damage_tiff_layout,
        "TIFF chain": image_mutations.damage_tiff_chain,
    },
    "image/png": {"PNG chunks": image_mutations.damage_png_chunks},
}
_SHARE_OF_TYPE: Final = 0.75
"""Of the cases of a type that has damage of its own."""

_TURNS: Final = {"application/pdf": 12, "image/tiff": 5, "image/png": 2}
"""How many cases these formats get for each one of another: the structure of a PDF has the most to damage."""

KINDS: Final = (*_WITH_ANOTHER, *_ANY, *(name for named in _OF_TYPE.values() for name in named))
"""Every kind of damage."""


@dataclass(frozen=True, slots=True)
class Case:
    """A damaged document: what was damaged, how, and what came of it."""

    number: int
    original: str
    kind: str
    content: bytes

    @property
    def media_type(self) -> str | None:
        """What the Backend takes it for; None where it refuses it."""
        return sniff(self.content)


def make_case(seed: int, number: int, originals: Mapping[str, bytes]) -> Case:
    """Case `number` of `seed`. Formats take turns, so that a folder full of PDF leaves the others their share."""
    random = Random(f"{seed} {number}")
    by_type: dict[str, list[str]] = {}
    for name in sorted(originals):
        by_type.setdefault(sniff(originals[name]) or "", []).append(name)
    weights = [_TURNS.get(media_type, 1) for media_type in by_type]
    media_type = random.choices(list(by_type), weights)[0]
    name = random.choice(by_type[media_type])
    kind, content = _damaged(originals[name], media_type, originals, random)
    return Case(number, name, kind, content)


def _damaged(content: bytes, media_type: str, originals: Mapping[str, bytes], random: Random) -> tuple[str, bytes]:
    own = _OF_TYPE.get(media_type, {})
    if own and random.random() < _SHARE_OF_TYPE:
        kind = random.choice(list(own))
        damaged = own[kind](content, random)
        if damaged != content:  # else this file has nothing of that kind to damage
            return kind, damaged
    kind = random.choice((*_WITH_ANOTHER, *_ANY))
    if kind in _WITH_ANOTHER:
        return kind, _WITH_ANOTHER[kind](content, originals[random.choice(sorted(originals))], random)
    return kind, _ANY[kind](content, random)
