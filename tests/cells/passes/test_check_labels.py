"""Masks whose labels are no single cells are refused before they are measured; masks of cells never are."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cellscale.cells.label_table import LabelTable
from cellscale.cells.measure import measure
from cellscale.cells.passes.check_labels import PIXEL_BYTES, check_places, check_sizes
from cellscale.cells.scratch_arrays import Scratch
from cellscale.errors import MaskError
from tests.cells.scenes import measured, reader
from tests.cells.test_label_table import surveyed
from tests.patience import HANGS

SIDE = 3000


def grid_of_cells(side=SIDE, pitch=30, size=12):
    """Return square cells, numbered from the top left."""
    count = side // pitch
    labels = np.zeros((side, side), np.uint32)
    numbers = np.arange(1, count * count + 1, dtype=np.uint32).reshape(count, count)
    corners = np.arange(count) * pitch
    for dy in range(size):
        for dx in range(size):
            labels[np.ix_(corners + dy, corners + dx)] = numbers
    return labels


def with_far_pieces(labels, share):
    """Give some of the cells, drawn at random, the labels of others, so that those lie in two places each."""
    rng = np.random.default_rng(0)
    count = int(labels.max())
    pairs = rng.permutation(np.arange(1, count + 1))[: 2 * int(share * count)].reshape(2, -1)
    numbers = np.arange(count + 1, dtype=np.uint32)
    numbers[pairs[0]] = pairs[1]
    return numbers[labels]


def checked(labels):
    check_places(surveyed(labels, labels).cells, "whole-cell", labels.shape, Scratch())


def table_of(labels, boxes, pixels=150):
    boxes = np.asarray(boxes, np.int64)
    return LabelTable(np.asarray(labels, np.int64), np.full(len(boxes), pixels, np.int64), boxes)


def checked_table(table, shape, name="whole-cell"):
    check_places(table, name, shape, Scratch())


def wrapped(cells, bits, side):
    """Return the labels of so many cells, in a square of this side, after they were saved with so few bits."""
    across = int(np.ceil(np.sqrt(cells)))
    pitch = side // across
    numbers = np.arange(1, cells + 1)
    top, left = (numbers - 1) // across * pitch, (numbers - 1) % across * pitch
    labels = numbers % 2**bits
    order = np.argsort(labels, kind="stable")
    first = np.flatnonzero(np.diff(labels[order], prepend=-1))
    bounds = [
        reduce.reduceat(values[order], first)
        for reduce, values in (
            (np.minimum, top), (np.minimum, left), (np.maximum, top + 12), (np.maximum, left + 12),
        )
    ]  # fmt: skip
    unique = labels[order][first]
    return table_of(unique[unique > 0], np.stack(bounds, axis=1)[unique > 0])


@pytest.mark.parametrize(("cells", "side"), [(65_600, 5_000), (66_000, 10_000), (100_000, 10_000), (500_000, 30_000)])
def test_numbers_that_began_again_after_16_bits_are_refused(cells, side):
    table = wrapped(cells, 16, side)
    with pytest.raises(MaskError, match=r"of the 65,535 labels of the nucleus mask .* uint16 .* int32 or uint32"):
        checked_table(table, (side, side), "nucleus")


def test_numbers_that_stay_below_are_cells():
    checked_table(wrapped(65_535, 16, 10_000), (10_000, 10_000))
    checked_table(wrapped(500_000, 32, 30_000), (30_000, 30_000))


def test_numbers_that_began_again_after_8_bits_are_refused_before_measuring():
    labels = grid_of_cells() % 256
    with pytest.raises(MaskError, match=r"255 of the 255 labels of the whole-cell mask appear in places far apart"):
        measure(
            cells=reader(labels), nuclei=None, channels=[], channel_names=[], shape=labels.shape, image_name="wrapped"
        )


def test_a_mask_labelled_tile_by_tile_is_refused():
    tile = grid_of_cells(1000)
    with pytest.raises(MaskError, match="tile by tile"):
        checked(np.tile(tile, (3, 3)))


def test_numbers_cut_off_at_65535_are_refused():
    table = wrapped(65_535, 16, 10_000)
    table.boxes[-1] = (0, 0, 10_000, 10_000)
    table.pixels[-1] = 5_000_000
    with pytest.raises(MaskError, match="1 of the 65,535 labels"):
        checked_table(table, (10_000, 10_000))


@pytest.mark.slow
@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.05])
def test_cells_in_pieces_anywhere_are_no_reason(share):
    checked(with_far_pieces(grid_of_cells(), share))


def test_all_cells_in_pieces_close_together_are_no_reason():
    labels = grid_of_cells(pitch=15, size=6)
    count = SIDE // 15
    numbers = np.arange(count * count + 1, dtype=np.uint32)
    numbers[1:] = (numbers[1:] + 1) // 2
    checked(numbers[labels])


def test_few_cells_in_far_pieces_are_measured():
    labels = with_far_pieces(grid_of_cells(2400, 200), 0.06)
    with measured(labels, None, np.ones((1, *labels.shape), np.float32)) as measurement:
        (batch,) = measurement.batches(1000)
        assert len(batch) == len(np.unique(labels)) - 1
        assert (measurement.cells.parts == 2).sum() == 8


def test_large_objects_are_no_reason():
    labels = np.repeat(np.arange(1, 13, dtype=np.uint32), SIDE // 12)[:, None] * np.ones((1, SIDE), np.uint32)
    labels[:, ::7] = 13
    checked(labels)


@pytest.mark.parametrize("side", [30_000, 100_000])
def test_what_would_take_fifty_times_as_long_is_refused_however_many_cells_there_are(side):
    cells = np.arange(1, 1_000_001)
    boxes = np.tile(np.array([0, 0, 12, 12]), (len(cells), 1))
    boxes[::20_000, 2:] = side
    checked_table(table_of(cells, boxes), (side, side))
    boxes[::10_000, 2:] = side
    with pytest.raises(MaskError, match="100 of the 1,000,000 labels"):
        checked_table(table_of(cells, boxes), (side, side))


def test_a_mask_without_labels_is_one():
    checked(np.zeros((10, 10), np.uint32))


BUDGET = 1_500_000_000


def test_a_background_with_a_label_is_refused_beyond_what_fits_in_memory():
    labels = grid_of_cells(5000, 100) + np.uint32(1)
    with pytest.raises(
        MaskError, match=r"label 1 of the whole-cell mask takes 5,000 x 5,000 .* background.* 1\.9 GB"
    ):
        measured(labels, None, memory=BUDGET)


def test_a_large_object_is_measured_where_it_fits():
    labels = np.ones((1500, 1500), np.uint32)
    with measured(labels, None, np.ones((1, 1500, 1500), np.float32), memory=BUDGET) as measurement:
        (batch,) = measurement.batches(10)
        assert len(batch) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted in other units, or not at all")
def test_memory_of_a_label_as_large_as_the_image_is_what_is_promised():
    """Measured in a process of its own, whose peak nothing else can raise."""
    code = (
        "import resource, numpy as np\n"
        "from tests.cells.scenes import measured\n"
        "channels = np.ones((6, 1, 1), np.uint16) * np.arange(5000, dtype=np.uint16)\n"
        "views = [np.broadcast_to(one, (5000, 5000)) for one in channels]\n"
        "labels = np.broadcast_to(np.uint32(1), (5000, 5000))\n"
        "measured(np.ones((9, 9), np.uint32), np.ones((9, 9), np.uint32), [np.ones((9, 9), np.uint16)]).close()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "measured(labels, labels, views).close()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=HANGS,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert int(done.stdout) * 1024 < PIXEL_BYTES * 5000**2


@pytest.mark.parametrize("memory", [None, 10**15])
@pytest.mark.parametrize(("pixels", "guess"), [(2_400_000_000, "background"), (300, "several cells")])
def test_what_no_index_can_count_is_refused_whatever_the_memory(memory, pixels, guess):
    table = table_of([1, 2], [[0, 0, 12, 12], [0, 0, 50_000, 50_000]], pixels)
    with pytest.raises(MaskError, match=rf"label 2 of the nucleus mask takes 50,000 x 50,000 .*{guess}.*2\^31"):
        check_sizes(table, "nucleus", Scratch(), memory)
    check_sizes(table_of([1], [[0, 0, 46_000, 46_000]]), "nucleus", Scratch(), memory)
