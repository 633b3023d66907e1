"""A browser for the page of ``cellscale tune``."""

from tests.browser import browser, page, refusals

__all__ = ["browser", "page", "refusals"]
