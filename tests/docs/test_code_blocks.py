"""What the documentation tells people to type works as it is printed."""

import shutil

import pytest

from cellscale.engines.batch.plan.environment import Environment
from tests.docs.blocks import RUNNABLE, blocks, run_page
from tests.docs.places import DOCS, PAGES, README, ROOT

FIRST_RUN = DOCS / "first-run.md"
"""Makes the dataset that the other pages work on."""

WITH_CODE = [
    page
    for page in (*PAGES, README)
    if page != FIRST_RUN and any(block.language in RUNNABLE and block.reason is None for block in blocks(page))
]


@pytest.fixture(scope="module")
def first_run(mesmer_path, tmp_path_factory):
    """The folder after the page for beginners."""
    folder = tmp_path_factory.mktemp("first-run")
    run_page(FIRST_RUN, folder)
    return folder


@pytest.mark.slow
def test_the_first_run_makes_what_its_page_promises(first_run):
    names = {file.name for file in (first_run / "tissue").rglob("*")}
    assert {"index.html", "project.qpproj", "tissue_001_QUANT.tsv", "tissue_001_WholeCellMask.tiff"} <= names


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run_as_printed(page, first_run, tmp_path, monkeypatch):
    shutil.copytree(first_run / "tissue", tmp_path / "mydata")
    monkeypatch.chdir(tmp_path)
    run_page(page, tmp_path)


@pytest.mark.parametrize("page", [*PAGES, README], ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_name_their_language(page):
    assert not [block.line for block in blocks(page) if not block.language]


def test_the_cloud_environment_is_one_that_is_accepted():
    (block,) = (block for block in blocks(DOCS / "google-cloud.md") if block.language == "json")
    assert Environment.model_validate_json(block.code).region == "us-central1"
