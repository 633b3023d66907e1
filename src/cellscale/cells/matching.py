"""Decide which nucleus belongs to which cell, and the order of the objects."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.label_table import LabelTable, LabelTables, Overlaps
from cellscale.cells.scratch_arrays import Scratch
from cellscale.compiled import kernel

__all__ = ["Matching", "Pairing", "each_alone", "match"]


class Matching(Enum):
    """Rules for pairing nuclei with cells; the value is the name of the rule in requests."""

    ONE_TO_ONE = "one-to-one"
    """Every cell is one object and every nucleus is used at most once, the largest overlap first."""

    QUPATH_INITIALIZER = "qupath-initializer"
    """As dchaley/qupath-project-initializer: two nuclei inside one cell give two objects with the same outline."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Cells and their nuclei, in the order of the objects."""

    cells: NDArray[np.int64]
    """Row of each object's cell among the cells, ``(n,)``."""

    nuclei: NDArray[np.int64]
    """Row of each object's nucleus among the nuclei, or -1, ``(n,)``."""

    unmatched_nuclei: int
    """Number of nuclei that belong to no object."""

    further: NDArray[np.bool_] | None = None
    """Which objects have the cell of another object with a larger nucleus, ``(n,)``; None where none has."""


def match(survey: LabelTables, matching: Matching, scratch: Scratch) -> Pairing:
    """Pair nuclei with cells.

    ``one-to-one`` takes pairs greedily by the number of pixels that cell and nucleus share, ties by the share of the
    nucleus's pixels that this is, then by lower cell label, then lower nucleus label; objects are in ascending cell
    label order.

    ``qupath-initializer`` knows the share of the nucleus's pixels that lie in the cell alone. It first takes every
    nucleus that lies wholly inside one cell, in nucleus label order; then, greedily by share, the other nuclei and
    those cells that are still without one and not wholly inside the nucleus, ties by lower nucleus label, then lower
    cell label; then the cells left over. That is the order of objects too.
    """
    if matching is Matching.ONE_TO_ONE:
        return _one_to_one(survey, scratch)
    return _as_initializer(survey)


def each_alone(survey: LabelTables, scratch: Scratch) -> Pairing:
    """Make an object of each label of the only mask."""
    cells, nuclei = len(survey.cells), len(survey.nuclei)
    if cells:
        return Pairing(scratch.counted(cells), scratch.filled(cells, -1), 0)
    return Pairing(scratch.filled(nuclei, -1), scratch.counted(nuclei), 0)


def _one_to_one(survey: LabelTables, scratch: Scratch) -> Pairing:
    """Take the largest overlaps first, among those pairs of which a part has another choice."""
    cells, nuclei = scratch.counted(len(survey.cells)), scratch.filled(len(survey.cells), -1)
    overlaps, contested = survey.overlaps, [np.empty(0, np.int64)]
    choices = _choices(overlaps.nuclei, len(survey.nuclei), scratch)
    matched = np.int64(0)
    for part in scratch.parts(len(overlaps.pixels)):
        some = overlaps.part(part)
        alone = _alone(overlaps.cells, part) & (choices[some.nuclei] == 1)
        nuclei[some.cells[alone]] = some.nuclei[alone]
        matched += np.count_nonzero(alone)
        contested.append(part.start + np.flatnonzero(~alone))
    rest = overlaps.part(np.concatenate(contested))
    # Of two equal overlaps that with the smaller nucleus has the larger share of it.
    sizes = survey.nuclei.pixels[rest.nuclei]
    order = np.lexsort((rest.nuclei, rest.cells, sizes, -rest.pixels))
    taken = order[_greedy(rest.cells[order], rest.nuclei[order], len(survey.cells), len(survey.nuclei))]
    nuclei[rest.cells[taken]] = rest.nuclei[taken]
    scratch.release()
    return Pairing(cells, nuclei, len(survey.nuclei) - int(matched) - len(taken))


