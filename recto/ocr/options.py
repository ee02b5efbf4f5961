"""What a client may ask for. The API, the page and the command line are made from this definition; it imports no OpenCV."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_serializer, field_validator

from recto.errors import OptionInvalid, PageNotInDocument

ResultFormat: TypeAlias = Literal["txt", "json"]
RESULT_MEDIA_TYPES: dict[ResultFormat, str] = {"txt": "text/plain; charset=utf-8", "json": "application/json"}
"""Every format a result can be had in, with its media type."""

_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,31}(/[A-Za-z][A-Za-z0-9_]{1,31})?")
_PAGE_RANGE = re.compile(r"(?P<first>[1-9][0-9]{0,6})(?P<dash>-(?P<last>[1-9][0-9]{0,6}|end)?)?")


def _split_languages(value: Any) -> Any:
    return tuple(part.strip() for part in re.split(r"[+,]", value)) if isinstance(value, str) else value


class Options(BaseModel):
    """The options of one job. Frozen; unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: Annotated[tuple[str, ...], BeforeValidator(_split_languages)] = Field(
        default=("eng",),
        min_length=1,
        max_length=8,
        title="Languages",
        description="Languages of the text as Tesseract names them, most important first, joined by '+': deu+eng.",
        examples=["eng", "deu+fra"],
    )
    pages: str | None = Field(
        default=None,
        max_length=1000,
        title="Pages",
        description="Pages to read, counted from 1: 1-3,7,9-end. All pages where it is left out.",
        examples=["1-3,7,9-end"],
    )

    @field_validator("languages")
    @classmethod
    def _check_languages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _LANGUAGE.fullmatch(name):
                raise ValueError(f"'{name}' is not a language name. Use Tesseract's names, such as eng or deu+fra.")
        return tuple(dict.fromkeys(value))

    @field_validator("pages")
    @classmethod
    def _check_pages(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        compact = re.sub(r"\s+", "", value)
        for _ in _ranges(compact):
            pass
        return compact

    @field_serializer("languages")
    def _join_languages(self, value: tuple[str, ...]) -> str:
        return "+".join(value)


def parse_options(given: dict[str, Any]) -> Options:
    """Options from untrusted values; OptionInvalid names the option, what is wrong, and what is right."""
    try:
        return Options.model_validate(given)
    except ValidationError as error:
        raise OptionInvalid(" ".join(_sentences(error)), options=sorted(Options.model_fields)) from error


def page_numbers(pages: str | None, page_count: int) -> list[int]:
    """The page numbers, ascending and from 1, that `pages` names in a document of `page_count` pages."""
    if pages is None:
        return list(range(1, page_count + 1))
    chosen: set[int] = set()
    for first, last in _ranges(pages):
        stop = page_count if last is None else last
        if first > page_count or stop > page_count:
            have = "1 page" if page_count == 1 else f"{page_count} pages"
            raise PageNotInDocument(
                f"The document has {have}, but pages={pages} was asked for. Ask for pages up to {page_count}."
            )
        chosen.update(range(first, stop + 1))
    return sorted(chosen)


def _ranges(pages: str) -> Iterator[tuple[int, int | None]]:
    """(first, last) of each range; last is None for 'end'. ValueError for anything else."""
    for part in pages.split(","):
        match = _PAGE_RANGE.fullmatch(part)
        if not match:
            raise ValueError(f"'{part}' is not a page range. Write pages like 1-3,7,9-end.")
        first = int(match["first"])
        last: int | None = first
        if match["dash"]:
            last = None if match["last"] in (None, "end") else int(match["last"])
        if last is not None and last < first:
            raise ValueError(f"'{part}' runs backwards. Write the smaller page first: {last}-{first}.")
        yield first, last


def _sentences(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else "options"
        if problem["type"] == "extra_forbidden":
            yield f"There is no option '{name}'. The options are: {', '.join(Options.model_fields)}."
        elif problem["type"] in ("too_long", "string_too_long"):
            yield f"Option '{name}': that is too much; at most {problem['ctx']['max_length']} are taken."
        elif problem["type"] in ("too_short", "string_too_short"):
            yield f"Option '{name}' is empty. Give a value or leave it out."
        else:
            yield f"Option '{name}': {problem['msg'].removeprefix('Value error, ')}"
