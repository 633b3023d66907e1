"""A real browser shows the report, runs nothing, and asks nobody for anything."""

from dataclasses import replace

import pytest

from cellscale.report.findings import look_to_json
from cellscale.report.html import listing
from cellscale.report.html.pages import image_page
from cellscale.report.write import update_report
from cellscale.workspace.layout import workspace_paths
from tests.report.looks import HOSTILE, look, record

SEEN = look_to_json(look(side=40))
NAMES = [name for name in HOSTILE if "/" not in name] + ["plain", "x" * 200]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of images with odd names, one of which failed."""
    paths = workspace_paths(tmp_path_factory.mktemp("odd") / "a 'set' <b>")
    (paths.jobs / "report").mkdir(parents=True)
    for name in NAMES:
        seen = look(channels=(*HOSTILE, "DAPI"), flags=HOSTILE[:1])
        (paths.jobs / "report" / f"{name}.look.json").write_bytes(look_to_json(seen))
    records = [record(name, warnings=HOSTILE) for name in NAMES]
    return update_report(paths, [*records, record("broken", error=HOSTILE[0])], {*NAMES, "broken"}, single_file=True)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_report_reads_at_any_width_and_in_the_dark(page, report, width, scheme):
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri())
    assert page.locator("article").count() == len(NAMES) + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="plain").first.click()
    page.wait_for_url("**/plain_report.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    for label in page.locator("svg text").all()[:3]:
        assert label.evaluate("node => getComputedStyle(node).fill") == page.evaluate(
            "getComputedStyle(document.body).color"
        )


def test_every_page_is_reached_by_its_link_and_is_inert(page, report):
    for name in NAMES:
        page.goto(report.as_uri())
        page.locator("article h3 a").filter(has_text=name).first.click()
        assert page.locator("h1").inner_text().split() == name.split()
        assert page.locator("script").count() == 0
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


def test_one_file_leads_to_every_image_and_hides_the_outlines_of_each_alone(page, report):
    page.goto((report.parent / "report.html").as_uri())
    page.get_by_role("link", name="plain").first.click()
    sheet = page.locator("section:target")
    assert sheet.locator("h1").inner_text() == "plain"
    sheet.get_by_label("Show outlines").click()
    assert not sheet.locator("img.overlay").first.is_visible()
    assert page.locator("section:not(:target) img.overlay").first.is_visible()
    assert page.locator("section").count() == len(NAMES) + 1
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(one => one.id)).size") == page.evaluate(
        "document.querySelectorAll('[id]').length"
    )
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_outlines_can_be_hidden(page, report):
    page.goto((report.parent / "plain_report.html").as_uri())
    overlay = page.locator("img.overlay").first
    assert overlay.is_visible()
    page.get_by_label("Show outlines").click()
    assert not overlay.is_visible()


def test_parts_are_shown_pixel_by_pixel_and_larger_on_a_click(page, report):
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto((report.parent / "plain_report.html").as_uri())
        part = page.locator(".crops .stack").first
        assert part.bounding_box()["width"] >= 512
        page.locator(".pan").first.click()
        assert part.bounding_box()["width"] >= 1024
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_places_of_parts_are_framed_on_the_whole_image(page, report):
    page.goto((report.parent / "plain_report.html").as_uri())
    whole, frame = page.locator(".whole .stack").bounding_box(), page.locator("svg.places rect").bounding_box()
    assert (frame["x"] - whole["x"]) / whole["width"] == pytest.approx(512 / 3000, abs=0.01)
    assert frame["width"] / whole["width"] == pytest.approx(512 / 3000, abs=0.01)
    bar = page.locator(".whole .bar")
    assert bar.inner_text() == "200 µm"  # of 1.5 mm
    assert bar.bounding_box()["width"] / whole["width"] == pytest.approx(200 / 1500, abs=0.005)


@pytest.mark.parametrize("long", [listing.LONG, 2], ids=["few images", "thousands"])
def test_the_table_is_sorted_by_the_column_that_is_clicked(page, tmp_path, monkeypatch, long):
    monkeypatch.setattr(listing, "LONG", long)
    paths = workspace_paths(tmp_path / "sorted")
    counts = {"a2": 900, "a10": 1_100, "b": 40}
    index = update_report(paths, [record(name, cells=count) for name, count in counts.items()], set(counts))
    page.goto(index.as_uri())

    def shown():
        rows = page.locator(".numbers a").all()
        return [row.inner_text() for row in sorted(rows, key=lambda row: row.bounding_box()["y"])]

    page.locator(".numbers label").filter(has_text="cells").first.click()
    assert shown() == ["a10", "a2", "b"]
    page.get_by_label("Largest first").click()
    assert shown() == ["b", "a2", "a10"]
    page.locator(".numbers label").filter(has_text="image").first.click()
    assert shown() == ["a2", "a10", "b"]
    cells = [box.bounding_box() for box in page.locator(".numbers td:nth-child(4)").all()]
    assert len({box["x"] + box["width"] for box in cells}) == 1, "numbers stand below each other"


def test_numbers_and_pictures_of_an_image_print_on_one_sheet(page, tmp_path):
    crops = tuple(replace(look().crops[0], x=512 * place, y=512) for place in range(4))
    (tmp_path / "page.html").write_text(
        image_page(record(), look(side=1024, shape=(2048, 2048), tiles=((20,) * 4,) * 4, crops=crops))
    )
    page.set_viewport_size({"width": 703, "height": 1032})  # A4 within its margins
    page.emulate_media(media="print")
    page.goto((tmp_path / "page.html").as_uri())
    pictures = page.locator(".crops").bounding_box()
    assert pictures["height"] > 150
    assert pictures["y"] + pictures["height"] <= 1032
    assert not page.get_by_text("Show outlines").is_visible()


def test_many_images_are_on_several_pages_each_one_click_away(page, tmp_path):
    paths = workspace_paths(tmp_path / "many")
    (paths.jobs / "report").mkdir(parents=True)
    names = [f"image {number:03}" for number in range(130)]
    for name in names:
        (paths.jobs / "report" / f"{name}.look.json").write_bytes(SEEN)
    index = update_report(paths, [record(name) for name in names], names)
    shown = []
    for number in range(1, 4):
        page.goto(index.as_uri())
        assert page.locator(".numbers a").all_inner_texts() == names
        if number > 1:
            page.get_by_role("link", name=str(number), exact=True).first.click()
            page.wait_for_url(f"**/index_{number}.html")
        shown += page.locator("article h3").all_inner_texts()
        assert (
            page.evaluate("[...document.querySelectorAll('article img')].length")
            == 2 * page.locator("article").count()
        )
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert shown == names
    page.get_by_role("link", name=names[-1]).first.click()
    assert page.locator("h1").inner_text() == names[-1]
