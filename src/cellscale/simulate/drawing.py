"""Cells drawn as pixels: who owns each, and how nucleus, cytoplasm and membrane are textured."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.regions import Region
from cellscale.simulate.cell_placement import REACH
from cellscale.simulate.kinds import Kind
from cellscale.simulate.noise import ATLAS_SIDE, atlas, child, mixed, uniform

__all__ = ["BEND", "CYTOPLASM", "MEMBRANE", "Drawing", "draw", "outline", "weave"]

_NO_NUCLEUS_SHARE = 0.03
"""Cells that the section cuts beside their nucleus."""

_GHOST_SHARE = 0.10
"""Cells that have another cell's nucleus over or under them."""

_CHROMATIN, CYTOPLASM, MEMBRANE, BEND, _BEND_X = range(5)
"""Index of each texture; the last two bend outlines along y and along x."""

_SIGMAS = (1.1, 1.3, 3.0, 5.0, 5.0)
_WRAP = ATLAS_SIDE - 1
_B, _HELPER_T, _CYTOTOXIC_T = int(Kind.B), int(Kind.HELPER_T), int(Kind.CYTOTOXIC_T)


@dataclass(frozen=True, slots=True)
class Drawing:
    """The cells of a region as pixels; all arrays are (rows, columns)."""

    owner: NDArray[np.int32]
    """Index of the cell that a pixel belongs to, -1 for none."""

    nuclear: NDArray[np.float32]
    """Relative density of chromatin, 0 outside nuclei."""

    cytoplasm: NDArray[np.float32]
    """Relative density of cytoplasm, 0 in nuclei and outside cells."""

    membrane: NDArray[np.float32]
    """Relative density of membrane, 0 away from outlines."""

    ghosts: NDArray[np.float32]
    """Relative density of chromatin of nuclei above or below the plane of focus, which belong to no cell here."""


def weave(key: np.uint64) -> NDArray[np.float32]:
    """Return the seamless textures of a tissue, float32 (5, 256, 256), each of mean 0 and variance 1."""
    return np.stack([atlas(child(key, 100 + i), sigma) for i, sigma in enumerate(_SIGMAS)])


def draw(cells: NDArray[np.void], region: Region, textures: NDArray[np.float32]) -> Drawing:
    """Draw cells into a region, as :func:`outline` has them.

    The parameters are those of :func:`outline`.
    """
    corner = region.top, region.left
    owner, nuclear = outline(cells, region, textures)
    cytoplasm, membrane = _line(cells["key"].copy(), owner, nuclear, corner, textures)
    return Drawing(owner, nuclear, cytoplasm, membrane, _raise_ghosts(cells, corner, region.shape))


