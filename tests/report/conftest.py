from tests.browser import browser, page, refusals  # noqa: F401 - fixtures
