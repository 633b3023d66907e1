"""Tiles on disk: made where they are needed, dropped when nobody needs them any more, made again for latecomers."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from cellscale.errors import DamagedStateError
from cellscale.images.info import Channel, ImageInfo, PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Advanced, StageStarted
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting import predict_and_label
from cellscale.pipeline.segmenting.block_store import BLOCK
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.pipeline.segmenting.prediction import predict_group, predict_groups
from cellscale.pipeline.segmenting.tile_store import SURROUNDINGS, TileGroups, TileStore, unit
from cellscale.predict.network import OnnxNetwork
from cellscale.predict.tiles import TileGrid, tile_input
from cellscale.regions import blocks
from tests.pipeline.segmenting.test_prediction import Sums, reader

SHAPE = (2600, 1500)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).random((2, *SHAPE), np.float32)


@pytest.fixture
def groups():
    return TileGroups(TileGrid.of(SHAPE))


def store_of(tmp_path, groups, noise, users=None, capacity=1):
    store = TileStore(RunState(tmp_path), groups, capacity, users)
    store.predict = partial(predict_group, store, Sums(), reader(noise))
    return store


def on_disk(tmp_path):
    return {path.stem for path in (tmp_path / "tiles").glob("*.npz")}


def predict(store, noise, network, **options):
    predict_groups(store, network, reader(noise), workers=1, after_each=lambda _: None, **options)


def require_right(store, noise, row, column):
    expected = tile_input(reader(noise), store.groups.grid, row, column).sum(axis=-1)
    np.testing.assert_array_equal(store.read(row, column)[..., 0], expected)


def test_groups_near_a_block_hold_every_tile_that_shows_it_or_its_surroundings(groups):
    for core in blocks(SHAPE, (BLOCK, BLOCK)):
        tiles = groups.grid.touching(core.grown(SURROUNDINGS, SHAPE))
        assert set(groups.near(core)) == {groups.slot(*tile)[0] for tile in tiles}


def test_what_nobody_needs_is_not_predicted(tmp_path, noise, groups):
    store = store_of(tmp_path, groups, noise, [[(0, 0)], [(0, 0), (1, 1)]])
    assert store.missing == [(0, 0), (1, 1)]
    predict(store, noise, Sums())
    assert on_disk(tmp_path) == {"0_0", "1_1"}


def test_what_nobody_needs_any_more_goes(tmp_path, noise, groups):
    users = [[(0, 0), (0, 1)], [(0, 1), (1, 1)]]
    store = store_of(tmp_path, groups, noise, users)
    predict(store, noise, Sums())
    store.finish(users[0])
    assert on_disk(tmp_path) == {"0_1", "1_1"}
    store.finish(users[1])
    assert on_disk(tmp_path) == set()


@pytest.mark.slow
def test_what_a_killed_run_left_and_nobody_needs_goes_at_once(tmp_path, noise, groups):
    predict(store_of(tmp_path, groups, noise), noise, Sums())
    assert store_of(tmp_path, groups, noise, [[(1, 0)]]).missing == []
    assert on_disk(tmp_path) == {"1_0"}


def test_what_was_dropped_is_predicted_again_where_it_is_read(tmp_path, noise, groups):
    store = store_of(tmp_path, groups, noise, [[(0, 0)]])
    predict(store, noise, Sums())
    store.finish([(0, 0)])
    require_right(store, noise, 1, 2)
    require_right(store, noise, 9, 5)  # of a group that nobody ever needed


def test_nothing_goes_once_somebody_needs_more_than_was_said(tmp_path, noise, groups):
    store = store_of(tmp_path, groups, noise, [[(0, 0)], [(0, 1)]])
    predict(store, noise, Sums())
    store.keep_all()
    store.finish([(0, 0)])
    assert on_disk(tmp_path) == {"0_0", "0_1"}


@pytest.mark.slow
def test_a_group_that_is_missing_though_nobody_dropped_it_is_damage(tmp_path, noise, groups):
    store = store_of(tmp_path, groups, noise)
    predict(store, noise, Sums())
    store.state.forget(unit((1, 0)))
    with pytest.raises(DamagedStateError, match="tiles/1_0"):
        store.read(4, 0)


@pytest.mark.slow
def test_prediction_keeps_few_groups_ahead_of_those_who_read(tmp_path, noise, groups):
    users = [[group] for group in groups]
    store = store_of(tmp_path, groups, noise, users)
    most = []

    def read_all():
        for group in groups:
            store.read(*groups.tiles(group)[0])
            most.append(len(on_disk(tmp_path)))
            store.finish([group])

    readers = threading.Thread(target=read_all)
    readers.start()
    predict(store, noise, Sums(batch_size=1), ahead=2)
    readers.join(60)
    assert not readers.is_alive()
    assert len(groups) > 4
    assert max(most) <= 2 + 1  # the one that is waited for comes on top
    assert on_disk(tmp_path) == set()


def test_prediction_that_waits_for_readers_hears_of_their_failure(tmp_path, noise, groups):
    store = store_of(tmp_path, groups, noise, [[group] for group in groups])
    timer = threading.Timer(0.2, store.fail, [MemoryError()])
    timer.start()
    with pytest.raises(MemoryError):
        predict(store, noise, Sums(batch_size=1), ahead=2)
    timer.join()


LONG = (16_000, 608)
SPACING = 32


class Dots:
    """A long image of dots, made where it is read."""

    def __init__(self):
        channels = (Channel(0, "DAPI"), Channel(1, "Membrane"))
        self.info = ImageInfo("long", None, *LONG, np.dtype(np.uint8), channels, PixelSize(0.5, 0.5))

    def read(self, channels, region, level=0):
        rows, columns = np.ogrid[region.top : region.bottom, region.left : region.right]
        distance = np.hypot(rows % SPACING - SPACING // 2, columns % SPACING - SPACING // 2)
        dots = (np.clip(9 - distance, 0, None) * 20).astype(np.uint8)
        return np.broadcast_to(dots, (len(channels), *region.shape))

    def close(self):
        pass


@pytest.mark.slow
def test_a_long_image_has_no_more_tiles_on_disk_than_its_width_needs(tmp_path, tiny_model):
    image = Dots()
    groups = TileGroups(TileGrid.of(LONG))
    counts = []

    def listen(event):
        if isinstance(event, Advanced) and event.stage == "labels":
            counts.append(len(on_disk(tmp_path)))

    run = ImageRun("long", listen, Budget.choose(2, 3 * 10**9))
    source = network_input(image, pixel_size=choose_pixel_size(image.info))
    parameters = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}
    labels = segment_channels(run, RunState(tmp_path), source, OnnxNetwork(tiny_model), parameters)
    assert labels["nuclear"].count == (LONG[0] // SPACING) * (LONG[1] // SPACING)
    assert len(counts) == 2 * len(list(blocks(LONG, (BLOCK, BLOCK))))
    assert max(counts) <= groups.held + 2 < len(groups) / 1.5


def test_a_group_that_is_read_while_it_goes_is_no_damage(tmp_path, noise, groups, monkeypatch):
    store = store_of(tmp_path, groups, noise, [[(0, 0)]])
    predict(store, noise, Sums())
    retire, going = store.state.retire, threading.Event()

    def slow(name):
        going.set()
        time.sleep(0.3)
        retire(name)

    monkeypatch.setattr(store.state, "retire", slow)
    finishing = threading.Thread(target=store.finish, args=[[(0, 0)]])
    finishing.start()
    assert going.wait(10)
    require_right(store, noise, 0, 0)
    finishing.join(10)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_an_error_before_the_prediction_begins_ends_the_run(tmp_path, tiny_model):
    def refuse(event):
        if isinstance(event, StageStarted) and event.stage == "network":
            raise OSError("the disk of the log is full")

    run = ImageRun("long", refuse, Budget.choose(2, 3 * 10**9))
    source = network_input(Dots(), pixel_size=choose_pixel_size(Dots().info))
    parameters = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}
    with pytest.raises(OSError, match="disk of the log"):
        segment_channels(run, RunState(tmp_path), source, OnnxNetwork(tiny_model), parameters)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_stop_while_blocks_are_handed_out_ends_those_that_wait_for_tiles(tmp_path, tiny_model, monkeypatch):
    class Stopped(ThreadPoolExecutor):
        def submit(self, *arguments):
            if self._thread_name_prefix == "cellscale-label" and self._threads:
                time.sleep(0.3)  # the first block waits by now
                raise KeyboardInterrupt
            return super().submit(*arguments)

    monkeypatch.setattr(predict_and_label, "ThreadPoolExecutor", Stopped)
    run = ImageRun("long", lambda event: None, Budget.choose(2, 3 * 10**9))
    source = network_input(Dots(), pixel_size=choose_pixel_size(Dots().info))
    parameters = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}
    with pytest.raises(KeyboardInterrupt):
        segment_channels(run, RunState(tmp_path), source, OnnxNetwork(tiny_model), parameters)