def _choices(nuclei: NDArray[np.int64], count: int, scratch: Scratch) -> NDArray[np.uint8]:
    """Return with how many cells each nucleus shares pixels: 0, 1, or 2 for more."""
    choices = np.zeros(count, np.uint8)
    for part in scratch.parts(len(nuclei)):
        some = nuclei[part]
        found, counts = np.unique(some, return_counts=True)
        choices[found] = np.minimum(choices[found] + counts, 2)
    return choices


def _alone(cells: NDArray[np.int64], part: slice) -> NDArray[np.bool_]:
    """Return which of the cells in a part of an ascending list are in the whole list only once."""
    around = cells[max(part.start - 1, 0) : part.stop + 1]
    differs = np.concatenate([[True], around[1:] != around[:-1], [True]])
    once: NDArray[np.bool_] = differs[:-1] & differs[1:]
    return once[min(part.start, 1) :][: part.stop - part.start]


def _as_initializer(survey: LabelTables) -> Pairing:
    """Take nuclei inside cells, then the best overlaps, then cells without nucleus."""
    overlaps = survey.overlaps
    inside = overlaps.pixels == survey.nuclei.pixels[overlaps.nuclei]
    covered = np.flatnonzero(inside)[np.argsort(overlaps.nuclei[inside])]
    free = np.ones(len(survey.cells), dtype=np.bool_)
    free[overlaps.cells[covered]] = False
    crossing = overlaps.pixels < survey.cells.pixels[overlaps.cells]
    candidates = np.flatnonzero(~inside & crossing & free[overlaps.cells])
    ranks = (overlaps.cells, overlaps.nuclei, -_shares(overlaps, survey.nuclei))
    candidates = candidates[np.lexsort(tuple(rank[candidates] for rank in ranks))]
    pairs = (overlaps.cells[candidates], overlaps.nuclei[candidates])
    crossed = candidates[_greedy(*pairs, len(survey.cells), len(survey.nuclei))]
    free[overlaps.cells[crossed]] = False
    taken = np.concatenate([covered, crossed])
    rest = np.flatnonzero(free)
    further = np.zeros(len(taken) + len(rest), dtype=np.bool_)
    further[: len(covered)] = _further(overlaps.cells[covered], survey.nuclei, overlaps.nuclei[covered])
    return Pairing(
        np.concatenate([overlaps.cells[taken], rest]),
        np.concatenate([overlaps.nuclei[taken], np.full(len(rest), -1)]),
        len(survey.nuclei) - len(taken),
        further if further.any() else None,
    )


def _further(cells: NDArray[np.int64], table: LabelTable, nuclei: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which nuclei are not the largest of their cell; of equal ones the upper, then left one counts."""
    order = np.lexsort((table.boxes[nuclei, 1], table.boxes[nuclei, 0], -table.pixels[nuclei], cells))
    further = np.zeros(len(cells), dtype=np.bool_)
    further[order[1:]] = cells[order[1:]] == cells[order[:-1]]
    return further


def _shares(overlaps: Overlaps, nuclei: LabelTable) -> NDArray[np.float64]:
    """Return, for each pair, the part of the nucleus that lies in the cell."""
    return overlaps.pixels / nuclei.pixels[overlaps.nuclei]


@kernel
def _greedy(cells: NDArray[np.int64], nuclei: NDArray[np.int64], n_cells: int, n_nuclei: int) -> NDArray[np.bool_]:
    """Go through pairs in order and take each one whose cell and nucleus are both still free."""
    taken = np.zeros(len(cells), dtype=np.bool_)
    cell_used = np.zeros(n_cells, dtype=np.bool_)
    nucleus_used = np.zeros(n_nuclei, dtype=np.bool_)
    # One after the other: what a pair may take depends on all pairs before it.
    for pair in range(len(cells)):
        if not cell_used[cells[pair]] and not nucleus_used[nuclei[pair]]:
            taken[pair] = cell_used[cells[pair]] = nucleus_used[nuclei[pair]] = True
    return taken
