"""A browser for tests of the site."""

from tests.browser import browser, page

__all__ = ["browser", "page"]
