"""Which of two networks computes a tile in less processor time on this machine."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time
from typing import Protocol

import llvmlite.binding
import numba
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from cellscale.predict.native.version import KERNELS
from cellscale.predict.network import Network

__all__ = ["AlwaysRaced", "Race", "RaceConditions", "Races", "raced", "this_machine"]

ROUNDS = 3
"""Runs of each network, in turns; the fastest counts, because other work of the machine can only add time."""

WORTHWHILE = 1.1
"""Ratio of processor times from which on the kernels are taken: near 1, chance would choose."""

_LARGEST_DIFFERENCE = 1e-4
"""Between the networks' maps. Rounding makes 3e-6; what differs by more is not the same network."""


@dataclass(frozen=True, slots=True)
class RaceConditions:
    """What the winner depends on."""

    cpu: str
    """Kind of processor, as LLVM calls it."""
    target: str
    """What kernels are compiled for, where that is not this kind of processor."""
    onnxruntime: str
    numba: str
    kernels: int
    """Version of our kernels."""


@dataclass(frozen=True, slots=True)
class Race:
    """How a race ended."""

    native: float
    """Seconds of processor time a tile, with kernels of our own."""
    onnxruntime: float
    """The same with ONNX Runtime alone."""
    difference: float
    """Largest between the maps."""

    @property
    def is_native(self) -> bool:
        """Whether the kernels won."""
        is_faster = self.native * WORTHWHILE <= self.onnxruntime
        return is_faster and self.difference <= _LARGEST_DIFFERENCE

    def told(self) -> str:
        """Return the result for a person to read."""
        same = "" if self.difference <= _LARGEST_DIFFERENCE else f", but its maps differ by {self.difference:.2g}"
        return (
            f"cpu:native takes {self.native:.3f} s of processor time a tile{same}, cpu:onnxruntime "
            f"{self.onnxruntime:.3f} s"
        )


class Races(Protocol):
    """Remembers how races ended."""

    def settled(self, machine: RaceConditions, run: Callable[[], Race]) -> Race:
        """Return how the race of a machine ended, which is run now if it was not before."""


class AlwaysRaced:
    """Remembers nothing."""

    def settled(self, machine: RaceConditions, run: Callable[[], Race]) -> Race:
        """Run the race."""
        del machine
        return run()


def this_machine() -> RaceConditions | None:
    """Return this machine; None where kernels are not compiled, or cannot multiply and add in one step: no chance."""
    target = numba.config.CPU_FEATURES
    if numba.config.DISABLE_JIT:
        return None
    if platform.machine().lower() in ("x86_64", "amd64"):
        fuses = llvmlite.binding.get_host_cpu_features().get("fma") if target is None else "+fma" in target
        if not fuses:
            return None
    return RaceConditions(
        llvmlite.binding.get_host_cpu_name(),
        f"{numba.config.CPU_NAME or ''} {target or ''}".strip(),
        onnxruntime.__version__,
        numba.__version__,
        KERNELS,
    )


def raced(native: Network, onnxruntime: Network, tile: NDArray[np.float32]) -> Race:
    """Have two networks, each of one thread, compute a tile in turns.

    Parameters
    ----------
    native, onnxruntime
        The networks.
    tile
        float32 ``(1, 256, 256, 2)``.
    """
    # The first runs compile kernels and take memory.
    difference = float(np.abs(native.predict(tile) - onnxruntime.predict(tile)).max())
    times = [(_seconds(native, tile), _seconds(onnxruntime, tile)) for _ in range(ROUNDS)]
    return Race(min(mine for mine, _ in times), min(other for _, other in times), difference)


def _seconds(network: Network, tile: NDArray[np.float32]) -> float:
    """Return the processor time of a tile, which other processes' work does not add to."""
    start = process_time()
    network.predict(tile)
    return process_time() - start
