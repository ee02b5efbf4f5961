"""Names, places, dates, sums and other particulars for forms, letters and receipts, made up at random."""

import random
from typing import Final

FIRST_NAMES: Final = [
    "Margaret",
    "Howard",
    "Eleanor",
    "Walter",
    "Ruth",
    "Gerald",
    "Patricia",
    "Leonard",
    "Beatrice",
    "Frank",
    "Dorothy",
    "Raymond",
    "Sylvia",
    "Norman",
    "Agnes",
    "Theodore",
    "Harriet",
    "Clifford",
    "Janet",
    "Marcus",
]
LAST_NAMES: Final = [
    "Whitfield",
    "Barlow",
    "Kessler",
    "Donahue",
    "Ashworth",
    "Pemberton",
    "Lindqvist",
    "Okafor",
    "Ramsey",
    "Thornton",
    "Castellano",
    "Mercer",
    "Hollis",
    "Vandermeer",
    "Prescott",
    "Quigley",
    "Sutherland",
    "Nakamura",
    "Eastman",
    "Fairbanks",
]
STREETS: Final = [
    "Market",
    "Chestnut",
    "Station",
    "Harbour",
    "Mill",
    "Church",
    "Victoria",
    "Orchard",
    "Foundry",
    "Bridge",
    "Jefferson",
    "Prospect",
]
TOWNS: Final = [
    "Richmond",
    "Louisville",
    "Greensboro",
    "Winston-Salem",
    "Hartford",
    "Springfield",
    "Bristol",
    "Durham",
    "Norfolk",
    "Trenton",
    "Dayton",
    "Albany",
]
COMPANIES: Final = [
    "Lorimer Tobacco",
    "Halvorsen & Sons",
    "Northfield Research",
    "Carlton Paper",
    "Meridian Freight",
    "Atlas Chemical",
    "Greenway Foods",
    "Sterling Optical",
    "Brunswick Mills",
    "Pacific Instruments",
]
MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def name(chance: random.Random) -> str:
    middle = f" {chance.choice('ABCDEFGHJLMRSTW')}." if chance.random() < 0.4 else ""
    return f"{chance.choice(FIRST_NAMES)}{middle} {chance.choice(LAST_NAMES)}"


def company(chance: random.Random) -> str:
    return f"{chance.choice(COMPANIES)} {chance.choice(('Inc.', 'Company', 'Corporation', 'Ltd.'))}"


def street(chance: random.Random) -> str:
    return f"{chance.randint(2, 989)} {chance.choice(STREETS)} {chance.choice(('Street', 'Avenue', 'Road', 'Lane'))}"


def town(chance: random.Random) -> str:
    return (
        f"{chance.choice(TOWNS)}, {chance.choice(['VA', 'NC', 'KY', 'NJ', 'CT', 'OH'])} {chance.randint(10000, 98999)}"
    )


def short_date(chance: random.Random) -> str:
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(70, 99)
    return chance.choice((f"{month}/{day}/{year}", f"{month:02d}-{day:02d}-{year}", f"{day:02d}.{month:02d}.19{year}"))


def long_date(chance: random.Random, years: tuple[int, int]) -> str:
    return f"{chance.choice(MONTHS)} {chance.randint(1, 28)}, {chance.randint(*years)}"


def phone(chance: random.Random) -> str:
    return f"({chance.randint(201, 989)}) {chance.randint(200, 999)}-{chance.randint(1000, 9999)}"


def amount(chance: random.Random, most: float) -> str:
    """With thousands separators and two decimals."""
    return f"{most ** chance.random():,.2f}"


def code(chance: random.Random) -> str:
    return f"{chance.choice('ABCDEHKMPRT')}{chance.choice('ABCDEHKMPRT')}-{chance.randint(1000, 99999)}"
