"""What looks at the documentation's site, on sites made for it."""

from pathlib import Path

import pytest

from tools.site_links import look_at_site, report


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    write(tmp_path / "index.html", '<a href="docs/api.html#submit">API</a> <a href="docs/api.html">API</a>')
    write(
        tmp_path / "docs" / "api.html",
        '<h2 id="submit">Submit</h2><a href="../index.html">Home</a><a href="#submit">Up</a>',
    )
    return tmp_path


def write(file: Path, body: str) -> None:
    file.write_text(f"<!doctype html><html><head></head><body>{body}</body></html>", encoding="utf-8")


def test_site_whose_links_lead_somewhere_has_no_faults(site: Path) -> None:
    found = look_at_site(site)
    assert found.faults == ()
    assert (found.pages, found.internal, found.anchors) == (2, 4, 2)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="docs/nothing.html">x</a>', "index.html: docs/nothing.html: is not there"),
        ('<a href="docs/api.html#nothing">x</a>', "index.html: docs/api.html#nothing: the file has no such anchor"),
        ('<a href="#nothing">x</a>', "index.html: #nothing: the file has no such anchor"),
        ('<a href="/docs/api.html">x</a>', "index.html: /docs/api.html: is absolute"),
        ('<img src="nothing.png">', "index.html: nothing.png: is not there"),
        (
            '<script src="https://cdn.example/x.js"></script>',
            "index.html: is fetched from elsewhere: https://cdn.example/x.js",
        ),
        ('<img src="//cdn.example/x.png">', "index.html: is fetched from elsewhere: //cdn.example/x.png"),
    ],
)
def test_fault_is_named_with_its_page(site: Path, body: str, fault: str) -> None:
    write(site / "index.html", body)
    assert look_at_site(site).faults == (fault,)


def test_links_to_elsewhere_are_listed_once_and_are_no_faults(site: Path) -> None:
    write(
        site / "index.html",
        '<a href="https://example.org/a">a</a><a href="https://example.org/a">b</a><a href="mailto:a@b.c">m</a>',
    )
    found = look_at_site(site)
    assert (found.external, found.faults) == (("https://example.org/a",), ())


def test_link_to_a_folder_is_one_to_its_index(site: Path) -> None:
    write(site / "docs" / "index.html", '<a href="..">Home</a><a href=".">Here</a>')
    assert look_at_site(site).faults == ()


def test_report_ends_with_the_counts(site: Path) -> None:
    assert list(report(look_at_site(site))) == [
        "2 pages; 4 links within them, 2 of them to an anchor: 0 faults",
        "0 links to elsewhere, which were not asked",
    ]
