"""Numbers, sizes, times and measured steps in the language of the page. Filters of the templates."""

from datetime import datetime
from typing import Final

from flask import Blueprint
from flask_babel import format_date, format_decimal, format_time, gettext, ngettext

from recto.views.jobs import Told
from recto.web.languages.language_names import language_name
from recto.web.languages.translations import ENGLISH, page_language

blueprint = Blueprint("localised", __name__)
_DECIMAL_UNITS: Final = ("kB", "MB", "GB", "TB")
_BINARY_UNITS: Final = ("KiB", "MiB", "GiB", "TiB")
_MEBIBYTE: Final = 1 << 20


@blueprint.app_template_filter("moment")
def moment_words(moment: datetime) -> str:
    """Day and time in UTC, for who has no script that knows the reader's own zone."""
    return f"{format_date(moment)}, {format_time(moment, 'HH:mm')}"


@blueprint.app_template_filter("size")
def size_words(size_bytes: int, base: int = 1000, number_format: str = "#,##0.0") -> str:
    """With one decimal, as js/words.js says it."""
    if size_bytes < base:
        return str(ngettext("%(num)s Byte", "%(num)s Bytes", size_bytes))
    value, unit = size_bytes / base, 0
    units = _BINARY_UNITS if base != 1000 else _DECIMAL_UNITS
    while value >= base and unit < len(units) - 1:
        value, unit = value / base, unit + 1
    return str(gettext("%(value)s %(unit)s", value=format_decimal(value, number_format), unit=units[unit]))


@blueprint.app_template_filter("limit")
def limit_words(size_bytes: int) -> str:
    """A limit as it was set: in binary units where it is whole in those, and without a decimal that says nothing."""
    return size_words(size_bytes, 1024 if size_bytes % _MEBIBYTE == 0 else 1000, "#,##0.#")


@blueprint.app_template_filter("size_of")
def size_of_words(size_bytes: int, most_bytes: int | None) -> str:
    """How much is used of what may be; 0 or None is no limit."""
    if not most_bytes:
        return size_words(size_bytes)
    return str(gettext("%(size)s of %(most)s", size=size_words(size_bytes), most=size_words(most_bytes)))


@blueprint.app_template_filter("percent")
def percent_words(percent: float) -> str:
    """From 0 to 100, as a whole number."""
    return str(gettext("%(percent)s %%", percent=format_decimal(round(percent))))


@blueprint.app_template_filter("language_words")
def language_words(code: str) -> str:
    """The language's name, or the code itself for data that has none."""
    return str(gettext(language_name(code)))


@blueprint.app_template_filter("step_words")
def step_words(step: Told) -> str:
    """What preprocessing did. What is told by the English names of its measurements alone, is told in English alone."""
    if page_language() == ENGLISH:
        return step.sentence
    values = {
        name: value if isinstance(value, str) else format_decimal(value, "#,##0.###")
        for name, value in step.values.items()
    }
    words: str = gettext(step.words) % values if values else gettext(step.words)
    words = words[0].upper() + words[1:] + ("" if words.endswith(".") else ".")
    return str(gettext("In a picture on the page: %(words)s", words=words)) if step.is_of_picture else words
