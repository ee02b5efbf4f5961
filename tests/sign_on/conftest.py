"""The applications and the browser of the tests of signing in, as those of tests/web have them."""

from tests.web.conftest import _quick_hashes, chromium, compiled_templates, folder, make_app

__all__ = ["_quick_hashes", "chromium", "compiled_templates", "folder", "make_app"]
