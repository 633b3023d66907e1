"""Processor time and labels of ``--device cpu:native`` against ``cpu:onnxruntime``, in turns in one run.

Usage, from the root: ``python -m benchmarks.native_engine [--bf16] [--golden FOLDER] [--images FOLDER] [--seeds N]``.
Needs the Mesmer weights. Each four tiles, as a lane of a run has them, are computed by all networks in turn, with one
thread each; a ratio is the median of one's processor time by the other's, so that other work of the machine matters
little; ``--together 1`` gives them one at a time. ``--bf16`` adds the kernels with ``--precision bf16``. Maps and
labels are compared with those of ONNX Runtime in float32, on the preprocessed images of ``--golden``, on those of
``--images`` and on simulated tissue.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.agreement import Agreement, agreement, matched_pixel_share
from benchmarks.precision import golden, labels_of, simulated, tiles_of
from cellscale.images.open import open_image
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume import RunState
from cellscale.pipeline.segmenting import network_input, prepare
from cellscale.predict.choice import NetworkRequest, open_network
from cellscale.predict.devices import Precision, parse_device
from cellscale.predict.heads import COMPARTMENTS
from cellscale.predict.network import Network
from cellscale.regions import Region
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model

FIRST = "onnxruntime"
"""What the others are compared with."""

Found = dict[tuple[str, float], list[Agreement]]
"""Agreements of images by what they are of, and the intersection over union from which on objects match."""


def prepared(path: Path, folder: Path) -> NDArray[np.float32]:
    """Return an image as the network sees it, float32 ``(2, rows, columns)``."""
    run = ImageRun(path.name, ignore, Budget.choose(1))
    with closing(open_image(path)) as image:
        source = network_input(image, pixel_size=choose_pixel_size(image.info, 0.5))
        found = prepare(run, RunState(folder / path.name), source)
        return found.read(Region(0, 0, *found.shape))


def opened(engine: str, precision: Precision) -> Network:
    """Return the network on a processor, with one thread."""
    device = parse_device(f"cpu:{engine}")
    return open_network(
        NetworkRequest(model=installed_model(MESMER).path, device=device, precision=precision, threads=1)
    )


def seconds(network: Network, tiles: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Return tiles' maps and the processor time that they took."""
    start = time.process_time()
    maps = network.predict(tiles)
    return maps, time.process_time() - start


def compare(
    networks: dict[str, Network], name: str, pixels: NDArray[np.float32], found: Found, together: int
) -> list[dict]:
    """Print and collect how far the labels of one image agree; return the ratios of processor times of each tile."""
    maps: dict[str, dict] = {engine: {} for engine in networks}
    difference = dict.fromkeys(networks, 0.0)
    ratios = []
    tiles = list(tiles_of(pixels))
    for some in (tiles[first : first + together] for first in range(0, len(tiles), together)):
        taken, computed = {}, {}
        for engine, network in networks.items():
            computed[engine], taken[engine] = seconds(network, np.concatenate([tile for _, tile in some]))
            maps[engine] |= {place: one for (place, _), one in zip(some, computed[engine], strict=True)}
            apart = float(np.abs(computed[engine] - computed[FIRST]).max())
            difference[engine] = max(difference[engine], apart)
        ratios.append({engine: taken[FIRST] / taken[engine] for engine in networks})
    expected = labels_of(pixels, maps[FIRST])
    for engine in list(networks)[1:]:
        for compartment, true, labels in zip(COMPARTMENTS, expected, labels_of(pixels, maps[engine]), strict=True):
            scores = []
            for overlap in (0.5, 0.9):
                got = agreement(true, labels, overlap)
                scores.append(f"{got.f1:.6f} at {overlap}")
                found[f"{name.partition(' ')[0]}, {engine}, {compartment}", overlap].append(got)
            print(
                f"{name}, {engine}, {compartment}: {true.max()} objects, F1 {', '.join(scores)}; {true.size} pixels, "
                f"{matched_pixel_share(true, labels):.4%} in the same object, {np.sum(true != labels)} labels "
                f"differ; largest difference of maps {difference[engine]:.2e}, {len(tiles)} tiles",
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
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--size", type=int, default=1536)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--together", type=int, default=4)
    options = parser.parse_args()
    engines = [(FIRST, "float32"), ("native", "float32"), *([("native", "bf16")] if options.bf16 else [])]
    networks = {
        f"{engine} bf16" if precision == "bf16" else engine: opened(engine, precision)
        for engine, precision in engines
    }
    blank = np.zeros((1, 256, 256, 2), np.float32)
    for name, network in networks.items():
        network.predict(blank)  # compiles and takes memory
        print(f"{name}: {network.computation.arithmetic}", flush=True)
    ratios: list[dict] = []
    found: Found = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        for name, pixels in images(options, Path(scratch)):
            ratios += compare(networks, name, pixels, found, options.together)
    for (name, overlap), parts in found.items():
        counts = [(one.true_positives, one.false_positives, one.false_negatives) for one in parts]
        print(f"{name}, all images: F1 {Agreement(*np.sum(counts, axis=0)).f1:.4f} at {overlap}")
    for engine in list(networks)[1:]:
        low, middle, high = np.percentile([ratio[engine] for ratio in ratios], (10, 50, 90))
        tiles = f"{len(ratios)} times {options.together} tiles"
        print(f"{engine} is {middle:.2f} times as fast ({low:.2f} to {high:.2f} for 80 % of {tiles})")


if __name__ == "__main__":
    main()
