"""Damage in the tags of a TIFF and in the chunks of a PNG whose checksums are right again, so that decoders get to see it."""

import struct
from random import Random
from typing import Final

from tests.ocr.images.pngs import chunk
from tests.ocr.images.tiffs import directory_offsets

_TELLING: Final = (0, 1, 2, 3, 7, 8, 16, 17, 255, 32_768, 65_535, 1_000_000, 0x7FFF_FFFF, 0xFFFF_FFF0, 0xFFFF_FFFF)
_DIMENSIONS: Final = (256, 257, 278, 322, 323)
_OFFSETS: Final = (273, 279, 324, 325, 347, 513, 514)
_LAYOUT: Final = (258, 259, 262, 266, 274, 277, 284, 317, 320, 338, 339, 530)
_PNG_HEAD: Final = 8


def damage_tiff_dimensions(content: bytes, random: Random) -> bytes:
    """Width, height, rows of a strip, or sides of a tile."""
    return _with_entries(content, _DIMENSIONS, random)


def damage_tiff_offsets(content: bytes, random: Random) -> bytes:
    """Where strips lie, how long and how many they are: also the count of values, which no tag's value tells."""
    return _with_entries(content, _OFFSETS, random)


def damage_tiff_layout(content: bytes, random: Random) -> bytes:
    """Bits, compression, meaning and order of the samples."""
    return _with_entries(content, _LAYOUT, random)


def damage_tiff_chain(content: bytes, random: Random) -> bytes:
    """The links between the directories: into a circle, nowhere, or into the data."""
    damaged = bytearray(content)
    places = _places(content)
    if not places:
        return content
    place = random.choice(places)
    (count,) = struct.unpack_from("<H", damaged, place)
    target = random.choice((*places, 8, len(damaged) - 2, random.randrange(len(damaged)), 0xFFFF_FFFF))
    link = random.choice((4, place + 2 + 12 * count))
    if link + 4 <= len(damaged):
        struct.pack_into("<L", damaged, link, target)
    return bytes(damaged)


def damage_png_chunks(content: bytes, random: Random) -> bytes:
    """A chunk with other bytes, a checksum to match, and perhaps a second time or not at all."""
    chunks = _chunks(content)
    if not chunks:
        return content
    number = random.randrange(len(chunks)) if random.random() < 0.5 else 0
    name, data = chunks[number]
    changed = bytearray(data)
    if name == b"IHDR" and len(changed) == 13 and random.random() < 0.7:
        struct.pack_into(">L", changed, random.choice((0, 4)), random.choice(_TELLING))
    elif changed:
        for _ in range(random.randrange(1, 6)):
            changed[random.randrange(len(changed))] = random.randrange(256)
    chunks[number : number + 1] = [(name, bytes(changed))] * random.choice((0, 1, 1, 1, 2))
    return content[:_PNG_HEAD] + b"".join(chunk(*part) for part in chunks)


def _with_entries(content: bytes, tags: tuple[int, ...], random: Random) -> bytes:
    """One to three entries of these tags with another value, count or type."""
    damaged = bytearray(content)
    entries = [place for place in _entries(content) if struct.unpack_from("<H", content, place)[0] in tags]
    for place in random.sample(entries, min(len(entries), random.randrange(1, 4))):
        part = random.choices(("<H", "<L", "<L"), (1, 2, 7))[0]
        at = place + {"<H": 2, "<L": random.choice((4, 8, 8, 8))}[part]
        number = random.choice((*_TELLING, random.randrange(len(content))))
        struct.pack_into(part, damaged, at, number % (1 << 8 * struct.calcsize(part)))
    return bytes(damaged)


def _entries(content: bytes) -> list[int]:
    """Where the entries of all directories stand."""
    found = []
    for place in _places(content):
        (count,) = struct.unpack_from("<H", content, place)
        found += [at for at in range(place + 2, place + 2 + 12 * count, 12) if at + 12 <= len(content)]
    return found


def _places(content: bytes) -> list[int]:
    """Where the directories of a little-endian classic TIFF stand; none of any other file."""
    if content[:4] != b"II*\x00":
        return []
    found: list[int] = []
    try:
        for place in directory_offsets(content):
            if place in found or place + 2 > len(content):
                break
            found.append(place)
    except struct.error:  # damaged before it came here
        return found
    return found


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Name and data of each chunk of a PNG."""
    found, at = [], _PNG_HEAD
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        found.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    return found
