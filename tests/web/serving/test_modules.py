"""The modules that a page names so that they come at once."""

import re
from pathlib import Path

from flask import Flask, render_template_string

from recto.web.serving.modules import install_modules
from tests.web.clients import Browser


def below(folder: Path, **modules: str) -> set[str]:
    """What the module `first` needs."""
    for name, content in modules.items():
        file = folder / "js" / f"{name}.js"
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    app = Flask("modules", static_folder=folder)
    install_modules(app)
    with app.test_request_context():
        return set(render_template_string("{{ modules_below('js/first.js') | join(' ') }}").split())


def test_modules_are_found_through_each_other_and_a_circle_ends(tmp_path: Path) -> None:
    found = below(
        tmp_path,
        first='import { one } from "./second.js";\nimport {\n  two,\n  three,\n} from "./third.js";',
        second='import "./fourth.js";\nimport { back } from "./first.js";',
        third='export { four } from "./fourth.js";',
        fourth='const text = "import from nowhere";',
    )
    assert found == {"js/second.js", "js/third.js", "js/fourth.js"}


def test_page_names_each_module_that_it_needs_once(browser: Browser) -> None:
    page = browser.get("/").text
    named = re.findall(r'rel="modulepreload" href="/static/[0-9a-f]{12}/(js/[^"]+)"', page)
    assert {"js/uploads.js", "js/transfer.js", "js/server.js", "js/times.js"} <= set(named)
    for name in named:
        assert browser.get(f"/static/{name}").status_code == 200


def test_sign_in_page_begins_with_its_doctype(browser: Browser) -> None:
    assert browser.get("/account").text.lstrip().startswith("<!doctype html>")
