"""What a client may ask for. The API, the page and the command line are made from this definition; it imports no OpenCV."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_serializer,
    field_validator,
)

from recto.errors import OptionInvalid, PageNotInDocument

ResultFormat: TypeAlias = Literal["txt", "md", "json", "pdf", "pdfa", "hocr", "alto", "tsv", "pages.zip"]
Mode: TypeAlias = Literal["auto", "force", "skip"]

StepName: TypeAlias = Literal[
    "aspect",
    "polarity",
    "noise",
    "orientation",
    "perspective",
    "borders",
    "light",
    "paper",
    "text_size",
    "deskew",
    "curl",
    "contrast",
    "grain",
    "second_reading",
    "rules",
    "scraps",
    "page_numbers",
]

Stage: TypeAlias = Literal["original", "preprocessed"]

STAGES: Final[dict[Stage, str]] = {
    "original": "As uploaded",
    "preprocessed": "As the engine saw it",
}
"""The pictures of a page that a client may ask for, and what people call them."""

AUTO_LANGUAGE: Final = "auto"
"""Stands for languages where they are to be found out from each page."""


@dataclass(frozen=True, slots=True)
class FormatDescription:
    """A result format for people and for HTTP: its name, its media type, and how the name of such a file ends.

    `writer` is who writes it, as the module in recto/ocr/writers/ and the function in it: a name, since importing it loads what the Backend
    does without. `is_packed` says that it is compressed already, and nothing to be shown in a terminal.
    """

    title: str
    media_type: str
    suffix: str
    writer: str
    is_packed: bool = False


RESULT_FORMATS: Final[dict[ResultFormat, FormatDescription]] = {
    "txt": FormatDescription("Text", "text/plain; charset=utf-8", ".txt", "text:write_text"),
    "md": FormatDescription("Markdown", "text/markdown; charset=utf-8", ".md", "markdown:write_markdown"),
    "json": FormatDescription("JSON", "application/json", ".json", "json:write_json"),
    "pdf": FormatDescription("Searchable PDF", "application/pdf", ".pdf", "pdf.writer:write_pdf", is_packed=True),
    "pdfa": FormatDescription(
        "Searchable PDF/A", "application/pdf", ".pdfa.pdf", "pdf.archival:write_pdfa", is_packed=True
    ),
    "hocr": FormatDescription("hOCR", "text/html; charset=utf-8", ".hocr", "hocr:write_hocr"),
    "alto": FormatDescription("ALTO XML", "application/xml", ".alto.xml", "alto:write_alto"),
    "tsv": FormatDescription("TSV", "text/tab-separated-values; charset=utf-8", ".tsv", "tsv:write_tsv"),
    "pages.zip": FormatDescription(
        "Text of each page", "application/zip", ".pages.zip", "pages_zip:write_pages_zip", is_packed=True
    ),
}
"""Every format that a result can be had in: the same names as in ResultFormat, which types cannot be told otherwise."""

PREPROCESSING_STEPS: Final[dict[StepName, str]] = {
    "aspect": "square pixels for faxes whose resolution differs by direction",
    "polarity": "dark text on light where the page is light on dark",
    "noise": "grain and specks smoothed",
    "orientation": "a page that lies on its side or head turned upright",
    "perspective": "a photographed sheet laid flat",
    "borders": "black borders of scanners and photos cut off",
    "light": "shadows and uneven light evened out",
    "paper": "paper made white around rows of letters where nothing was read at first",
    "text_size": "letters brought to a size that is read well",
    "deskew": "sloping lines levelled",
    "curl": "curved lines straightened",
    "contrast": "faint marks, such as print that shines through, taken for paper where the page reads better so",
    "grain": "the paper's slight grain and shades made even",
    "second_reading": "what was read doubtfully read again in another way, the better reading kept",
    "rules": "underlines and lines of forms that touch letters taken away for the second reading",
    "scraps": "what was read in stains, rules and pictures and is hardly text left out",
    "page_numbers": "page numbers that stand alone at the head or the foot, and were not read with the text, read by themselves",
}
"""What a page may get before and while it is read, in this order."""

AS_MEASURED: Final = "auto"
"""Stands for the steps that each page's measurements ask for."""
NO_STEP: Final = "none"


