"""A browser for tests of the site."""

from tests.browser import browser, page, refusals

__all__ = ["browser", "page", "refusals"]
