"""Devices get whole batches from several callers, blank tiles are predicted once; the maps are the same anyway."""

from threading import Lock

import numpy as np
import pytest

from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.prediction import predict_groups
from cellscale.pipeline.segmenting.tile_store import TileGroups, TileStore
from cellscale.predict.heads import MESMER_HEADS
from cellscale.predict.network import Computation
from cellscale.predict.tiles import TileGrid, tile_input


class Sums:
    """A network whose maps tell which tile they are of, and that notes what it was given."""

    name, heads, computation = "sums", MESMER_HEADS, Computation()

    def __init__(self, batch_size=16, calls=1, fail_after=None):
        self.batch_size, self.calls, self.fail_after = batch_size, calls, fail_after
        self.given = []
        self.most_at_once = self.at_once = 0
        self._lock = Lock()

    def predict(self, batch):
        with self._lock:
            self.given.append(len(batch))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if self.fail_after is not None and len(self.given) > self.fail_after:
                raise MemoryError
        maps = np.stack([batch.sum(axis=-1) * factor for factor in (1, 2, 3, 4)], axis=-1)
        with self._lock:
            self.at_once -= 1
        return maps


def reader(pixels):
    return lambda region: pixels[(slice(None), *region.slices)]


def predicted(folder, pixels, network, workers=2):
    grid = TileGrid.of(pixels.shape[1:])
    store = TileStore(RunState(folder), TileGroups(grid), 4)
    calls = []
    predict_groups(store, network, reader(pixels), workers=workers, after_each=calls.append)
    assert len(calls) == len(store.groups)
    return store


def require_right(store, pixels):
    grid = store.groups.grid
    for row in range(grid.rows.count):
        for column in range(grid.columns.count):
            tile = tile_input(reader(pixels), grid, row, column)
            np.testing.assert_array_equal(store.read(row, column)[..., 3], tile.sum(axis=-1) * 4)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).random((2, 1700, 1500), np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(("batch_size", "calls"), [(1, 1), (16, 1), (16, 3), (40, 2), (1000, 2)])
def test_batches_and_callers_do_not_matter(tmp_path, noise, batch_size, calls):
    network = Sums(batch_size, calls)
    require_right(predicted(tmp_path, noise, network), noise)
    assert network.most_at_once <= calls


@pytest.mark.slow
def test_several_groups_fill_a_batch(tmp_path, noise):
    network = Sums(batch_size=40)
    predicted(tmp_path, noise, network)
    assert sum(network.given) == TileGrid.of(noise.shape[1:]).count
    assert all(given >= 40 for given in network.given[:-1])


@pytest.mark.slow
def test_blank_tiles_are_predicted_once_an_image(tmp_path):
    pixels = np.zeros((2, 3000, 1500), np.float32)
    pixels[1] = 0.25  # blank is not only black
    pixels[:, 100:300, 100:300] = np.random.default_rng(0).random((2, 200, 200), np.float32)
    network = Sums()
    store = predicted(tmp_path, pixels, network, workers=1)
    require_right(store, pixels)
    border = 2 * sum((store.groups.grid.rows.count, store.groups.grid.columns.count))
    assert sum(network.given) <= 4 + border + 1, "what shows something, the border where zeros begin, and one blank"


def test_a_failure_reaches_those_who_wait(tmp_path, noise):
    grid = TileGrid.of(noise.shape[1:])
    store = TileStore(RunState(tmp_path), TileGroups(grid), 4)
    with pytest.raises(MemoryError):
        predict_groups(store, Sums(calls=2, fail_after=1), reader(noise), workers=2, after_each=lambda _: None)
    with pytest.raises(MemoryError):
        store.read(grid.rows.count - 1, grid.columns.count - 1)


def test_what_the_caller_raises_ends_the_prediction(tmp_path, noise):
    store = TileStore(RunState(tmp_path), TileGroups(TileGrid.of(noise.shape[1:])), 4)

    def refuse(_):
        raise ValueError("enough")

    network = Sums()
    with pytest.raises(ValueError, match="enough"):
        predict_groups(store, network, reader(noise), workers=1, after_each=refuse)
    assert len(network.given) == 1


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1)])
def test_a_line_takes_the_tiles_along_it_and_no_more(tmp_path, shape):
    pixels = np.random.default_rng(0).random((2, *shape), np.float32)
    network = Sums()
    require_right(predicted(tmp_path, pixels, network), pixels)
    assert sum(network.given) == 16, "a tile for each 192 pixels that follow the first 256"
