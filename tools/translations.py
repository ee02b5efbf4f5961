"""`make translations`: brings the catalogues of recto/web/languages/translations up to what the pages say, and names what is not translated yet.

What the pages say is found in the templates, the scripts and the code, and in the tables that hold words. docs/translating.md is for translators.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from recto.errors import RectoError
from recto.ocr import step_words
from recto.ocr.options import PREPROCESSING_STEPS, RESULT_FORMATS, STAGES
from recto.web.languages import language_names
from recto.web.languages.error_sentences import HTTP_TITLES, SENTENCES

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "recto" / "web" / "languages" / "translations"
_WEB: Final = "recto/web"
_METHODS: Final = [
    ("**.py", "python"),
    ("templates/**.html", "jinja2.ext:babel_extract"),
    ("static/js/**.js", "javascript"),
]
_OPTIONS: Final = {"templates/**.html": {"silent": "false"}}
_KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}


class _Catalogue(Catalog):
    """Without the dates and names in its header that would differ each time."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """What gettext and Babel need to know."""
        return [
            ("Project-Id-Version", "Recto"),
            ("Language", str(self.locale)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def wanted() -> Catalog:
    """All that the pages say, with the files that say it."""
    catalogue = Catalog(project="Recto", fuzzy=False)
    found = extract_from_dir(str(ROOT / _WEB), _METHODS, _OPTIONS, _KEYWORDS)
    for name, _line, message, _comments, context in found:
        catalogue.add(message, locations=[(f"{_WEB}/{Path(name).as_posix()}", 0)], context=context)
    for name, message in _tables():
        catalogue.add(message, locations=[(name, 0)])
    return catalogue


def _tables() -> Iterator[tuple[str, str]]:
    """Words that stand in tables, with the file of each."""
    options = (*(one.title for one in RESULT_FORMATS.values()), *STAGES.values(), *PREPROCESSING_STEPS.values())
    yield from (("recto/ocr/options.py", words) for words in options)
    yield from (("recto/ocr/step_words.py", words) for words in step_words.SENTENCES.values())
    yield from (("recto/web/languages/language_names.py", words) for words in language_names.NAMES.values())
    yield from (("recto/web/languages/error_sentences.py", words) for words in (*SENTENCES.values(), *HTTP_TITLES))
    yield from (("recto/errors.py", cls.title) for cls in _errors(RectoError) if cls.code in SENTENCES)


def _errors(cls: type[RectoError]) -> Iterator[type[RectoError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from _errors(below)


def updated(text: bytes, language: str) -> Catalog:
    """The catalogue with every message that is wanted and none that is not, in one order; what was translated stays as it was."""
    there = read_po(io.BytesIO(text), locale=language)
    fresh = _Catalogue(
        locale=language,
        fuzzy=False,
        header_comment=f"# Recto's pages in {Locale.parse(language).english_name}: docs/translating.md",
    )
    for message in sorted(wanted(), key=_place):
        if message.id:
            known = there.get(message.id, message.context)
            locations = sorted({(name, 0) for name, _line in message.locations})
            fresh.add(
                message.id,
                known.string if known else "",
                locations,
                context=message.context,
                flags=known.flags if known else (),
            )
    return fresh


def _place(message: Message) -> tuple[str, str, str]:
    first = min((name for name, _line in message.locations), default="")
    return first, str(message.id[0] if message.pluralizable else message.id), message.context or ""


def written(catalogue: Catalog) -> bytes:
    """As it is committed: files without line numbers, which change with every edit."""
    text = io.BytesIO()
    write_po(text, catalogue, width=120, include_lineno=False, ignore_obsolete=True)
    return text.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    """English words of messages that have no translation, or one that is only guessed, or lack one of the plural forms."""
    return [str(one.id) for one in catalogue if one.id and (one.fuzzy or not all(_strings(one)))]


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, (tuple, list)) else (str(message.string),)


def files() -> dict[str, Path]:
    """The catalogue of each language."""
    return {path.parent.parent.name: path for path in sorted(FOLDER.glob("*/LC_MESSAGES/messages.po"))}


@click.command()
@click.option("--language", help="A language to begin: its code, such as fr or pt_BR.")
def main(language: str | None) -> None:
    """Bring the catalogues up to date and name what is yet to be translated."""
    if language:
        begin(language)
    for code, path in files().items():
        catalogue = updated(path.read_bytes(), code)
        path.write_bytes(written(catalogue))
        rest = untranslated(catalogue)
        click.echo(
            f"{code}: {len(catalogue) - len(rest)} of {len(catalogue)} messages are translated. {path.relative_to(ROOT)}"
        )
        for words in rest:
            click.echo(f"  {words}")


def begin(language: str) -> None:
    """An empty catalogue for a language that there is none of yet."""
    path = FOLDER / str(Locale.parse(language)) / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(written(_Catalogue(locale=language, fuzzy=False)))


if __name__ == "__main__":
    sys.exit(main())
