"""The squares of an image: each is predicted, kept and found again by itself."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cellscale.label.seeds import REACH
from cellscale.ordered import in_order, timed
from cellscale.pipeline.segmenting.tile_store import GROUPS_AT_HAND, Group, GroupArrays, TileStore
from cellscale.predict.instanseg import NUMBER_OF_MAPS, SQUARE, SeedNetwork, SquareGrid, square_input
from cellscale.regions import Region, RegionReader

__all__ = ["SquareGroups", "predict_square", "predict_squares", "read_squares"]

ROWS_HELD = 10
"""Rows of squares that are on disk at most, of InstanSeg's size: those of two rows of blocks with their surroundings,
and four ahead."""


@dataclass(frozen=True, slots=True)
class SquareGroups:
    """The squares of an image, in raster order."""

    grid: SquareGrid
    chosen: tuple[Group, ...] | None = None
    """A share of them; None for all."""

    def __iter__(self) -> Iterator[Group]:
        if self.chosen is not None:
            yield from self.chosen
            return
        for row in range(self.grid.rows):
            for column in range(self.grid.columns):
                yield row, column

    def __len__(self) -> int:
        return self.grid.rows * self.grid.columns if self.chosen is None else len(self.chosen)

    def only(self, chosen: Sequence[Group]) -> "SquareGroups":
        """Return a share of them."""
        return replace(self, chosen=tuple(chosen))

    def near(self, block: Region) -> list[Group]:
        """Return the squares that are needed to label a block."""
        return self.grid.touching(block.grown(REACH, self.grid.shape))

    @property
    def held(self) -> int:
        """Squares that are on disk at a time."""
        return -(-ROWS_HELD * SQUARE // self.grid.square) * self.grid.columns

    @property
    def held_bytes(self) -> int:
        """Bytes of maps that are on disk at a time."""
        pixels = min(self.held * self.grid.square**2, math.prod(self.grid.shape))
        return pixels * NUMBER_OF_MAPS * np.dtype(np.float32).itemsize

    @property
    def at_hand(self) -> int:
        """Squares that are kept in memory."""
        return max(GROUPS_AT_HAND * SQUARE**2 // self.grid.square**2, 1)


def predict_squares(
    tiles: TileStore,
    groups: SquareGroups,
    network: SeedNetwork,
    read: RegionReader,
    *,
    workers: int,
    after_each: Callable[[float], None],
    ahead: int,
) -> None:
    """Predict the squares that are missing, the next ones' input being prepared meanwhile.

    Parameters
    ----------
    tiles
        Where the maps go.
    groups
        The image's squares.
    network
        Predicts.
    read
        Answers for a region of the scaled image with float32 ``(channels, rows, columns)``.
    workers
        Threads that prepare input.
    after_each
        Called after each square with the processor time that preparing it took; what it raises ends the prediction.
    ahead
        Squares that may be there without anybody waiting for the next one.
    """

    def prepare(group: Group) -> tuple[Group, NDArray[np.float32], NDArray[np.int64]]:
        return group, *square_input(read, groups.grid, *group)

    try:
        # One ahead: the input of many channels is large, and no thread is quicker than the network.
        for (group, image, margins), busy in in_order(timed(prepare), tiles.to_predict(ahead), min(workers, 2)):
            _put(tiles, groups.grid, group, network.predict(image, margins))
            after_each(busy)
    except BaseException as error:
        tiles.fail(error)
        raise


def predict_square(
    tiles: TileStore, groups: SquareGroups, network: SeedNetwork, read: RegionReader, group: Group
) -> None:
    """Predict one square now; arguments as for `predict_squares`."""
    _put(tiles, groups.grid, group, network.predict(*square_input(read, groups.grid, *group)))


def _put(tiles: TileStore, grid: SquareGrid, group: Group, maps: NDArray[np.float32]) -> None:
    height, width = grid.region(*group).shape
    tiles.put(group, np.ascontiguousarray(maps[np.newaxis, :, :height, :width]), np.zeros(1, np.int64))


def read_squares(
    load: Callable[[Group], GroupArrays], grid: SquareGrid, region: Region, maps: slice
) -> NDArray[np.float32]:
    """Return some of the maps of a region, ``(maps, rows, columns)``, from the squares that ``load`` gives."""
    values = np.empty((len(range(NUMBER_OF_MAPS)[maps]), *region.shape), np.float32)
    for row, column in grid.touching(region):
        square = grid.region(row, column)
        part = Region(
            max(region.top, square.top),
            max(region.left, square.left),
            min(region.bottom, square.bottom),
            min(region.right, square.right),
        )
        found = load((row, column))["maps"][0]
        values[(slice(None), *part.within(region))] = found[(maps, *part.within(square))]
    return values
