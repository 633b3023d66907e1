"""Pages say what is known, and names are nothing but text in them."""

from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from cellscale.report.html.listing import index_entry, index_page, listed
from cellscale.report.html.pages import image_page
from cellscale.report.image_record import RegionRecord
from tests.report.looks import HOSTILE, look, record


class Reader(HTMLParser):
    """Collects what a browser would run, load or show."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.addresses, self.handlers, self.words = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        if self.tags[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def inert(page):
    """Check that a page runs nothing and loads nothing; return what it says."""
    read = Reader(page)
    assert not {"script", "iframe", "object", "embed", "form", "base"} & set(read.tags)
    assert read.handlers == []
    assert "default-src 'none'" in page
    for address in read.addresses:
        assert address.startswith(("data:image/webp;base64,", "data:,", "#")) or "/" not in address
        assert address.startswith("data:") or ":" not in address
    return read


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name):
    seen = look(channels=(name, f"{name} 2", "CD3"), flags=(name,))
    told = record(name, error=name, warnings=(name,), network=name, status=name)
    shown = " ".join(name.split())
    page, index = inert(image_page(told, seen)), inert(index_page(name, [index_entry(told, seen)]))
    assert shown in page.text
    assert shown in index.text
    assert any(unquote(address) == f"{name}_report.html" for address in index.addresses)


def test_a_page_says_all_that_is_known():
    text = inert(image_page(record(warnings=("mind the gap",)), look(flags=("focus",)))).text
    for words in (
        "500", "480", "12 2.4 %", "5 1 %", "31 6.2 %", "326 on 1.54 mm²", "median nucleus", "µm²",
        "#1 DAPI (by its usual name)", "0.5 (file)", "3,000 x 2,048 pixels, 3 channels, uint16", "mesmer", "ab" * 32,
        "there are 6", "12.5 s, at most 1.20 GB", "a processor, 2 cores, 25 GB", "cellscale 1.0",
        "2026-01-02 03:04:05 UTC", "mind the gap", "Something is wrong with focus. look at focus.", "network 8.0 s",
        "radius 2 2", "Most cells without a nucleus", "1 of 24 parts looked at are out of focus",
    ):  # fmt: skip
        assert words in text, words


def test_images_that_failed_or_were_not_looked_at_have_pages():
    failed = record(status="failed", error="the file is empty", cells=None, nuclei=None, stages=(), certificates={})
    assert "the file is empty" in inert(image_page(failed, None)).text
    assert "the file is empty" in inert(index_page("data", [index_entry(failed, None)])).text


def test_pixels_instead_of_micrometres_where_these_are_not_known():
    unknown = look(pixel_size=None, pixel_size_source="assumed")
    text = inert(image_page(record(), unknown)).text
    assert "µm²" not in text
    assert "mm²" not in text
    assert "pixels" in text


@pytest.mark.parametrize("compartment", ["whole-cell", "nuclear"])
def test_one_mask_alone(compartment):
    only = look().compartments[compartment]
    seen = look(compartments={compartment: type(only)(count=500, areas=only.areas, at_border=31, alone=None)})
    told = record(cells=None, nuclei=None, unmatched_nuclei=None)
    text = inert(image_page(told, seen)).text
    assert "without" not in text.replace(" without a nucleus and nuclei without a cell", "")
    assert "500" in inert(index_page("data", [index_entry(told, seen)])).text


def test_nothing_found_is_a_page_too():
    empty = {name: type(one)(count=0, areas=None, at_border=0, alone=0) for name, one in look().compartments.items()}
    seen = look(compartments=empty, crops=(), tiles=((0,),))
    text = inert(image_page(record(cells=0, nuclei=0, unmatched_nuclei=0), seen)).text
    assert "cells 0" in text


def test_the_list_totals_and_compares_images():
    entries = [index_entry(record(name), look(flags=flags)) for name, flags in (("a", ()), ("b", ("focus",)))]
    page = index_page("data", [*entries, index_entry(record("c", error="broken", cells=None), None)])
    text = inert(page).text
    assert "images 3 cells 1,000 nuclei 960 failed 1 worth a look 1" in text
    assert "Side by side" in text
    assert page.count("<svg") == 2


@pytest.mark.slow
def test_the_first_page_tells_of_all_images_and_each_page_of_its_own():
    flags = [("focus",) if number == 100 else () for number in range(130)]
    entries = [
        index_entry(record(f"i{n:03}", error="torn" if n == 65 else None), look(side=40, flags=flags[n]))
        for n in range(130)
    ]
    first, second, third = (inert(index_page("data", entries, number)) for number in (1, 2, 3))
    assert "images 130" in first.text
    assert "Failed i065 torn" in first.text
    assert "Worth a look i100" in first.text
    assert {f"i{n:03}_report.html" for n in range(130)} <= set(first.addresses)
    assert {"index_2.html", "index_3.html"} <= set(first.addresses)
    assert "Failed i065 torn" in second.text
    assert "images 130" not in second.text
    assert "index.html" in second.addresses
    assert not {"Failed", "Worth"} & set(third.text.split())


def test_thousands_of_failures_and_warnings_leave_a_page_that_opens():
    seen = look(side=40, flags=("focus",))
    entries = [index_entry(record(f"i{number:04}", error="torn"), seen) for number in range(1000)]
    page = index_page("data", entries)
    text = inert(page).text
    assert "940 more failed" in text
    assert "940 more have warnings" in text
    assert len(page) < 2_000_000


def test_cells_are_counted_in_the_masks_where_a_run_kept_the_tables():
    entry = index_entry(record(status="kept", cells=None, nuclei=None), look())
    text = inert(index_page("data", [entry])).text
    assert "images 1 cells 500 nuclei 480" in text
    assert {"500 cells", "480 nuclei"} == set(entry.lines)


def test_density_is_that_of_the_part_that_was_segmented():
    whole, part = record(), record(segmented_pixels=1e6)
    assert "2,000 on 0.25 mm²" in inert(image_page(part, look())).text
    assert listed(part, look()).density == 2000
    assert "2,000 on 0.25 mm²" not in inert(image_page(whole, look())).text


@pytest.mark.parametrize("name", HOSTILE)
def test_regions_have_their_counts_areas_and_densities(name):
    found = (
        RegionRecord(name=name, pixels=4e6, cells=1200, nuclei=1100),
        RegionRecord(name="A-1", pixels=0, cells=0),
    )
    text = inert(image_page(record(regions=found), look())).text
    assert " ".join(f"{' '.join(name.split())} 1,200 1,100 1 1,200 A-1 0 – 0 –".split()) in text
    assert "region cells nuclei mm² cells per mm²" in text
    text = inert(image_page(record(regions=found), look(pixel_size=None))).text
    assert "1,200 1,100 4 300" in text
    assert "cells per million pixels" in text
    assert "Regions" not in inert(image_page(record(), look())).text
