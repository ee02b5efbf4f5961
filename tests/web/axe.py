"""axe-core on a page of the tests."""

from importlib.resources import files

from playwright.sync_api import Page


def complaints(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands, by all of its rules."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]
