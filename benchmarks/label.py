"""Seconds of processor time a megapixel for labelling, step by step, beside scikit-image on the same maps.

Usage: python benchmarks/label.py MAPS.npz [--side 2048] [--repeats 3]

MAPS.npz holds ``whole_cell_maxima``, ``whole_cell_interior``, ``nuclear_maxima`` and ``nuclear_interior``; they are
mirrored and repeated up to the side asked for, with a trace of noise, since scikit-image breaks the ties of mirrored
markers in no order. scikit-image must be installed.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.morphology import disk, h_maxima
from skimage.segmentation import relabel_sequential, watershed

from benchmarks.whole_image import label_image
from cellscale.label.block import label_block
from cellscale.label.kernels import FREE, OUTSIDE, Frame, flood, mark, seed_open_sides
from cellscale.label.maps import read_maps
from cellscale.label.mosaic import Mosaic
from cellscale.label.numbering import finish_block, resolve_objects
from cellscale.label.objects import merge_objects
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.regions import Region, blocks

Map = NDArray[np.float32]
TILE, HALO, BLOCK = (512, 512), 32, (1024, 1024)


class Stopwatch:
    """Processor time by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time of a with block to the step ``name``."""
        start = time.process_time()
        yield
        self.seconds[name] += time.process_time() - start


def with_scikit_image(maxima: Map, interior: Map, parameters: Parameters, watch: Stopwatch) -> NDArray[np.int32]:
    with watch.step("smooth"):
        interior = ndimage.gaussian_filter(interior, parameters.interior_smoothing)
    with watch.step("markers"):
        footprint = disk(parameters.radius)
        markers = label(h_maxima(maxima, h=parameters.maxima_threshold, footprint=footprint))
    with watch.step("watershed"):
        labels = watershed(-interior, markers, mask=interior > np.float32(parameters.interior_threshold))
    with watch.step("objects, holes, numbering"):
        labels[np.bincount(labels.ravel())[labels] < parameters.small_objects] = 0
        filled = labels.copy()
        for properties in regionprops(labels):
            if properties.euler_number < 1:
                patch = filled[properties.slice]
                regions, _ = ndimage.label(patch != properties.label)
                small = (np.bincount(regions.ravel()) < parameters.holes)[regions] & (regions > 0)
                patch[small] = properties.label
        return relabel_sequential(filled)[0]


def with_cellscale(maxima: Map, interior: Map, parameters: Parameters, watch: Stopwatch) -> NDArray[np.int32]:
    """Run all blocks; the steps inside a block are timed in a second run over the same tiles."""
    shape = (maxima.shape[0], maxima.shape[1])

    def read(region: Region) -> tuple[Map, Map]:
        return maxima[region.slices], interior[region.slices]

    with watch.step("all"):
        labelled = [label_block(read, core, shape, parameters, halo=HALO) for core in blocks(shape, BLOCK)]
        objects = merge_objects(block.objects for block in labelled)
        mosaic = Mosaic(shape, BLOCK, labelled.__getitem__)
        resolution = resolve_objects([objects], mosaic.identities, shape, parameters)
        labels = np.empty(shape, np.int32)
        for block in labelled:
            labels[block.core.slices] = finish_block(block, resolution)
    time_steps(read, shape, parameters, watch)
    return labels


def time_steps(
    read: Callable[[Region], tuple[Map, Map]], shape: tuple[int, int], parameters: Parameters, watch: Stopwatch
) -> None:
    for core in blocks(shape, BLOCK):
        with watch.step("smooth"):
            read_maps(read, core.grown(HALO, shape), shape, parameters)
    for tile in blocks(shape, TILE):
        frame = Frame(tile.grown(HALO, shape), shape, parameters.radius)
        maps = read_maps(read, frame.region, shape, parameters)
        values = frame.padded(maps.interior, beyond=-np.inf)
        inside = values > np.float32(parameters.interior_threshold)
        labels = np.where(inside, np.int32(FREE), np.int32(OUTSIDE))
        with watch.step("markers"):
            mark(maps.maxima, labels, frame, parameters.maxima_threshold, radius=parameters.radius)
        seed_open_sides(labels, frame)
        with watch.step("watershed"):
            flood(values, labels)
    known = watch.seconds["smooth"] + watch.seconds["markers"] + watch.seconds["watershed"]
    watch.seconds["objects, holes, numbering"] = watch.seconds["all"] - known


def tiled(values: Map, side: int) -> Map:
    mirrored = np.block([[values, values[:, ::-1]], [values[::-1], values[::-1, ::-1]]])
    times = [-(-side // length) for length in mirrored.shape]
    noise = np.random.default_rng(0).random((side, side), np.float32) * np.float32(1e-4)
    return np.tile(mirrored, times)[:side, :side] + noise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maps", type=Path)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with np.load(options.maps) as arrays:
        for name, parameters in (("whole_cell", WHOLE_CELL), ("nuclear", NUCLEUS)):
            maps = tuple(tiled(arrays[f"{name}_{kind}"], options.side) for kind in ("maxima", "interior"))
            label_image(*(values[:300, :300] for values in maps), parameters)
            compare(name, maps, parameters, options.repeats)


def compare(name: str, maps: tuple[Map, ...], parameters: Parameters, repeats: int) -> None:
    fastest: dict[str, dict[str, float]] = {}
    labels = []
    for run in (with_cellscale, with_scikit_image):
        watches = [Stopwatch() for _ in range(repeats)]
        labels.append([run(*maps, parameters, watch) for watch in watches][-1])
        steps = watches[0].seconds
        fastest[run.__name__] = {
            step: min(watch.seconds[step] for watch in watches) for step in steps if step != "all"
        }
    megapixels = maps[0].size / 1e6
    same = np.mean(labels[0] == labels[1])
    print(
        f"{name}: {maps[0].shape[0]} x {maps[0].shape[1]}, {labels[0].max()} objects, {same:.6%} of pixels the same"
    )
    ours, theirs = fastest["with_cellscale"], fastest["with_scikit_image"]
    for step, seconds in [*theirs.items(), ("total", sum(theirs.values()))]:
        own = ours.get(step, sum(ours.values())) / megapixels
        other = seconds / megapixels
        print(f"  {step:26} {own:8.4f} s/Mpx   scikit-image {other:8.4f} s/Mpx   {other / own:6.1f} times as fast")


if __name__ == "__main__":
    main()
