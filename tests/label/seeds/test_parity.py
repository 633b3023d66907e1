"""Labels from seeds do not depend on blocks, and are those of the whole image at once."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from cellscale.errors import ImageError
from cellscale.label.seeds import (
    Classifier,
    SeedBlock,
    label_seed_block,
    numbered,
    numbered_alone,
    numbered_pairs,
)
from cellscale.regions import Region, blocks
from tests.label.seeds.oracle import consecutive, whole_image_labels
from tests.predict.seed_network import CLASSIFIER_WEIGHTS

CLASSIFIER = Classifier.of(CLASSIFIER_WEIGHTS)


def judged(features):
    """The classifier's probabilities, in the order in which the kernel adds."""
    first, second, last = (weight.astype(np.float32) for weight in CLASSIFIER.weights)
    hidden = np.maximum(features @ first[:, :4].T + first[:, 4], 0)
    hidden = np.maximum(hidden @ second[:, :5].T + second[:, 5], 0)
    return (1 / (1 + np.exp(-(hidden @ last[:, :5].T + last[:, 5])))).astype(np.float32)[:, 0]


def fields(shape, seed, smooth=3.0, levels=None):
    """Return ten maps with blobs; heights of few levels have plateaus."""
    rng = np.random.default_rng(seed)
    maps = np.zeros((10, *shape), np.float32)
    for part, size in ((0, smooth), (5, smooth + 1)):
        bright = gaussian_filter(rng.random(shape), size, mode="reflect")
        bright = (bright - bright.min()) / max(np.ptp(bright), 1e-9)
        maps[part : part + 2] = gaussian_filter(rng.normal(size=(2, *shape)), (0, 2, 2))
        maps[part + 2] = bright * 1.6
        maps[part + 3] = rng.random(shape) * 0.01
        heights = bright if levels is None else np.round(bright * levels) / levels
        maps[part + 4] = heights * 8
    return maps


def in_blocks(maps, size):
    """Label block by block; return final labels of nuclei and cells, and each alone."""
    shape = maps.shape[1:]
    found = []
    for part in (0, 5):

        def read(region, part=part):
            return maps[(slice(part, part + 5), *region.slices)]

        made = [label_seed_block(read, core, shape, CLASSIFIER) for core in blocks(shape, (size, size))]
        found.append([SeedBlock.from_arrays(block.to_arrays()) for block in made])
    inner, outer = numbered_pairs(*found, zip(*found, strict=True))
    nuclei, cells = painted(found[0], inner, shape), painted(found[1], outer, shape)
    cells = np.where(nuclei > 0, nuclei, cells)
    alone = [painted(every, numbered_alone(every, every), shape) for every in found]
    assert inner.count == nuclei.max()
    assert outer.count == cells.max()
    return nuclei, cells, *alone


def painted(found, numbers, shape):
    labels = np.zeros(shape, np.int32)
    for block in found:
        labels[block.core.slices] = numbered(block.identities(block.core), numbers.seeds, numbers.labels)
    return labels


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    seed=st.integers(0, 2**20),
    smooth=st.sampled_from([1.0, 3.0, 9.0]),
    levels=st.sampled_from([None, 1, 6]),
    size=st.sampled_from([17, 64, 100]),
)
@pytest.mark.slow
def test_any_blocks_give_the_labels_of_the_whole_image(shape, seed, smooth, levels, size):
    maps = fields(shape, seed, smooth, levels)
    at_once, tiled = in_blocks(maps, 1000), in_blocks(maps, size)
    for whole, parts in zip(at_once, tiled, strict=True):
        np.testing.assert_array_equal(whole, parts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "smooth", "levels"), [((150, 130), 3.0, None), ((90, 140), 1.5, 8), ((70, 66), 8, 1)]
)
def test_labels_are_those_of_the_method_on_the_whole_image(shape, smooth, levels):
    maps = fields(shape, 5, smooth, levels)
    expected = whole_image_labels(maps, judged)
    found = in_blocks(maps, 48)
    for one, other in zip(found[:2], expected[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(found[2:], expected[2:], strict=True):
        np.testing.assert_array_equal(one, consecutive(other))
    assert found[1].max() > 3


def test_a_blank_image_has_no_labels():
    for labels in in_blocks(np.zeros((10, 80, 70), np.float32), 64):
        assert not labels.any()


def test_maps_that_are_not_finite_fail_the_image():
    maps = fields((70, 70), 1)
    maps[2, 10, 10] = np.nan
    with pytest.raises(ImageError, match="not finite in rows 0 to 69"):
        in_blocks(maps, 100)


def block(labels, seeds):
    labels = np.array(labels, np.int32)
    seeds = np.array(seeds, np.int64)
    areas = np.bincount(labels.ravel(), minlength=seeds.size + 1)[1:]
    return SeedBlock(Region(0, 0, *labels.shape), labels, seeds, areas, np.empty((0, 3), np.int64))


def paired(nuclei, cells):
    nuclei, cells = (block(labels, range(1, np.max(labels) + 1)) for labels in (nuclei, cells))
    inner, outer = numbered_pairs([nuclei], [cells], [(nuclei, cells)])
    found = painted([nuclei], inner, nuclei.core.shape)
    return found.tolist(), np.where(found > 0, found, painted([cells], outer, cells.core.shape)).tolist()


def test_the_largest_nucleus_has_the_cell_and_others_are_cells_of_their_own():
    nuclei, cells = paired([[1, 0, 2, 2, 0, 3, 0, 0]], [[1, 1, 1, 1, 1, 0, 2, 2]])
    assert nuclei == [[2, 0, 1, 1, 0, 3, 0, 0]]
    assert cells == [[2, 1, 1, 1, 1, 3, 4, 4]]


def test_a_nucleus_with_half_of_it_in_a_cell_has_none():
    nuclei, cells = paired([[1, 1, 0, 2, 0]], [[0, 1, 1, 2, 2]])
    assert nuclei == [[2, 2, 0, 1, 0]]
    assert cells == [[2, 2, 3, 1, 1]]


def test_of_two_nuclei_of_one_size_the_first_has_the_cell():
    assert paired([[1, 0, 2]], [[1, 1, 1]]) == ([[1, 0, 2]], [[1, 1, 2]])


def test_where_no_nucleus_belongs_to_a_cell_nothing_is_found():
    assert paired([[1, 0, 0]], [[0, 1, 1]]) == ([[0, 0, 0]], [[0, 0, 0]])


@pytest.mark.parametrize(
    ("nuclei", "cells", "expected"),
    [([[0, 1]], [[0, 0]], ([[0, 1]], [[0, 1]])), ([[0, 0]], [[1, 1]], ([[0, 0]], [[1, 1]]))],
)
def test_one_compartment_alone_is_kept(nuclei, cells, expected):
    assert paired(nuclei, cells) == expected


def test_a_classifier_of_another_size_is_refused():
    with pytest.raises(ValueError, match="61 finite weights; 60 were given"):
        Classifier.of(np.zeros(60, np.float32))
