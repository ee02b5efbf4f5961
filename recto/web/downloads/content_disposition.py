"""`Content-Disposition` of a download: its name for those who read UTF-8, and one in ASCII for those who do not (RFC 6266)."""

import unicodedata
from typing import Final
from urllib.parse import quote

_ATTRIBUTE_CHARACTERS: Final = "!#$&+-.^_`|~"
"""What RFC 8187, section 3.2.1, leaves as it is, beside letters and digits."""
_UNSAFE: Final = frozenset('"\\/%')
"""What some read as an escape, or as the end of the name (RFC 6266, appendix D)."""


def attachment(file_name: str) -> str:
    """The header's value. `filename*` is there where the ASCII name is another one; who knows it prefers it."""
    fallback = _in_ascii(file_name)
    plain = f'attachment; filename="{fallback}"'
    if fallback == file_name:
        return plain
    return f"{plain}; filename*=UTF-8''{quote(file_name, safe=_ATTRIBUTE_CHARACTERS)}"


def _in_ascii(file_name: str) -> str:
    """Letters without their accents, `_` for whatever ASCII does not have: never an empty name, nor one that is all ending."""
    decomposed = unicodedata.normalize("NFKD", file_name)
    letters = (character for character in decomposed if not unicodedata.combining(character))
    return "".join(
        character if character.isascii() and character.isprintable() and character not in _UNSAFE else "_"
        for character in letters
    )
