"""Sentences of real words, put together from clauses at random."""

import random
from functools import cache
from pathlib import Path
from typing import Final

CONJUNCTIONS: Final = {
    "eng": ("and", "but", "while", "although"),
    "fra": ("et", "mais", "car", "tandis que"),
    "spa": ("y", "pero", "mientras", "aunque"),
    "ita": ("e", "ma", "mentre", "poiché"),
}


@cache
def clauses(language: str) -> tuple[str, ...]:
    return tuple((Path(__file__).parent / "prose" / f"{language}.txt").read_text(encoding="utf-8").splitlines())


def sentence(language: str, chance: random.Random) -> str:
    """One or two clauses with punctuation."""
    parts = chance.sample(clauses(language), 2)
    ending = chance.choices(".!?;", (90, 3, 3, 4))[0] if language != "eng" else "."
    text = parts[0] if chance.random() < 0.35 else f"{parts[0]}, {chance.choice(CONJUNCTIONS[language])} {parts[1]}"
    return text[0].upper() + text[1:] + ending


def paragraph(language: str, chance: random.Random, sentences: int) -> str:
    return " ".join(sentence(language, chance) for _ in range(sentences))


def phrase(language: str, chance: random.Random, most_words: int) -> str:
    """The beginning of a clause, for headings and names of things."""
    words = (
        chance.choice(clauses(language)).replace(",", "").split()[: chance.randint(max(2, most_words - 2), most_words)]
    )
    return " ".join(words)
