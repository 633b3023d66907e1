"""Labelling the blocks of one compartment, wherever their maps come from: those that need little memory first."""

from collections.abc import Iterator
from typing import Protocol

from cellscale.errors import UncertainError
from cellscale.label.maps import MapReader
from cellscale.label.parameters import Parameters
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.segmenting.block_store import BlockStore

__all__ = ["BlockLabeller", "Labeller"]


class Labeller(Protocol):
    """Labels the blocks of one compartment, from any thread."""

    def label(self, index: int) -> bool:
        """Label a block in a worker's share of the memory; False if it is postponed."""

    def label_alone(self, index: int) -> bool:
        """Label a block in all the memory that there is; False if even that does not suffice."""

    def label_postponed(self) -> Iterator[int]:
        """Label the blocks that were postponed, one after another, and yield which."""


class BlockLabeller:
    """Labels the blocks of one compartment, from any thread.

    A block whose surroundings must be so wide that they do not fit in a worker's memory is postponed: it takes its
    turn alone, with all the memory that there is. Which blocks those are changes the order of work, never the labels.

    Parameters
    ----------
    store
        Where the labels go.
    read_maps
        Answers for a region with maxima and interior.
    parameters
        How maps become labels.
    budget
        How many pixels may be looked at at once, by a worker among others and by one alone.
    """

    def __init__(self, store: BlockStore, read_maps: MapReader, parameters: Parameters, budget: Budget) -> None:
        self.store = store
        self._read_maps = read_maps
        self._parameters = parameters
        self._budget = budget
        self._postponed: list[int] = []  # appending is safe from any thread

    def label(self, index: int) -> bool:
        """Label a block in a worker's share of the memory; False if it is postponed."""
        return self._labelled(index, self._budget.pixels_per_worker)

    def label_alone(self, index: int) -> bool:
        """Label a block in all the memory that there is; False if even that does not suffice."""
        return self._labelled(index, self._budget.pixels_alone)

    def label_postponed(self) -> Iterator[int]:
        """Label the blocks that were postponed, one after another, and yield which.

        Raises
        ------
        UncertainError
            There is too little memory for one of them.
        """
        for index in sorted(self._postponed):
            self._label(index, self._budget.pixels_alone)
            yield index
        self._postponed.clear()

    def _labelled(self, index: int, limit: int) -> bool:
        try:
            self._label(index, limit)
        except UncertainError:
            self._postponed.append(index)
            return False
        return True

    def _label(self, index: int, limit: int) -> None:
        self.store.label(index, self._read_maps, self._parameters, limit)