@dataclass(frozen=True, slots=True)
class StepChoice:
    """Which steps may be taken at all, and which of them are wanted also where their measurement leaves it in doubt."""

    allowed: frozenset[StepName] = frozenset(PREPROCESSING_STEPS)
    wanted: frozenset[StepName] = frozenset()


EVERY_STEP: Final = StepChoice()
"""Each step where its measurement asks for it."""

_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,31}(/[A-Za-z][A-Za-z0-9_]{1,31})?")
_PAGE_RANGE = re.compile(r"end|(?P<first>[1-9][0-9]*)(?P<dash>-(?P<last>[1-9][0-9]*|end)?)?")


def _split(value: Any) -> Any:
    """A '+' in a query string arrives as a space."""
    return tuple(filter(None, re.split(r"[+,\s]+", value))) if isinstance(value, str) else value


class Options(BaseModel):
    """The options of one job. Frozen; unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        default=("eng",),
        min_length=1,
        max_length=8,
        title="Languages",
        description="Languages of the text as Tesseract names them, most important first, joined by '+': deu+eng. "
        "auto finds them out, page by page, among those that are installed.",
        examples=["eng", "deu+fra", "auto"],
    )
    pages: str | None = Field(
        default=None,
        max_length=1000,
        title="Pages",
        description="Pages to read, counted from 1: 1-3,7,9-end; end alone is the last page. All pages where it is left out.",
        examples=["1-3,7,9-end"],
    )
    mode: Mode = Field(
        default="auto",
        title="Pages that have text already",
        description="auto takes the text that a PDF page has and reads only the pictures on it, and reads the page anew where that "
        "text is garbage; force reads every page from its pixels; skip takes the text and reads no such page.",
    )
    preprocess: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        default=(AS_MEASURED,),
        min_length=1,
        title="Preprocessing",
        description="auto gives each page the steps that its measurements ask for, none gives it none; a step's name after that takes it "
        "also where the measurement leaves it in doubt, no- before the name never takes it: auto+no-light+deskew. Steps: "
        f"{', '.join(PREPROCESSING_STEPS)}.",
        examples=["auto", "no-light", "none+deskew"],
    )
    password: SecretStr | None = Field(
        default=None,
        max_length=200,
        title="Password",
        description="Opens an encrypted PDF.",
    )
    formats: Annotated[tuple[ResultFormat, ...], BeforeValidator(_split)] = Field(
        default=("txt", "json"),
        min_length=1,
        title="Formats",
        description="Formats to write at once, joined by '+': txt+pdf. Every other one is made when it is first asked for.",
        examples=["txt+pdf"],
    )

    @field_validator("languages")
    @classmethod
    def _check_languages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _LANGUAGE.fullmatch(name):
                raise ValueError(f"'{name}' is not a language name. Use Tesseract's names, such as eng or deu+fra.")
        if AUTO_LANGUAGE in value and len(value) > 1:
            raise ValueError("'auto' stands alone. Name the languages, or let all of them be found out.")
        return tuple(dict.fromkeys(value))

    @field_validator("preprocess")
    @classmethod
    def _check_preprocess(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = {AS_MEASURED, NO_STEP, *PREPROCESSING_STEPS}
        for name in value:
            if name.removeprefix("no-") not in known or name in ("no-auto", "no-none"):
                raise ValueError(
                    f"'{name}' is no step. Name auto, none, or steps to take or, with no- before them, to leave out: "
                    f"{', '.join(PREPROCESSING_STEPS)}."
                )
            if name in value and f"no-{name}" in value:
                raise ValueError(f"'{name}' is to be taken and to be left out. Say one of both.")
        if AS_MEASURED in value and NO_STEP in value:
            raise ValueError(
                "'auto' and 'none' exclude each other. Say one of both, and the steps that differ from it."
            )
        base = NO_STEP if NO_STEP in value else AS_MEASURED
        return (base, *sorted({name for name in value if name not in (AS_MEASURED, NO_STEP)}))

    @field_validator("password")
    @classmethod
    def _check_password(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value and value.get_secret_value() else None

    @field_validator("formats")
    @classmethod
    def _check_formats(cls, value: tuple[ResultFormat, ...]) -> tuple[ResultFormat, ...]:
        return tuple(name for name in get_args(ResultFormat) if name in value)

    @field_validator("pages")
    @classmethod
    def _check_pages(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        compact = re.sub(r"\s*([,-])\s*", r"\1", value.strip())  # '1 3' is no page 13
        for _ in _ranges(compact):
            pass
        return compact

    @field_serializer("languages", "formats", "preprocess")
    def _join(self, value: tuple[str, ...]) -> str:
        return "+".join(value)

    @property
    def steps(self) -> StepChoice:
        """What `preprocess` asks for."""
        wanted = frozenset(name for name in PREPROCESSING_STEPS if name in self.preprocess)
        left_out = frozenset(name for name in PREPROCESSING_STEPS if f"no-{name}" in self.preprocess)
        allowed = frozenset(PREPROCESSING_STEPS) - left_out if AS_MEASURED in self.preprocess else wanted
        return StepChoice(allowed, wanted)

    @property
    def plain_password(self) -> str | None:
        """The password as it opens the document."""
        return self.password.get_secret_value() if self.password else None

    def public(self) -> dict[str, Any]:
        """As JSON values for whoever may see the job: without the password."""
        return self.model_dump(mode="json", exclude={"password"})

    def reading(self) -> dict[str, Any]:
        """Those that decide what is read, as JSON values: results name them."""
        return self.model_dump(mode="json", exclude={"password", "formats"})

    def stored(self) -> dict[str, Any]:
        """As JSON values for the job's row, with the password. `Options.model_validate` is the reverse."""
        return self.public() | {"password": self.plain_password}


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
        start, stop = first or page_count, last or page_count
        if start > page_count or stop > page_count:
            have = "1 page" if page_count == 1 else f"{page_count} pages"
            raise PageNotInDocument(
                f"The document has {have}, but pages={pages} was asked for. Ask for pages up to {page_count}."
            )
        chosen.update(range(start, stop + 1))
    return sorted(chosen)


