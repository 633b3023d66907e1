"""What the network's surroundings cost: session settings in pairs, and how fast a device could be fed and emptied.

Usage, from the project's root: ``python -m benchmarks.devices [settings] [feeding] [--size 8192] [--workers 2]``.

- ``settings``: seconds a tile of Mesmer on this processor for settings of ONNX Runtime, each timed in turn with the
  ones in use; needs the weights.
- ``feeding``: tiles a second that preprocessing, the prediction loop and the store of tiles sustain where the network
  answers at once, step by step and together. A device that computes fewer tiles a second is kept busy.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from cellscale.ordered import in_order
from cellscale.pipeline.resume import RunState
from cellscale.pipeline.segmenting import PreparedImage, TileGroups, TileStore, predict_groups
from cellscale.predict.heads import MESMER_HEADS
from cellscale.predict.network import Computation
from cellscale.predict.onnx_file import INPUT, MAPS, model_content
from cellscale.predict.tiles import TileGrid
from cellscale.preprocess.equalise import ChannelFacts, equalise, level_range, merged_range
from cellscale.preprocess.statistics import channel_statistics
from cellscale.regions import Region, covering
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model

Setting = Callable[[onnxruntime.SessionOptions], None]


def with_entry(key: str, value: str) -> Setting:
    return lambda options: options.add_session_config_entry(key, value)


def with_attribute(name: str, value: object) -> Setting:
    return lambda options: setattr(options, name, value)


SETTINGS: dict[str, Setting] = {
    "as used": lambda options: None,
    "threads do not spin": with_entry("session.intra_op.allow_spinning", "0"),
    "no memory arena": with_attribute("enable_cpu_mem_arena", False),
    "no memory pattern": with_attribute("enable_mem_pattern", False),
    "extended optimisation only": with_attribute(
        "graph_optimization_level", onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    ),
    "no prepacked weights": with_entry("session.disable_prepacking", "1"),
    "denormals are zero": with_entry("session.set_denormal_as_zero", "1"),
}


def settings(repeats: int) -> None:
    content = model_content(installed_model(MESMER).path, MESMER_HEADS)
    tile = np.random.default_rng(0).random((1, 256, 256, 2), np.float32)
    sessions = {}
    for name, change in SETTINGS.items():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        change(options)
        sessions[name] = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        sessions[name].run([MAPS], {INPUT: tile})
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(repeats):
        for name, session in sessions.items():
            start = time.thread_time()
            session.run([MAPS], {INPUT: tile})
            seconds[name].append(time.thread_time() - start)
    usual = float(np.median(seconds["as used"]))
    for name, taken in seconds.items():
        print(f"{name:28} {np.median(taken):7.4f} s of processor time a tile, {np.median(taken) / usual:5.2f}")


MOST_TILES = 80
"""Tiles that a network is given at once here: a batch of 64 and what its last group has too many."""


class AtOnce:
    """A network that answers at once."""

    name, heads, computation = "at once", MESMER_HEADS, Computation()

    def __init__(self, batch_size: int, calls: int) -> None:
        self.batch_size, self.calls = batch_size, calls
        self._maps = np.random.default_rng(0).random((MOST_TILES, 256, 256, 4), np.float32)

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return maps that have nothing to do with the tiles."""
        return self._maps[: len(batch)]


def prepared_image(size: int) -> PreparedImage:
    """Return noise with its statistics, to be equalised as it is read."""
    pixels = np.random.default_rng(0).integers(0, 60000, (size, size), np.uint16)

    def read(region: Region) -> NDArray[np.uint16]:
        return pixels[region.slices]

    part = pixels[:2048, :2048]
    statistics = channel_statistics(lambda function: iter([function(part)]), pixels.dtype)
    equalised = equalise(read, Region(0, 0, 1024, 1024), (size, size), statistics)
    low, high = merged_range(iter([level_range(equalised)]))
    facts = ChannelFacts(**asdict(statistics), equalised_minimum=low, equalised_maximum=high)
    return PreparedImage((read, read), (facts, facts), (size, size))


def clocks() -> tuple[float, float]:
    """Return the time and the processor time of all threads."""
    return time.perf_counter(), time.process_time()


def feeding(size: int, workers: int, calls: int) -> None:
    image = prepared_image(size)
    grid = TileGrid.of(image.shape)
    groups = TileGroups(grid)

    def region(group: tuple[int, int]) -> Region:
        return covering([grid.region(*place) for place in groups.tiles(group)])

    def report(name: str, start: tuple[float, float]) -> None:
        seconds, busy = (now - then for now, then in zip(clocks(), start, strict=True))
        print(
            f"{name:52} {grid.count / seconds:7.0f} tiles/s, {size * size / 1e6 / seconds:6.1f} Mpx/s, "
            f"{1000 * busy / grid.count:6.2f} ms of processor time a tile",
            flush=True,
        )

    image.read(region((0, 0)))  # compile
    start = clocks()
    for _ in in_order(lambda group: image.read(region(group)), list(groups), workers):
        pass
    report(f"preprocessing alone, {workers} workers", start)
    blank = np.random.default_rng(0).random((2, size, size), np.float32)
    for name, read in (
        ("the loop and the store alone", lambda part: blank[(slice(None), *part.slices)]),
        ("all", image.read),
    ):
        with tempfile.TemporaryDirectory() as folder:
            store, network = TileStore(RunState(Path(folder)), groups, 4), AtOnce(64, calls)
            start = clocks()
            predict_groups(store, network, read, workers=workers, after_each=lambda _: None)
            report(f"{name}, {workers} workers, {calls} calls", start)


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["settings", "feeding"])
    parser.add_argument("--size", type=int, default=8192)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--calls", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=12)
    options = parser.parse_args()
    if "settings" in options.what:
        settings(options.repeats)
    if "feeding" in options.what:
        feeding(options.size, options.workers, options.calls)


if __name__ == "__main__":
    main()
