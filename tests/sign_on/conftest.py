"""The applications of the tests of signing in, as those of tests/web have them."""

from tests.web.conftest import _quick_hashes, folder, make_app

__all__ = ["_quick_hashes", "folder", "make_app"]
