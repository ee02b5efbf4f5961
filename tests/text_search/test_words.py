"""What people type, and where it stands in a text."""

import itertools
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.errors import OptionInvalid
from recto.text_search.text_index import fts5_expression, tsquery
from recto.text_search.words import MOST_CHARACTERS, MOST_TERMS, Query, Term, marks, parse_query, snippet


def marked(text: str, query: str) -> list[str]:
    return [text[start:end] for start, end in marks(text, parse_query(query).wanted)]


@pytest.mark.parametrize(
    ("given", "wanted", "unwanted"),
    [
        ("two words", [Term(("two",)), Term(("words",))], []),
        ('"a phrase" word', [Term(("a", "phrase")), Term(("word",))], []),
        ("„typographic quotes“", [Term(("typographic", "quotes"))], []),
        ('"not closed', [Term(("not", "closed"))], []),
        ("with -without", [Term(("with",))], [Term(("without",))]),
        ('with -"a phrase"', [Term(("with",))], [Term(("a", "phrase"))]),
        ("begin*", [Term(("begin",), is_prefix=True)], []),
        ('"and begin"*', [Term(("and", "begin"), is_prefix=True)], []),
        ("b*", [Term(("b",))], []),
        ("e-mail 3.14", [Term(("e", "mail")), Term(("3", "14"))], []),
        ("NEAR(a b) OR text:x", [Term(("NEAR", "a")), Term(("b",)), Term(("OR",)), Term(("text", "x"))], []),
        ("' ; DROP (nothing) ^ + {", [Term(("DROP",)), Term(("nothing",))], []),
    ],
)
def test_query_is_read_as_people_mean_it(given: str, wanted: list[Term], unwanted: list[Term]) -> None:
    assert parse_query(given) == Query(tuple(wanted), tuple(unwanted))


@pytest.mark.parametrize("given", ["", "  ", "-without", '""', "* - & 😀", '-"only this"'])
def test_query_without_a_word_to_find_says_so(given: str) -> None:
    with pytest.raises(OptionInvalid, match="at least one word"):
        parse_query(given)


def test_query_that_is_too_long_names_the_limit() -> None:
    assert parse_query("x" * MOST_CHARACTERS).wanted
    with pytest.raises(OptionInvalid, match=str(MOST_CHARACTERS)):
        parse_query("x" * (MOST_CHARACTERS + 1))
    assert len(parse_query("x " * MOST_TERMS).wanted) == MOST_TERMS
    with pytest.raises(OptionInvalid, match=str(MOST_TERMS)):
        parse_query("x " * (MOST_TERMS + 1))


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(
            "CREATE VIRTUAL TABLE page USING fts5(user_id, text, tokenize='unicode61 remove_diacritics 2')"
        )
        yield database


anything = st.text(max_size=MOST_CHARACTERS) | st.text("ab\"*-+^:(){}.,;\\'\x00 ANDORNTE", max_size=60)


@given(anything)
def test_no_input_is_an_error_of_syntax(index: sqlite3.Connection, typed: str) -> None:
    try:
        query = parse_query(typed)
    except OptionInvalid:
        return
    assert index.execute("SELECT rowid FROM page WHERE page MATCH ?", [fts5_expression(query, 7)]).fetchall() == []


letters = st.text(
    st.characters(codec="utf-8", categories=["Ll", "Lu", "Nd"], max_codepoint=0x24F), min_size=1, max_size=8
)


@given(st.lists(letters, min_size=1, max_size=12), st.data())
def test_what_the_index_finds_is_marked(index: sqlite3.Connection, words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    query = Query((Term(tuple(words[first : last + 1])),))
    index.execute("DELETE FROM page")
    index.execute("INSERT INTO page VALUES (7, ?)", [text])
    assert index.execute("SELECT count(*) FROM page WHERE page MATCH ?", [fts5_expression(query, 7)]).fetchone() == (1,)
    assert any(" ".join(words[first : last + 1]) in text[start:end] for start, end in marks(text, query.wanted))
    piece = snippet(text, query.wanted)
    assert piece.marks


@given(st.text(max_size=400), st.lists(letters, min_size=1, max_size=3))
def test_marks_lie_in_the_text_in_order(text: str, words: list[str]) -> None:
    terms = [Term((word,), is_prefix=True) for word in words]
    spans = marks(text, terms)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    piece = snippet(text, terms)
    assert "\n" not in piece.text
    assert all(0 <= start < end <= len(piece.text) for start, end in piece.marks)
    assert bool(piece.marks) == bool(spans)


def test_marks_ignore_case_and_accents() -> None:
    assert marked("Über den Ubersetzer, ÜBER Bord", "über") == ["Über", "ÜBER"]
    assert marked(unicodedata.normalize("NFD", "café"), "CAFE") == [unicodedata.normalize("NFD", "café")]


def test_marks_know_phrases_and_beginnings() -> None:
    text = "the red house, the redder houses; red, house"
    assert marked(text, '"red house"') == ["red house", "red, house"]
    assert marked(text, "hous*") == ["house", "houses", "house"]
    assert marked(text, '"redder hous"*') == ["redder houses"]


def test_word_divided_at_a_line_end_is_marked_whole() -> None:
    text = "die Rech-\nnung vom Mai, die Rech- nung, Rech-\n  nungen"
    assert marked(text, "rechnung") == ["Rech-\nnung"]
    assert marked(text, '"die rechnung vom"') == ["die Rech-\nnung vom"]
    assert marked(text, "rechnung*") == ["Rech-\nnung", "Rech-\n  nungen"]


def test_snippet_is_the_piece_with_the_most_hits() -> None:
    text = "lamb " + "filler " * 100 + "lamb and goat,\nlamb " + "filler " * 100
    piece = snippet(text, parse_query("lamb goat").wanted)
    assert piece.text.startswith("… ")
    assert piece.text.endswith(" …")
    assert [piece.text[start:end] for start, end in piece.marks] == ["lamb", "goat", "lamb"]
    assert len(piece.text) < 220
    assert snippet("lamb", parse_query("lamb").wanted).text == "lamb"
    assert snippet("nothing here", parse_query("lamb").wanted) == snippet("nothing here", ())


def test_tsquery_is_written_as_postgresql_wants_it() -> None:
    query = parse_query('word "a phrase" begin* -not')
    assert tsquery(query, 7) == "'user 7' & ('word') & ('a' <-> 'phrase') & ('begin':*) & !('not')"
