"""A real browser shows the report, runs nothing, and asks nobody for anything."""

import pytest

from cellscale.report.findings import look_to_json
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
    return update_report(paths, [*records, record("broken", error=HOSTILE[0])], {*NAMES, "broken"})


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


def test_outlines_can_be_hidden(page, report):
    page.goto((report.parent / "plain_report.html").as_uri())
    overlay = page.locator("img.overlay").first
    assert overlay.is_visible()
    page.get_by_label("Show outlines").click()
    assert not overlay.is_visible()


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
