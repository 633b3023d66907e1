"""The page that ships is the one that the sources make."""

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "viewer"


def test_the_shipped_page_was_built_from_these_sources():
    """As ``viewer/build.mjs`` sums them up; when this fails, run ``make viewer``."""
    total = hashlib.sha256()
    found = [source for folder in ("src", "page") for source in (SOURCES / folder).rglob("*") if source.is_file()]
    for source in sorted(found, key=lambda path: path.relative_to(SOURCES).as_posix()):
        total.update(source.read_bytes())
    total.update((SOURCES / "package-lock.json").read_bytes())
    shipped = (files("cellscale.viewer") / "static" / "viewer.js").read_text(encoding="utf-8")
    assert re.search(r"sources ([0-9a-f]{64})", shipped)[1] == total.hexdigest()


def test_the_lock_names_no_place_to_download_from():
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    assert all("resolved" not in package for package in lock["packages"].values())


def test_the_bundled_library_keeps_its_licence():
    static = files("cellscale.viewer") / "static"
    assert "OpenSeadragon contributors" in (static / "LICENSE-openseadragon.txt").read_text(encoding="utf-8")
