"""Time preprocessing by region beside DeepCell's way of doing it: whole arrays, NumPy and scikit-image.

Both run in one thread on the same channel in the same process; CPU seconds count. The results are compared bit for
bit::

    python benchmarks/preprocess.py --size 4096 --dtype uint16
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from skimage.exposure import equalize_adapthist, rescale_intensity

from cellscale.preprocess.equalise import ChannelFacts, equalise, level_range, merged_range, preprocess
from cellscale.preprocess.statistics import channel_statistics
from cellscale.regions import Region, blocks

T = TypeVar("T")

STEP = (1024, 2048)


def channel(size: int, dtype: str) -> NDArray[Any]:
    """Return noise over a ground that varies, with empty corners."""
    rng = np.random.default_rng(0)
    wave = np.sin(np.arange(size) / 300)
    ground = np.maximum(np.add.outer(wave, wave[::-1]) + 0.5, 0)
    top = 200 if dtype == "uint8" else 20000
    return np.minimum(ground * rng.gamma(2, top / 12, (size, size)), top).astype(dtype)


def by_region(image: NDArray[Any]) -> NDArray[np.float32]:
    """Preprocess as cellscale does; only the result has the image's size."""

    def read(region: Region) -> NDArray[Any]:
        return image[region.slices]

    def map_blocks(function: Callable[[NDArray[Any]], T], /) -> Iterable[T]:
        return (function(read(block)) for block in blocks(image.shape, STEP))

    found = channel_statistics(map_blocks, image.dtype)
    levels = (equalise(read, block, image.shape, found) for block in blocks(image.shape, STEP))
    facts = ChannelFacts(found.clip, found.minimum, found.maximum, *merged_range(map(level_range, levels)))
    result = np.empty(image.shape, np.float32)
    for block in blocks(image.shape, STEP):
        result[block.slices] = preprocess(read, block, image.shape, facts)
    return result


def at_once(image: NDArray[Any]) -> NDArray[np.float32]:
    """Preprocess as DeepCell does."""
    limit = np.percentile(image[np.nonzero(image)], 99.9)
    clipped = image.copy()
    clipped[clipped > limit] = image.dtype.type(limit)
    scaled = rescale_intensity(clipped.astype(np.float32), out_range=(0.0, 1.0))
    return np.asarray(equalize_adapthist(scaled, kernel_size=128), np.float32)


def measured(work: Callable[[], T], repeats: int) -> tuple[T, float, float]:
    """Return a function's result, its shortest CPU time in seconds, and the memory it takes at most in bytes."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    tracemalloc.start()
    result = work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, min(times), peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048, help="rows and columns")
    parser.add_argument("--dtype", default="uint16", choices=["uint8", "uint16", "uint32", "float32"])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    image = channel(options.size, options.dtype)
    by_region(image[:256, :256].copy())
    megapixels = image.size / 1e6
    ours, our_time, our_peak = measured(partial(by_region, image), options.repeats)
    theirs, their_time, their_peak = measured(partial(at_once, image), options.repeats)
    for name, seconds, peak in (("cellscale", our_time, our_peak), ("scikit-image", their_time, their_peak)):
        print(f"{name:>12}: {seconds / megapixels:.4f} s/Mpx, {peak / image.size:.0f} bytes a pixel at most")
    print(f"{their_time / our_time:.1f} times as fast; equal in every bit: {np.array_equal(ours, theirs)}")


if __name__ == "__main__":
    main()
