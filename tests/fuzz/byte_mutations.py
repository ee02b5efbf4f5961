"""Damage that knows nothing of formats: what broken disks, lines and programs do to any file."""

from random import Random
from typing import Final

_TELLING: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
"""Numbers at which counters turn over."""


def flip_bytes(content: bytes, random: Random) -> bytes:
    """One to fifty bytes get another value."""
    damaged = bytearray(content)
    for _ in range(random.choice((1, 3, 10, 50))):
        damaged[random.randrange(len(damaged))] ^= random.randrange(1, 256)
    return bytes(damaged)


def truncate(content: bytes, random: Random) -> bytes:
    """The file breaks off somewhere."""
    return content[: random.randrange(1, len(content))]


def splice(content: bytes, other: bytes, random: Random) -> bytes:
    """The beginning of one file and the end of another."""
    return content[: random.randrange(1, len(content))] + other[random.randrange(len(other)) :]


def insert(content: bytes, other: bytes, random: Random) -> bytes:
    """A piece of another file stands in the middle; what follows is moved, or covered."""
    start, length = random.randrange(len(other)), random.choice((1, 16, 300, 5000))
    piece, place = other[start : start + length], random.randrange(len(content))
    return content[:place] + piece + content[place + random.choice((0, len(piece))) :]


def cut_out(content: bytes, random: Random) -> bytes:
    """A piece is missing, and what follows moves up."""
    start = random.randrange(len(content))
    return content[:start] + content[start + random.choice((1, 4, 64, 1000)) :]


def repeat(content: bytes, random: Random) -> bytes:
    """A piece stands there many times."""
    start, length = random.randrange(len(content)), random.choice((2, 40, 400))
    return content[:start] + content[start : start + length] * random.choice((2, 20, 200)) + content[start:]


def overwrite_numbers(content: bytes, random: Random) -> bytes:
    """One to four numbers, mostly of the header, become such as programs miscount with."""
    damaged = bytearray(content)
    for _ in range(random.randrange(1, 5)):
        width, order = random.choice((1, 2, 4)), "little" if random.random() < 0.5 else "big"
        reach = min(len(damaged), 80) if random.random() < 0.7 else len(damaged)
        place = random.randrange(max(1, reach - width))
        number = random.choice(_TELLING) % (1 << 8 * width)
        damaged[place : place + width] = number.to_bytes(width, "little" if order == "little" else "big")
    return bytes(damaged)