def _ranges(pages: str) -> Iterator[tuple[int | None, int | None]]:
    """(first, last) of each range; None stands for 'end'. ValueError for anything else."""
    for part in pages.split(","):
        match = _PAGE_RANGE.fullmatch(part)
        if not match:
            raise ValueError(f"'{part}' is not a page range. Write pages like 1-3,7,9-end.")
        if part == "end":
            yield None, None
            continue
        first = int(match["first"])
        last: int | None = first
        if match["dash"]:
            last = None if match["last"] in (None, "end") else int(match["last"])
        if last is not None and last < first:
            raise ValueError(f"'{part}' runs backwards. Write the smaller page first: {last}-{first}.")
        yield first, last


def _sentences(error: ValidationError) -> Iterator[str]:
    """One for each option that is wrong: its first problem, since the others follow from it."""
    first = {str(problem["loc"][0]) if problem["loc"] else "options": problem for problem in reversed(error.errors())}
    for name, problem in reversed(first.items()):
        if problem["type"] == "extra_forbidden":
            yield f"There is no option '{name}'. The options are: {', '.join(Options.model_fields)}."
        elif problem["type"] in ("too_long", "string_too_long"):
            yield f"Option '{name}': that is too much; at most {problem['ctx']['max_length']} are taken."
        elif problem["type"] in ("too_short", "string_too_short"):
            yield f"Option '{name}' is empty. Give a value or leave it out."
        elif problem["type"] == "literal_error":
            yield f"Option '{name}': '{problem['input']}' is none of {problem['ctx']['expected']}."
        else:
            yield f"Option '{name}': {problem['msg'].removeprefix('Value error, ')}"