def outline(
    cells: NDArray[np.void], region: Region, textures: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Tell what belongs to which cell and its nucleus.

    A pixel belongs to the cell in whose units (half axes towards it) it is nearest, within that cell's reach: cells
    that touch share a border and none overlap. The nucleus is what of its ellipse lies inside the cell.

    Parameters
    ----------
    cells
        All cells that may have a pixel there, in an order that does not depend on the region.
    region
        Where to draw; may lie anywhere.
    textures
        What :func:`weave` makes for the tissue.

    Returns
    -------
    ``owner`` and ``nuclear`` of a :class:`Drawing`.
    """
    corner = region.top, region.left
    owner = _own(cells, corner, region.shape, textures)
    return owner, _fill_nuclei(cells, owner, corner, textures)


@kernel
def _own(
    cells: Any, corner: tuple[int, int], shape: tuple[int, int], textures: NDArray[np.float32]
) -> NDArray[np.int32]:
    """Return the owner of every pixel."""
    (top, left), (rows, columns) = corner, shape
    owner = np.full((rows, columns), -1, np.int32)
    nearest = np.full((rows, columns), 1e9, np.float32)
    for index in range(cells.size):
        cell = cells[index]
        grown = 1.3 * cell.reach
        high = min(grown * np.hypot(cell.long * cell.axis_y, cell.wide * cell.axis_x) + 4.0, REACH)
        broad = min(grown * np.hypot(cell.long * cell.axis_x, cell.wide * cell.axis_y) + 4.0, REACH)
        for i in range(max(int(np.ceil(cell.y - high)) - top, 0), min(int(np.floor(cell.y + high)) - top + 1, rows)):
            for j in range(
                max(int(np.ceil(cell.x - broad)) - left, 0), min(int(np.floor(cell.x + broad)) - left + 1, columns)
            ):
                y, x = i + top, j + left
                dy = y - cell.y + 1.3 * textures[BEND, y & _WRAP, x & _WRAP]
                dx = x - cell.x + 1.3 * textures[_BEND_X, y & _WRAP, x & _WRAP]
                u = (dx * cell.axis_x + dy * cell.axis_y) / cell.long
                v = (dx * cell.axis_y - dy * cell.axis_x) / cell.wide
                distance = np.sqrt(u * u + v * v) + 1e-9
                if distance > 1.5 * cell.reach:
                    continue
                u, v = u / distance, v / distance
                outline = 1 + cell.bump2_cos * (u * u - v * v) + cell.bump2_sin * 2 * u * v
                outline += cell.bump3_cos * u * (4 * u * u - 3) + cell.bump3_sin * v * (3 - 4 * v * v)
                # A spindle is bounded by two parabolas, |v| + u² = 1, where an ellipse has v² + u² = 1.
                spindle = 0.5 * (abs(v) + np.sqrt(v * v + 4 * u * u)) - 1
                distance = np.float32(distance * (1 + cell.pointed * spindle) / max(outline, 0.5))
                if distance < nearest[i, j] and distance <= cell.reach:
                    nearest[i, j] = distance
                    owner[i, j] = index
    return owner


@kernel
def _fill_nuclei(
    cells: Any, owner: NDArray[np.int32], corner: tuple[int, int], textures: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the density of chromatin: clumps, a denser rim, darker nucleoli."""
    (top, left), (rows, columns) = corner, owner.shape
    nuclear = np.zeros((rows, columns), np.float32)
    for index in range(cells.size):
        cell, key = cells[index], cells[index].key
        if uniform(key, 30) < _NO_NUCLEUS_SHARE:
            continue
        reach = cell.nucleus_long + 3
        shift_y, shift_x = int(ATLAS_SIDE * uniform(key, 31)), int(ATLAS_SIDE * uniform(key, 32))
        lymphoid = cell.kind in (_B, _HELPER_T, _CYTOTOXIC_T)
        clumps = 0.30 if lymphoid else 0.18
        rim = 0.10 if lymphoid else 0.2 + 0.42 * uniform(key, 33)
        nucleolus = 0.0 if lymphoid else 0.07 * uniform(key, 34)
        nucleolus_u, nucleolus_v = uniform(key, 35) - 0.5, uniform(key, 36) - 0.5
        for i in range(
            max(int(np.ceil(cell.nucleus_y - reach)) - top, 0), min(int(cell.nucleus_y + reach) - top + 1, rows)
        ):
            for j in range(
                max(int(np.ceil(cell.nucleus_x - reach)) - left, 0),
                min(int(cell.nucleus_x + reach) - left + 1, columns),
            ):
                if owner[i, j] != index:
                    continue
                y, x = i + top, j + left
                dy, dx = y - cell.nucleus_y, x - cell.nucleus_x
                u = (dx * cell.nucleus_axis_x + dy * cell.nucleus_axis_y) / cell.nucleus_long
                v = (dx * cell.nucleus_axis_y - dy * cell.nucleus_axis_x) / cell.nucleus_wide
                square = u * u + v * v
                bent = 1 + 0.6 * (cell.bump2_cos * (u * u - v * v) - cell.bump3_sin * 2 * u * v)
                bent += 0.7 * u * (cell.bump3_cos * (4 * u * u - 3 * square) + cell.bump2_sin * v)
                if square > bent:
                    continue
                # A nucleus is thin at its edge, as a ball is.
                density = (0.14 + np.sqrt(1 - square / bent)) * (1 - rim + rim * 1.6 * square * square)
                density *= 1 + clumps * textures[_CHROMATIN, (y + shift_y) & _WRAP, (x + shift_x) & _WRAP]
                if (u - nucleolus_u) ** 2 + (v - nucleolus_v) ** 2 < nucleolus:
                    density *= 0.6
                nuclear[i, j] = max(density, 0.1)
    return nuclear


@kernel
def _line(
    keys: NDArray[np.uint64],
    owner: NDArray[np.int32],
    nuclear: NDArray[np.float32],
    corner: tuple[int, int],
    textures: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the densities of cytoplasm and of membrane, which is uneven and in places missing along an outline."""
    (top, left), (rows, columns) = corner, owner.shape
    cytoplasm = np.zeros((rows, columns), np.float32)
    membrane = np.zeros((rows, columns), np.float32)
    for i in range(rows):
        for j in range(columns):
            own = owner[i, j]
            if own < 0:
                continue
            y, x = (i + top) & _WRAP, (j + left) & _WRAP
            if nuclear[i, j] == 0:
                cytoplasm[i, j] = max(1 + np.float32(0.35) * textures[CYTOPLASM, y, x], 0.1)
            border = (
                (i > 0 and owner[i - 1, j] != own)
                or (i < rows - 1 and owner[i + 1, j] != own)
                or (j > 0 and owner[i, j - 1] != own)
                or (j < columns - 1 and owner[i, j + 1] != own)
            )
            if border:
                shift = mixed(keys[own], 37) >> np.uint64(48)
                shift_y, shift_x = np.int64(shift & np.uint64(255)), np.int64(shift >> np.uint64(8))
                density = 0.75 + 0.75 * textures[MEMBRANE, (y + shift_y) & _WRAP, (x + shift_x) & _WRAP]
                membrane[i, j] = max(density, 0.0)
    return cytoplasm, membrane


@kernel
def _raise_ghosts(cells: Any, corner: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the density of nuclei out of the plane: balls beside the middles of some cells."""
    (top, left), (rows, columns) = corner, shape
    ghosts = np.zeros((rows, columns), np.float32)
    for index in range(cells.size):
        cell, key = cells[index], cells[index].key
        if uniform(key, 50) >= _GHOST_SHARE:
            continue
        turn, away, radius = (
            6.283185307179586 * uniform(key, 51),
            4 + 9 * uniform(key, 52),
            6.5 + 3 * uniform(key, 53),
        )
        y, x = cell.y + away * np.sin(turn), cell.x + away * np.cos(turn)
        for i in range(max(int(np.ceil(y - radius)) - top, 0), min(int(y + radius) + 1 - top, rows)):
            for j in range(max(int(np.ceil(x - radius)) - left, 0), min(int(x + radius) + 1 - left, columns)):
                # Whole-image coordinates, so that rounding is the same in every region.
                square = ((i + top - y) ** 2 + (j + left - x) ** 2) / (radius * radius)
                if square < 1:
                    ghosts[i, j] += np.sqrt(1 - square)
    return ghosts
