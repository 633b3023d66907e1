"""The pictures of README and pages: they are there, say what they show, and are quick to load."""

import re

import pytest

from tests.docs.places import PAGES, README

PICTURE = re.compile(
    r"""!\[(?P<alt>[^\]]*)\]\((?P<place>[^)]+)\)|<img src="(?P<source>[^"]+)"[^>]* alt="(?P<text>[^"]*)">"""
)
LARGEST = 500_000


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.stem)
def test_pictures_are_there_and_described(page):
    text = page.read_text(encoding="utf-8")
    found = list(PICTURE.finditer(text))
    assert len(found) == text.count("![") + text.count("<img")
    for picture in found:
        file = page.parent / (picture["place"] or picture["source"])
        assert 1000 < file.stat().st_size < LARGEST
        assert len(picture["alt"] or picture["text"]) > 10


def test_the_readme_shows_report_and_viewer_at_a_desk_and_on_a_phone():
    shown = {
        picture["place"] or picture["source"] for picture in PICTURE.finditer(README.read_text(encoding="utf-8"))
    }
    assert {f"docs/{what}{end}.png" for what in ("report", "viewer") for end in ("", "-phone")} <= shown
