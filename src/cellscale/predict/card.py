"""The network on cards: whole batches of fixed size, several at once, halved where memory is short."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from threading import Lock
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ModelError
from cellscale.predict.cuda_runtime import page_locked
from cellscale.predict.heads import Head
from cellscale.predict.network import Computation, require_finite
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT, MAPS
from cellscale.predict.sessions import RUN_ERRORS, is_out_of_memory
from cellscale.predict.tiles import TILE

__all__ = ["CardNetwork", "Opener"]

Opener: TypeAlias = Callable[[int, int], Any]
"""Answers for the number of a card and a batch size with an inference session."""

LARGEST_BATCH = 64
"""Tiles of a batch at most: 1.5 TFLOP of work for a card, and 100 MB of buffers for each of its runs."""

WORTHWHILE = 1.05
"""Ratio of tiles a second at which a batch of twice the size is taken."""


class _Slot:
    """Room for one run on a card: buffers of a whole batch that it copies from and to."""

    def __init__(self, card: int, session: Any, size: int, maps: int, tile: int) -> None:
        self.card = card
        self.size = size
        self._session = session
        self._tiles = np.zeros((size, tile, tile, CHANNELS), np.float32)
        self._maps = np.zeros((size, tile, tile, maps), np.float32)
        for buffer in (self._tiles, self._maps):
            page_locked(buffer)
        self._binding = session.io_binding()
        self._binding.bind_output(MAPS, "cpu", 0, np.float32, self._maps.shape, self._maps.ctypes.data)

    def run(self, tiles: NDArray[np.float32], maps: NDArray[np.float32]) -> None:
        """Compute the maps of at most ``size`` tiles; what the batch holds beyond them is computed in vain."""
        self._tiles[: len(tiles)] = tiles
        # Binding is what sends the tiles to the card; the other slots' runs go on meanwhile.
        self._binding.bind_cpu_input(INPUT, self._tiles)
        self._session.run_with_iobinding(self._binding)
        maps[...] = self._maps[: len(tiles)]


class CardNetwork:
    """A network on one or several cards.

    Every run has the same shape, so that a card plans its work once. Each card has ``calls_a_card`` runs at a time:
    with two, one's transfers pass while the other computes.

    Parameters
    ----------
    open_on
        Opens a session on a card; asked for the same card and size, it may answer with the same session.
    cards
        Numbers of the cards.
    heads
        The maps that `predict` returns, in order.
    batch_size
        Tiles of a run to begin with.
    name
        What the network is called in records and messages.
    computation
        Where it is computed.
    calls_a_card
        Runs at once on one card.
    tile
        Rows and columns of a tile.
    """

    def __init__(
        self,
        open_on: Opener,
        cards: Sequence[int],
        *,
        heads: tuple[Head, ...],
        batch_size: int,
        name: str,
        computation: Computation,
        calls_a_card: int = 2,
        tile: int = TILE,
    ) -> None:
        self.heads = heads
        self.name = name
        self.computation = computation
        self.batch_size = batch_size
        self.calls = calls_a_card * len(cards)
        self._open_on = open_on
        self._tile = tile
        self._lock = Lock()
        self._idle: Queue[_Slot] = Queue()
        # In turns, so that the first calls go to different cards.
        for card in [*cards] * calls_a_card:
            self._idle.put(self._slot(card, batch_size))

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles; see `cellscale.predict.network.Network`."""
        maps = np.empty((*batch.shape[:-1], len(self.heads)), np.float32)
        start = 0
        while start < len(batch):
            start += self._predict_some(batch[start:], maps[start:])
        require_finite(maps, self.name)
        return maps

    def grow(self, most: int = LARGEST_BATCH, clock: Callable[[], float] = perf_counter) -> None:
        """Double the batch until memory is full or a card gets no faster."""
        size, best = self.batch_size, self._rate(clock)
        while self.batch_size == size and 2 * size <= most:
            self.batch_size = 2 * size
            rate = self._rate(clock)
            if self.batch_size == 2 * size and rate < WORTHWHILE * best:
                self.batch_size = size
                return
            size, best = 2 * size, rate

    def _rate(self, clock: Callable[[], float]) -> float:
        """Return the tiles a second at the present batch size."""
        tiles = np.zeros((self.batch_size, self._tile, self._tile, CHANNELS), np.float32)
        with ThreadPoolExecutor(self.calls) as pool:
            # The first runs plan the work and take memory.
            for repeats in (1, 3):
                start = clock()
                for _ in pool.map(self.predict, [tiles] * (repeats * self.calls)):
                    pass
                seconds = clock() - start
        return 3 * self.calls * len(tiles) / max(seconds, 1e-9)

    def _predict_some(self, batch: NDArray[np.float32], maps: NDArray[np.float32]) -> int:
        """Compute as many of the first tiles as one run takes; return how many, 0 where memory was too short."""
        slot = self._idle.get()
        try:
            if slot.size != self.batch_size:
                slot = self._slot(slot.card, self.batch_size)
            count = min(len(batch), slot.size)
            slot.run(batch[:count], maps[:count])
        except RUN_ERRORS as error:
            self._halve(slot, error)
            return 0
        finally:
            self._idle.put(slot)
        return count

    def _slot(self, card: int, size: int) -> _Slot:
        return _Slot(card, self._open_on(card, size), size, len(self.heads), self._tile)

    def _halve(self, slot: _Slot, error: Exception) -> None:
        """Go on with half the batch after an error for want of memory; raise `ModelError` after another."""
        where = f"the device {self.computation.device} (card {slot.card})"
        if not is_out_of_memory(error):
            raise ModelError(f"{where} failed: {error}. --device cpu works without it.") from error
        with self._lock:
            if slot.size > self.batch_size:
                return  # another run has halved it already
            if self.batch_size == 1:
                raise ModelError(
                    f"{where} has too little memory free for a single tile: {error}. Stop what else uses it, or take "
                    "--device cpu."
                ) from error
            self.batch_size //= 2
