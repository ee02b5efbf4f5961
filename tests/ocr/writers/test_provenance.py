import json
from collections.abc import Iterator

from hypothesis import given, settings
from lxml import etree

from recto.ocr.page import Page
from recto.ocr.writers.provenance import comment, document_facts, page_facts, peek
from tests.ocr.writers.made_pages import DOCUMENT, PAGES, page


def test_facts_of_a_document_name_program_time_options_and_warnings() -> None:
    facts = document_facts(DOCUMENT)
    assert facts["generator"] == "Recto 1.2"
    assert facts["options"] == {"languages": "deu+eng", "pages": None}
    assert [warning["page"] for warning in facts["warnings"]] == [3, None]


def test_facts_of_a_page_name_engine_data_steps_and_text_layer() -> None:
    assert page_facts(page()) == {
        "number": 1,
        "engine": "tesserocr 5.5.4",
        "languages": ["eng"],
        "traineddata": [{"language": "eng", "sha256": "0" * 64}],
        "dpi": 300.0,
        "preprocessing": [{"name": "deskew", "measured": {"angle_deg": 1.8}}],
        "text_layer": "none",
    }


@settings(deadline=None)  # a busy machine is no fault
@given(PAGES)
def test_comment_of_any_facts_is_one_in_xml_and_reads_back(given_page: Page) -> None:
    facts = page_facts(given_page)
    text = comment("page", facts)
    (found,) = etree.fromstring(f"<a>{text}</a>")
    expected = json.dumps(facts, ensure_ascii=False).encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    read = json.loads(str(found.text).strip().removeprefix("page "))
    assert read == json.loads("".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in expected))
    assert text.count("--") == 2


def test_peek_reads_no_more_than_the_first_page() -> None:
    taken = []

    def pages() -> Iterator[Page]:
        for number in (1, 2, 3):
            taken.append(number)
            yield page(number=number)

    first, every = peek(pages())
    assert first == page()
    assert taken == [1]
    assert [one.number for one in every] == [1, 2, 3]


def test_peek_at_no_pages_finds_none() -> None:
    first, every = peek(())
    assert first is None
    assert list(every) == []
