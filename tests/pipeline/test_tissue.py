"""Glass is not computed, and the cells of the tissue are those of the whole image."""

import re

import numpy as np
import pytest
import tifffile

from cellscale.workspace.record import Ledger
from tests.cli.runs import run as run_command
from tests.pipeline.spots import spots, write_dataset

TISSUE = 200
"""Columns that are tissue."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    planes = np.random.default_rng(3).poisson(100, (2, 224, 640)).astype(np.uint16)
    planes[:, :, :TISSUE] += spots((224, TISSUE), seed=5) // 20
    return write_dataset(tmp_path_factory.mktemp("slide"), slide=planes, blank=np.full((2, 40, 40), 7, np.uint16))


def masks(dataset):
    return {
        kind: tifffile.imread(dataset / "SEGMASK" / f"slide_{kind}Mask.tiff") for kind in ("WholeCell", "Nucleus")
    }


def segment(dataset, model, *options):
    done = run_command("segment", "--model_path", model, *options, "workspace", dataset)
    assert done.exit_code == 0, done.stderr
    return done


@pytest.mark.slow
def test_cells_of_the_tissue_are_those_of_the_whole_image_and_the_report_says_what_was_skipped(dataset, tiny_model):
    segment(dataset, tiny_model, "--image_filter", "slide", "--no_report")
    whole = masks(dataset)
    done = segment(dataset, tiny_model, "--tissue", "auto")
    assert "no tissue can be told from glass" in done.stderr
    for kind, labels in masks(dataset).items():
        assert labels.max() > 5
        pairs = set(zip(labels[labels > 0].tolist(), whole[kind][labels > 0].tolist(), strict=True))
        assert len(pairs) == labels.max()
        assert all((labels == one).sum() == (whole[kind] == other).sum() for one, other in pairs)
        missing = set(np.unique(whole[kind])) - {0} - {other for _, other in pairs}
        assert all(np.nonzero(whole[kind] == one)[1].mean() > TISSUE for one in missing)
    facts = Ledger(dataset / "jobs", "slide").facts("segmentation")
    assert 0.25 < facts["tissue"]["skipped"] < 0.7
    page = (dataset / "REPORTS" / "slide_report.html").read_text(encoding="utf-8")
    assert "Red is what was taken for glass" in page
    assert re.search(r"Tissue \d+ \d+ 0.0\d+", " ".join(re.sub("<[^>]*>", " ", page).split()))
    assert segment(dataset, tiny_model, "--tissue", "auto").statuses == {"slide": "kept", "blank": "kept"}


def test_a_threshold_is_a_factor(tmp_path):
    refused = run_command("segment", "--tissue", "auto", "--tissue_threshold", "0", "workspace", tmp_path)
    refused.explains("threshold of tissue is 0", "a factor above 0")
