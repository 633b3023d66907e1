"""The reports of actual runs in a real browser: of a real image, of a gigantic one, and of one that failed."""

import os
import re

import pyarrow.parquet as pa_parquet
import pytest

from tests.cli.peaks import peak_memory
from tests.cli.runs import run
from tests.pipeline.spots import spots, write_image

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory, tiny_model):
    """A dataset of real images after a run, and the run."""
    root = tmp_path_factory.mktemp("real")
    (root / "OMETIFF").mkdir()
    for image in ("BreastMIBI.ome.tiff", "TissueSample.ome.tiff"):
        (root / "OMETIFF" / image).symlink_to(shared / "data/workspace/OMETIFF" / image)
    return root, run("segment-and-measure", "--model_path", tiny_model, "workspace", root)


def texts(page, names, values):
    """Return texts by the texts that name them."""
    return dict(zip(page.locator(names).all_inner_texts(), page.locator(values).all_inner_texts(), strict=True))


def facts(page):
    """Return the numbers at the head of a page, by their names."""
    return {name: value.split()[0] for name, value in texts(page, ".facts dt", ".facts dd").items()}


def check_pictures(page, count):
    """Check that at least so many pictures are on the page, that each shows something, and that nothing overflows."""
    pictures = page.locator("img")
    assert pictures.count() >= count
    for picture in pictures.all():
        picture.evaluate("async image => { image.loading = 'eager'; await image.decode(); }")
        assert picture.evaluate("image => Math.min(image.naturalWidth, image.naturalHeight)") > 50
        box = picture.bounding_box()
        assert min(box["width"], box["height"]) > 50
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def cells_in_table(root, image):
    """Return the number of rows of an image's table."""
    return pa_parquet.read_metadata(root / "REPORTS" / f"{image}_QUANT.parquet").num_rows


def check_list(page, root, images):
    """Open the list of images, and check what it shows."""
    page.goto((root / "REPORTS" / "index.html").as_uri())
    assert page.locator("article h3").all_inner_texts() == images
    counts = [cells_in_table(root, image) for image in images]
    assert facts(page)["cells"] == f"{sum(counts):,}"
    for card, cells in zip(page.locator("article").all(), counts, strict=True):
        assert f"{cells:,} cells" in card.locator("li").all_inner_texts()
    check_pictures(page, len(images))


def check_image(page, root, image, *, crops):
    """Go from the list to an image's page, back, and there again; check what the page shows."""
    page.locator("article").get_by_role("link", name=image).first.click()
    assert page.locator("h1").inner_text() == image
    assert facts(page)["cells"] == f"{cells_in_table(root, image):,}"
    check_pictures(page, 4 if crops else 2)
    check_outlines(page)
    page.get_by_role("link", name="All images").click()
    assert image in page.locator("article h3").all_inner_texts()
    page.go_back()
    assert page.locator("h1").inner_text() == image


def check_outlines(page):
    """Check that the box takes the outlines away from each picture, and brings them back."""
    box, pictures = page.get_by_label("Show outlines"), page.locator(".stack").all()
    shown = [picture.screenshot() for picture in pictures]
    box.uncheck()
    plain = [picture.screenshot() for picture in pictures]
    assert all(before != after for before, after in zip(shown, plain, strict=True))
    box.check()
    assert [picture.screenshot() for picture in pictures] == shown


@pytest.mark.parametrize("image", ["BreastMIBI", "TissueSample"])
def test_a_real_image_and_how_it_was_segmented(page, real, image):
    root, done = real
    assert done.exit_code == 0, done.stderr
    check_list(page, root, ["BreastMIBI", "TissueSample"])
    check_image(page, root, image, crops=image == "BreastMIBI")
    made = texts(page, "dl.plain dt", "dl.plain dd")
    for compartment in ("whole-cell", "nuclear"):
        proved = r"each block \(there are \d+\) proved that its labels are those of the whole image"
        assert re.match(proved, made[f"certificate, {compartment}"])
    rows = page.locator("details", has_text="Time and memory by stage").locator("tr").all_inner_texts()
    stages = {row.split("\t")[0]: row.split("\t")[1:] for row in rows[1:]}
    assert {"statistics", "network", "labels", "masks", "measurement", "tables", "pictures"} <= stages.keys()
    assert all(re.fullmatch(r"[\d.]+ s", time) and memory.endswith(" GB") for time, memory, _ in stages.values())


def test_warnings_of_a_run_are_in_its_report(page, real):
    root, done = real
    warned = re.findall(r"TissueSample: warning: (.*?): ", done.stderr)
    assert warned
    for name, where in (("TissueSample", "TissueSample_report.html"), ("the list", "index.html")):
        page.goto((root / "REPORTS" / where).as_uri())
        text = page.locator(".flag").all_inner_texts()
        assert all(any(warning.lower() in one.lower() for one in text) for warning in warned), name


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="peak memory of a child process is not known on this system")
def test_a_gigantic_image_is_looked_at_in_little_memory(page, large, tmp_path):
    for folder in ("OMETIFF", "SEGMASK", "REPORTS"):
        (tmp_path / folder).mkdir()
        for file in (large / folder).iterdir():
            (tmp_path / folder / file.name).symlink_to(file)
    assert peak_memory("measure", "workspace", tmp_path) < 10**9
    check_list(page, tmp_path, ["large"])
    check_image(page, tmp_path, "large", crops=True)
    assert facts(page)["cells"] == "262,144"
    assert "16,384 x 16,384 pixels" in page.locator("figcaption").first.inner_text()
    crop = page.locator(".crops img.overlay").first
    assert crop.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [512, 512]


def test_a_failed_image_tells_why_beside_one_that_is_done(page, tmp_path, tiny_model):
    good = write_image(tmp_path / "OMETIFF" / "good.ome.tiff", spots((300, 400)))
    broken = tmp_path / "OMETIFF" / "broken.ome.tiff"
    broken.write_bytes(good.read_bytes()[:5000])
    done = run("segment-and-measure", "--model_path", tiny_model, "workspace", tmp_path)
    assert done.exit_code == 1
    reason = done.errors["broken"]
    page.goto((tmp_path / "REPORTS" / "index.html").as_uri())
    assert page.locator("article h3").all_inner_texts() == ["broken", "good"]
    assert facts(page) | {"images": "2", "failed": "1"} == facts(page)
    assert reason in page.locator(".flag.failed").inner_text()
    check_pictures(page, 1)
    page.locator(".flag.failed").get_by_role("link", name="broken").click()
    assert page.locator("h1").inner_text() == "broken"
    assert page.locator(".flag.failed").inner_text() == f"Failed: {reason}"
    check_pictures(page, 0)
    page.get_by_role("link", name="All images").click()
    page.locator("article").get_by_role("link", name="good").first.click()
    assert page.locator(".flag.failed").count() == 0
    check_pictures(page, 2)
