"""A browser for the page of ``cellscale tune``."""

from tests.browser import browser, page

__all__ = ["browser", "page"]
