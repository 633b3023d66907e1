"""The memory that a run will take, from what earlier runs with perhaps other workers and images took."""

from cellscale.pipeline.budget import BLOCK_PIXELS, PER_WORKER
from cellscale.records.rates import ImageSize, Rates

__all__ = ["peak_memory"]

_THREAD = 30_000_000
"""Bytes that a worker takes whatever it works on. Measured on two cores with 1, 2, 4 and 8 workers: images of 64 x 64
took 32 MB more for each, those of 300 x 300 at first 87 MB and then 23 MB, those of 1,024 x 1,024 at least 88 MB."""
_BLOCK = PER_WORKER - _THREAD
"""Bytes at most for a block that is worked on."""
_BLOCK_FEWER = 60_000_000
"""Bytes at least that a block less beside others gives back: workers seldom need the most at the same time."""


def peak_memory(size: ImageSize, rates: Rates, workers: int, beside: int) -> float:
    """Return the largest resident size, in bytes, of a process that works on images of a size.

    Parameters
    ----------
    size
        Of the images.
    rates
        What earlier runs took.
    workers
        Blocks that may be worked on side by side.
    beside
        Images that are worked on at the same time, this one among them.
    """
    known = rates.peak_memory(size, beside)
    pixels = size.network_pixels * beside
    nearest = min(max(pixels, rates.memory[0][0] * 1e6), rates.memory[-1][0] * 1e6)
    before, now = min(nearest / BLOCK_PIXELS, rates.workers), min(pixels / BLOCK_PIXELS, workers)
    first, others = min(now, 1) - min(before, 1), max(now, 1) - max(before, 1)
    blocks = _BLOCK * first + (_BLOCK if others > 0 else _BLOCK_FEWER) * others
    return known + (workers - rates.workers) * _THREAD + blocks + size.decoding_bytes
