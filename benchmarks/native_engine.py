"""Processor time and labels of ``--device cpu:native`` against ``cpu:onnxruntime``, in pairs in one run.

Usage, from the root: ``python -m benchmarks.native_engine [--golden FOLDER] [--images FOLDER] [--seeds N]``.
Needs the Mesmer weights. Each tile is computed by both networks in turn, with one thread each; the ratio is the
median over the tiles of one's processor time by the other's, so that other work of the machine matters little.
Labels are compared on the preprocessed images of ``--golden``, on the images of ``--images`` and on simulated tissue.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.agreement import agreement
from benchmarks.precision import golden, labels_of, simulated, tiles_of
from cellscale.images.open import open_image
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume import RunState
from cellscale.pipeline.segmenting import network_input, prepare
from cellscale.predict.choice import NetworkRequest, open_network
from cellscale.predict.devices import parse_device
from cellscale.predict.heads import COMPARTMENTS
from cellscale.predict.network import Network
from cellscale.regions import Region
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model

ENGINES = ("onnxruntime", "native")


def prepared(path: Path, folder: Path) -> NDArray[np.float32]:
    """Return an image as the network sees it, float32 ``(2, rows, columns)``."""
    run = ImageRun(path.name, ignore, Budget.choose(1))
    with closing(open_image(path)) as image:
        source = network_input(image, pixel_size=choose_pixel_size(image.info, 0.5))
        found = prepare(run, RunState(folder / path.name), source)
        return found.read(Region(0, 0, *found.shape))


def seconds(network: Network, tile: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Return a tile's maps and the processor time that they took."""
    start = time.process_time()
    maps = network.predict(tile)
    return maps[0], time.process_time() - start


def compare(networks: dict[str, Network], name: str, pixels: NDArray[np.float32]) -> list[float]:
    """Print how far the labels of one image agree; return the ratio of processor times of each tile."""
    maps: dict[str, dict] = {engine: {} for engine in ENGINES}
    ratios = []
    difference = 0.0
    for place, tile in tiles_of(pixels):
        taken = {}
        for engine in ENGINES:
            maps[engine][place], taken[engine] = seconds(networks[engine], tile)
        ratios.append(taken["onnxruntime"] / taken["native"])
        difference = max(difference, float(np.abs(maps["native"][place] - maps["onnxruntime"][place]).max()))
    expected, found = (labels_of(pixels, maps[engine]) for engine in ENGINES)
    for compartment, true, labels in zip(COMPARTMENTS, expected, found, strict=True):
        got = agreement(true, labels, 0.9)
        wrong = got.false_positives + got.false_negatives
        f1 = 2 * got.true_positives / max(2 * got.true_positives + wrong, 1)
        print(
            f"{name}, {compartment}: {true.max()} objects, F1 at 0.9 {f1:.6f}, {np.sum(true != labels)} of "
            f"{true.size} pixels differ; largest difference of maps {difference:.2e}, {len(ratios)} tiles",
            flush=True,
        )
    return ratios


def images(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the images that are asked for, prepared, with their names."""
    if options.golden:
        for number, pixels in enumerate(golden(options.golden), 1):
            yield f"golden image {number}", pixels
    for path in sorted(options.images.iterdir()) if options.images else ():
        yield path.name, prepared(path, folder)
    for seed in range(options.seeds):
        yield f"simulated tissue {seed}", simulated(folder, seed, options.size)


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--size", type=int, default=1536)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    model = installed_model(MESMER).path
    networks = {
        engine: open_network(NetworkRequest(model=model, device=parse_device(f"cpu:{engine}"), threads=1))
        for engine in ENGINES
    }
    blank = np.zeros((1, 256, 256, 2), np.float32)
    for network in networks.values():
        network.predict(blank)  # compiles and takes memory
    ratios: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, pixels in images(options, Path(scratch)):
            ratios += compare(networks, name, pixels)
    low, middle, high = np.percentile(ratios, (10, 50, 90))
    print(f"native is {middle:.2f} times as fast ({low:.2f} to {high:.2f} for 80 % of {len(ratios)} tiles)")


if __name__ == "__main__":
    main()
