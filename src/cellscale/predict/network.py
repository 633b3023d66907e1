"""The network behind one small interface, and its implementation for processors."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.predict.devices import DEVICES, Precision
from cellscale.predict.heads import COMPARTMENTS, Compartment, Head, heads_of
from cellscale.predict.onnx_file.joining import INPUT, MAPS
from cellscale.predict.onnx_file.model_file import model_content, model_name, require_mesmer_like
from cellscale.predict.sessions import RUN_ERRORS, SessionSettings, is_out_of_memory, open_session
from cellscale.predict.tiles import TILE

__all__ = ["BATCH", "Computation", "Network", "OnnxNetwork", "require_finite"]

BATCH = DEVICES["cpu"].batch_size
"""Tiles that a processor is given at once, where the caller does not say."""

MOST_LANES = 8
"""Tiles that a processor computes side by side at most, each of which takes some 70 MB."""


@dataclass(frozen=True, slots=True)
class Computation:
    """Where and how a network is computed."""

    device: str = "cpu"
    """The user's word for the kind of device."""

    provider: str = "CPUExecutionProvider"
    """What computes: ONNX Runtime's execution provider, or another package's name."""

    precision: Precision = "float32"

    cards: tuple[int, ...] = ()
    """Numbers of the cards; empty where devices are not numbered."""

    notes: tuple[str, ...] = ()
    """What a person should know of the choice."""

    reason: str = ""
    """Why it was chosen, for who asks."""

    kernels: int = 0
    """Version of kernels of our own; 0 where there are none."""

    unit: str = ""
    """What of a processor they multiply with, where another one has a choice of it and rounds differently."""

    @property
    def arithmetic(self) -> str:
        """What the last bits of the maps depend on; the unfinished work of another arithmetic is not gone on with."""
        version = f", kernels {self.kernels}" if self.kernels else ""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.device} {self.precision}{version}{unit}"


_COMPUTATION = Computation()


class Network(Protocol):
    """Computes maps of tiles; safe to call from several threads."""

    @property
    def name(self) -> str:
        """What the network is called in records and messages."""

    @property
    def heads(self) -> tuple[Head, ...]:
        """The maps that `predict` returns, in order."""

    @property
    def batch_size(self) -> int:
        """Number of tiles that `predict` should be given at once; it takes any number."""

    @property
    def calls(self) -> int:
        """Number of calls of `predict` at once that keep the device busy."""

    @property
    def computation(self) -> Computation:
        """Where it is computed."""

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles.

        Parameters
        ----------
        batch
            float32 ``(n, tile, tile, 2)``: nucleus, then membrane; 256 rows and columns, in 0..1, unless the
            network says otherwise.

        Returns
        -------
        float32 ``(n, tile, tile, len(heads))``; a tile's maps do not depend on the others in its batch.

        Raises
        ------
        ImageError
            The network answered with NaN or infinity.
        ModelError
            The device has too little memory.
        """


class OnnxNetwork:
    """An ONNX model with Mesmer's input and outputs, computed by a processor with ONNX Runtime.

    Several tiles are computed side by side, each with its share of the threads: threads that share one tile wait for
    each other, and a batch as one tensor falls out of the caches.
    """

    calls = 1

    def __init__(
        self,
        model: Path | str | bytes,
        *,
        compartments: tuple[Compartment, ...] = COMPARTMENTS,
        threads: int = 0,
        batch_size: int = BATCH,
        name: str | None = None,
        computation: Computation = _COMPUTATION,
        tile: int = TILE,
    ) -> None:
        """Load the model.

        Parameters
        ----------
        model
            Path of the ``.onnx`` file, or its content.
        compartments
            Which compartments' maps to compute; what only the others need is cut off.
        threads
            Threads that work on one batch; 0 takes all cores.
        batch_size
            Tiles that `predict` should be given at once.
        name
            What the network is called; its file's name if left out.
        computation
            Where it is computed.
        tile
            Rows and columns of a tile.

        Raises
        ------
        ModelError
            The file is missing, damaged, or not a network of this kind.
        """
        self.heads = heads_of(compartments)
        self.batch_size = batch_size
        self.name = name or model_name(model)
        self.computation = computation
        cores = threads or os.cpu_count() or 1
        self._lanes = min(cores, batch_size, MOST_LANES)
        settings = SessionSettings(threads=cores // self._lanes)
        self._session = open_session(model_content(model, self.heads), self.name, settings)
        require_mesmer_like(self._session, self.heads, self.name, tile)
        self._pool = ThreadPoolExecutor(self._lanes, thread_name_prefix="cellscale-lane")

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles; see `Network`."""
        maps = np.empty((*batch.shape[:-1], len(self.heads)), np.float32)

        def compute(index: int) -> None:
            try:
                maps[index] = self._session.run([MAPS], {INPUT: batch[index : index + 1]})[0][0]
            except RUN_ERRORS as error:
                if is_out_of_memory(error):
                    raise MemoryError(str(error)) from error
                raise

        # The lanes are those of the network: several calls at once, for several images, take no more memory than one.
        for _ in self._pool.map(compute, range(len(batch))):
            pass
        require_finite(maps, self.name)
        return maps


def require_finite(maps: NDArray[np.float32], name: str) -> None:
    """Raise `ImageError` where a network's maps hold NaN or infinity."""
    if not np.isfinite(maps).all():
        raise ImageError(
            f"the network {name} answered with values that are not finite; expected finite maps. "
            "Check the weights with `cellscale models verify`, and the image for extreme values."
        )
