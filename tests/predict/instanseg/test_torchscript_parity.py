"""Labels are those of InstanSeg's own program, where that is at hand."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from cellscale.label.seeds import Classifier, label_seed_block, numbered, numbered_pairs
from cellscale.predict.instanseg import SeedNetwork, SquareGrid, converted, square_input
from cellscale.regions import blocks
from cellscale.simulate.tissue_model import tissue

ARCHIVE = os.environ.get("CELLSCALE_INSTANSEG_TORCHSCRIPT", "")
"""Path of ``instanseg.pt``."""

SHAPE = (500, 610)


@pytest.fixture(scope="module")
def pixels():
    image = tissue(SHAPE, 3, ("DAPI", "Membrane", "CD3")).image.astype(np.float32)
    low, high = np.percentile(image, [0.1, 99.9], axis=(1, 2), keepdims=True)
    return ((image - low) / (high - low + 1e-6)).astype(np.float32)


@pytest.fixture(scope="module")
def originals(pixels):
    """Return labels of nuclei and cells, ``(2, rows, columns)``."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; InstanSeg's own program needs it")
    if not Path(ARCHIVE).is_file():
        pytest.skip("CELLSCALE_INSTANSEG_TORCHSCRIPT does not name InstanSeg's instanseg.pt")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch would rather have no TorchScript
        labels = torch.jit.load(ARCHIVE, map_location="cpu").eval()(torch.from_numpy(pixels[None].copy()))
    return labels.numpy()[0].astype(np.int64)


@pytest.fixture(scope="module")
def found(pixels, originals):
    """Return the same as cellscale finds them, in squares and blocks."""
    with Path(ARCHIVE).open("rb") as stream:
        network = SeedNetwork(converted(stream), name="instanseg")
    seen = np.clip(pixels, -2, 3)
    grid, maps = SquareGrid(SHAPE), np.empty((10, *SHAPE), np.float32)
    for row in range(grid.rows):
        for column in range(grid.columns):
            region = grid.region(row, column)
            square = network.predict(*square_input(lambda part: seen[:, *part.slices], grid, row, column))
            maps[:, *region.slices] = square[:, : region.height, : region.width]
    return labelled(maps, Classifier.of(network.classifier))


def labelled(maps, classifier):
    nuclei, cells = (
        [
            label_seed_block(lambda part, first=first: maps[first : first + 5, *part.slices], core, SHAPE, classifier)
            for core in blocks(SHAPE, (200, 300))
        ]
        for first in (0, 5)
    )
    inner, outer = numbered_pairs(nuclei, cells, zip(nuclei, cells, strict=True))
    both = np.zeros((2, *SHAPE), np.int32)
    for block in nuclei:
        both[0][block.core.slices] = numbered(block.identities(block.core), inner.seeds, inner.labels)
    for block in cells:
        both[1][block.core.slices] = numbered(block.identities(block.core), outer.seeds, outer.labels)
    both[1] = np.where(both[0] > 0, both[0], both[1])
    return both


@pytest.mark.slow
@pytest.mark.parametrize("part", [0, 1], ids=["nuclei", "cells"])
def test_f1_is_at_least_0_999_at_an_iou_of_0_9(found, originals, part):
    assert f1(found[part], originals[part], 0.9) >= 0.999


def f1(ours, theirs, least):
    ours, theirs = ours.ravel().astype(np.int64), theirs.ravel()
    pairs, common = np.unique(ours * (theirs.max() + 1) + theirs, return_counts=True)
    one, other = np.divmod(pairs, theirs.max() + 1)
    sizes, others = np.bincount(ours), np.bincount(theirs)
    shared = common / (sizes[one] + others[other] - common)
    matched = ((shared >= least) & (one > 0) & (other > 0)).sum()
    return 2 * matched / ((sizes[1:] > 0).sum() + (others[1:] > 0).sum())
