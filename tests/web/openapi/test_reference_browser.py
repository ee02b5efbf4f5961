"""/docs in a real Chromium: it shows, in the policy that every page of Recto has."""

import pytest

from tests.web.chromium import PHONE, launched
from tests.web.live_server import LiveServer

pytestmark = pytest.mark.services


def test_reference_shows_without_breaking_the_policy(live: LiveServer) -> None:
    complaints: list[str] = []
    with launched() as browser:
        page = browser.new_page(viewport=PHONE)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        answer = page.goto(f"{live.address}/docs")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'self'" in policy
        page.get_by_role("link", name="POST /api/v1/jobs", exact=True).click()
        heading = page.get_by_role("heading", name="POST /api/v1/jobs", exact=True)
        assert heading.is_visible()
        details = page.locator("section", has=heading).locator("details").first
        assert not details.locator("pre").first.is_visible()
        details.locator("summary").click()
        assert details.locator("pre").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.reference pre')).backgroundColor")
            != "rgba(0, 0, 0, 0)"
        )
    assert complaints == []
