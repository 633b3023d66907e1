"""How many workers a run may use, given its memory."""

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from cellscale.errors import ImageError, RequestError
from cellscale.images.info import ImageInfo

__all__ = ["Budget", "side_by_side"]

SHARE = 0.5
"""Share of the machine's available memory that a run takes unless told otherwise."""
FIXED = 1_100_000_000
"""Bytes for the interpreter, compiled kernels and the network with its activations."""
PER_WORKER = 220_000_000
"""Bytes for one block of 1,024 pixels a side with its halo, from network tiles to labels."""
PER_PIXEL = 90
"""Bytes for each pixel that is looked at to label a block for certain."""
CACHE = 128 * 2**20
"""Bytes that decoded pixels may take at least; counted in the fixed amount."""
BLOCK_PIXELS = 1024**2
"""Pixels of a block, with which one worker is busy."""
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Budget:
    """The share of a machine that a run may use; results never depend on it."""

    workers: int
    """Blocks that are worked on side by side."""
    memory: int
    """Bytes that the process should stay under."""
    of_workers: int = 0
    """Workers of the whole run, where this is the part of an image that is worked on beside others; 0: it is all."""

    @property
    def run_workers(self) -> int:
        """Blocks that the run works on side by side, of whatever images."""
        return self.of_workers or self.workers

    def part(self, workers: int) -> "Budget":
        """Return what an image may take that gets some of the workers: them, and their part of the memory.

        Parameters
        ----------
        workers
            At most as many as there are.
        """
        memory = FIXED + (self.memory - FIXED) * workers // self.workers
        return Budget(workers, memory, of_workers=self.run_workers)

    @property
    def cache_bytes(self) -> int:
        """Bytes for decoded pixels of the image that the next read may need."""
        return min(max(self.memory // 16, CACHE), 2 * CACHE)

    @property
    def pixels_per_worker(self) -> int:
        """Pixels that one of all workers may look at."""
        return PER_WORKER // PER_PIXEL

    @property
    def pixels_alone(self) -> int:
        """Pixels that may be looked at while no other worker does."""
        return max((self.memory - FIXED) // PER_PIXEL, self.pixels_per_worker)

    def require_room(self, info: ImageInfo) -> None:
        """Check that what can only be decoded whole fits into the memory, before anything is decoded.

        Parameters
        ----------
        info
            Facts of an image or a mask.

        Raises
        ------
        ImageError
            It does not fit.
        """
        needed = FIXED + info.decoding_bytes
        if info.decoding_bytes and needed > self.memory:
            raise ImageError(
                f"{info.name}: a compressed strip or tile of {info.decoding_bytes / 1e9:.2f} GB found, which can "
                f"only be decoded whole: {needed / 1e9:.2f} GB of memory are needed, {self.memory / 1e9:.2f} GB may "
                f"be used. Allow more with --max_memory, or write the image again in tiles."
            )

    @classmethod
    def choose(cls, workers: int | None = None, max_memory: int | None = None) -> "Budget":
        """Fill in what the user left open from what the machine has.

        Parameters
        ----------
        workers
            Blocks side by side; by default as many as cores, fewer where memory is short.
        max_memory
            Bytes; by default half of what is available.

        Raises
        ------
        RequestError
            If the memory, or a limit on it, is too little for a single worker, or a number is not positive.
        """
        limit = address_limit()
        if limit is not None and limit < FIXED + PER_WORKER:
            raise RequestError(
                f"this process may use {limit / 1e9:.2f} GB of addresses (ulimit -v); the network and one block need "
                f"{(FIXED + PER_WORKER) / 1e9:.2f} GB. Raise the limit."
            )
        if workers is not None and workers < 1:
            raise RequestError(f"--workers is {workers}; at least 1 is needed.")
        memory = max_memory if max_memory is not None else max(int(available_memory() * SHARE), FIXED + PER_WORKER)
        affordable = (memory - FIXED) // PER_WORKER
        if affordable < 1:
            raise RequestError(
                f"--max_memory is {memory / 1e9:.2f} GB; the network and one block need "
                f"{(FIXED + PER_WORKER) / 1e9:.2f} GB. Allow at least that much."
            )
        return cls(workers=int(min(workers or usable_cores(), affordable)), memory=memory)


def side_by_side(pixels: int, workers: int) -> int:
    """Return how many images of so many pixels keep all workers busy; 1 for one that does so alone, or nearly.

    Parameters
    ----------
    pixels
        Of an image, at the network's pixel size.
    workers
        Blocks that may be worked on side by side.
    """
    return max(workers // max(math.ceil(pixels / BLOCK_PIXELS), 1), 1)


def usable_cores() -> int:
    """Return the number of cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def address_limit() -> int | None:
    """Return the bytes of addresses that this process may use, free or not, where the system limits them."""
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def available_memory() -> int:
    """Return the bytes of memory still free for us, limits of containers and of the process included."""
    available = int(psutil.virtual_memory().available)
    addresses = address_limit()
    if addresses is not None:
        available = min(available, addresses)
    for name in CGROUP_LIMITS:
        try:
            limit = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if limit.isdigit():
            available = min(available, int(limit))
    return available
