"""Where cells settle: a hard-core process whose every patch can be made alone."""

from threading import Lock
from typing import Any, TypeAlias

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.regions import Region
from cellscale.simulate.anatomy import Zone, survey
from cellscale.simulate.kinds import Kind, build_table, mixture_table
from cellscale.simulate.noise import mixed, normal, smooth, uniform

__all__ = ["CELL", "PATCH", "REACH", "Settlement"]

PATCH = 128
"""Rows and columns of a patch, the unit in which cells settle."""

REACH = 48
"""No pixel of a cell is further than this from its middle along an axis."""

CELL = np.dtype(
    [
        ("y", "f8"), ("x", "f8"),  # middle
        ("axis_y", "f8"), ("axis_x", "f8"),  # unit vector along the cell
        ("long", "f8"), ("wide", "f8"), ("reach", "f8"), ("spacing", "f8"), ("pointed", "f8"),
        ("bump2_cos", "f8"), ("bump2_sin", "f8"), ("bump3_cos", "f8"), ("bump3_sin", "f8"),  # outline harmonics
        ("nucleus_y", "f8"), ("nucleus_x", "f8"), ("nucleus_axis_y", "f8"), ("nucleus_axis_x", "f8"),
        ("nucleus_long", "f8"), ("nucleus_wide", "f8"),
        ("key", "u8"), ("kind", "i8"),
    ]
)  # fmt: skip
"""One cell; the names are those of :class:`cellscale.simulate.kinds.Build`."""

Tables: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Builds and mixtures as numbers."""

_ROOM = 192
_ATTEMPTS = 2400
_PATIENCE = 260
_CACHED_PATCHES = 4096
_TABLES = build_table(), mixture_table()
"""An argument of kernels, not a constant in them: their cache on disk would not notice a change."""

_EMPTY, _GLAND, _VESSEL, _STROMA = int(Zone.EMPTY), int(Zone.GLAND), int(Zone.VESSEL), int(Zone.STROMA)
_EPITHELIAL, _COLUMNAR = int(Kind.EPITHELIAL), int(Kind.COLUMNAR)
_ENDOTHELIAL, _MUSCLE = int(Kind.ENDOTHELIAL), int(Kind.MUSCLE)


@kernel
def _half_axis(cell: Any, dy: float, dx: float) -> float:
    """Return the distance from a cell's middle to its outline towards the unit vector (dy, dx)."""
    along = (dx * cell.axis_x + dy * cell.axis_y) / cell.long
    across = (dx * cell.axis_y - dy * cell.axis_x) / cell.wide
    return float(1.0 / np.sqrt(along * along + across * across))


@kernel
def _clash(cell: Any, others: Any, count: int) -> bool:
    """Say whether a cell is too close to any of the first ``count`` others."""
    for i in range(count):
        other = others[i]
        dy, dx = other.y - cell.y, other.x - cell.x
        distance = np.sqrt(dy * dy + dx * dx) + 1e-9
        if distance > 90:
            continue
        dy, dx = dy / distance, dx / distance
        spacing = 0.5 * (cell.spacing + other.spacing)
        if distance < spacing * (_half_axis(cell, dy, dx) + _half_axis(other, dy, dx)):
            return True
    return False


@kernel
def _choose_kind(zone: int, key: np.uint64, depth: float, wall: float, mixtures: NDArray[np.float64]) -> int:
    draw = uniform(key, 2)
    kind = 0
    while kind < mixtures.shape[1] - 1 and mixtures[zone, kind] <= draw:
        kind += 1
    if zone == _VESSEL:
        kind = _ENDOTHELIAL if wall - depth < 11 else _MUSCLE
    return kind


@kernel
def _grow(cell: Any, build: NDArray[np.float64], axis: tuple[float, float], scale: float) -> None:
    """Give a cell, whose kind and key are known, the build of its kind, ``scale`` times the usual size."""
    key, (axis_x, axis_y) = cell.key, axis
    turn = build[9] * normal(key, 3)
    cos, sin = np.cos(turn), np.sin(turn)
    cell.axis_x, cell.axis_y = axis_x * cos - axis_y * sin, axis_x * sin + axis_y * cos
    size = scale * (1 + build[2] * normal(key, 4))
    slender = 1 + 0.6 * build[2] * normal(key, 5)
    cell.long, cell.wide = min(build[0] * size * slender, 32.0), build[1] * size / slender
    cell.reach, cell.spacing, cell.pointed = build[4], build[5], build[10]
    cell.bump2_cos, cell.bump2_sin = build[3] * normal(key, 6), build[3] * normal(key, 7)
    cell.bump3_cos, cell.bump3_sin = build[3] * normal(key, 8), build[3] * normal(key, 9)
    cell.nucleus_long = min(build[6] * size * (1 + 0.12 * normal(key, 10)), 0.92 * cell.long)
    cell.nucleus_wide = min(build[7] * size * (1 + 0.10 * normal(key, 11)), 0.92 * cell.wide)
    turn = 0.15 * normal(key, 12)
    cos, sin = np.cos(turn), np.sin(turn)
    cell.nucleus_axis_x = cell.axis_x * cos - cell.axis_y * sin
    cell.nucleus_axis_y = cell.axis_x * sin + cell.axis_y * cos
    along = build[8] * (cell.long - cell.nucleus_long) * (2 * uniform(key, 13) - 1)
    if cell.kind == _COLUMNAR:
        along = build[8] * (cell.long - cell.nucleus_long) * (0.4 + 0.6 * uniform(key, 13))
    across = build[8] * (cell.wide - cell.nucleus_wide) * (2 * uniform(key, 14) - 1)
    cell.nucleus_x = cell.x + along * cell.axis_x + across * cell.axis_y
    cell.nucleus_y = cell.y + along * cell.axis_y - across * cell.axis_x


@kernel
def _land(cell: Any, seed: np.uint64, key: np.uint64, corner: tuple[int, int], tables: Tables) -> bool:
    """Choose a cell's place within a patch and its kind; say whether there is ground for it."""
    (top, left), (builds, mixtures) = corner, tables
    cell.y, cell.x = top + PATCH * uniform(key, 0), left + PATCH * uniform(key, 1)
    zone, axis_x, axis_y, depth, wall = survey(seed, cell.y, cell.x)
    if zone == _EMPTY:
        return False
    kind = _choose_kind(zone, key, depth, wall, mixtures)
    if zone in (_GLAND, _VESSEL):
        # Walls are built of rows of cells.
        thickness = wall / max(np.round(wall / (builds[kind, 0 if zone == _GLAND else 1] * 1.9)), 1.0)
        target = (np.floor(depth / thickness) + 0.5 + 0.10 * normal(key, 15)) * thickness
        out_x, out_y = (axis_x, axis_y) if zone == _GLAND else (axis_y, -axis_x)
        cell.x += (depth - target) * out_x
        cell.y += (depth - target) * out_y
    # Epithelium is small and crowded in one nest, large in the next.
    scale = 1.0 + 0.3 * smooth(mixed(seed, 23), cell.y / 280, cell.x / 280) if kind == _EPITHELIAL else 1.0
    cell.key, cell.kind = key, kind
    _grow(cell, builds[kind], (axis_x, axis_y), scale)
    if zone == _STROMA:
        crowding = smooth(mixed(seed, 20), cell.y / 300, cell.x / 300) + 0.5 * uniform(key, 16)
        cell.spacing *= 1.25 + 0.9 * max(crowding, -0.3)
    return bool(top <= cell.y < top + PATCH and left <= cell.x < left + PATCH)


@kernel
def _settle(seed: np.uint64, place: tuple[int, int], neighbours: Any, found: Any, tables: Tables) -> int:
    """Fill a patch by random sequential settling; return the number of cells in ``found``."""
    own = mixed(mixed(mixed(seed, 21), place[0]), place[1])
    corner = place[0] * PATCH, place[1] * PATCH
    count = failures = 0
    for attempt in range(_ATTEMPTS):
        if count == found.size - 1 or failures == _PATIENCE:
            break
        failures += 1
        cell = found[count]
        if not _land(cell, seed, mixed(own, attempt), corner, tables):
            continue
        if _clash(cell, neighbours, neighbours.size) or _clash(cell, found, count):
            continue
        count, failures = count + 1, 0
    return count


class Settlement:
    """The cells of one tissue, patch by patch, without end in any direction.

    A patch knows the cells of those of its eight neighbours that come before it in a colouring of the patches with
    four colours, so it depends on patches at most three away, whatever is asked for first.

    Parameters
    ----------
    seed
        The tissue's key.
    """

    def __init__(self, seed: np.uint64) -> None:
        self._seed = seed
        self._cache: LRUCache[tuple[int, int], NDArray[np.void]] = LRUCache(_CACHED_PATCHES)
        self._lock = Lock()

    def patch(self, row: int, column: int) -> NDArray[np.void]:
        """Return the cells (:data:`CELL`) whose middles lie in a patch, in the order in which they settled."""
        with self._lock:
            known = self._cache.get((row, column))
            if known is not None:
                return known
        cells = self._fill(row, column)
        with self._lock:
            self._cache[row, column] = cells
        return cells

    def near(self, region: Region) -> NDArray[np.void]:
        """Return all cells that may have a pixel in a region, patch by patch in raster order."""
        return np.concatenate([self.patch(row, column) for row, column in self.patches_near(region)])

    @staticmethod
    def patches_near(region: Region) -> list[tuple[int, int]]:
        """Return the patches whose cells may have a pixel in a region, in raster order."""
        rows = range((region.top - REACH) // PATCH, (region.bottom - 1 + REACH) // PATCH + 1)
        columns = range((region.left - REACH) // PATCH, (region.right - 1 + REACH) // PATCH + 1)
        return [(row, column) for row in rows for column in columns]

    def _fill(self, row: int, column: int) -> NDArray[np.void]:
        earlier = [
            self.patch(row + i, column + j)
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            if _colour(row + i, column + j) < _colour(row, column)
        ]
        found = np.zeros(_ROOM, CELL)
        neighbours = np.concatenate([np.zeros(0, CELL), *earlier])
        return found[: _settle(self._seed, (row, column), neighbours, found, _TABLES)].copy()


def _colour(row: int, column: int) -> int:
    return 2 * (row % 2) + column % 2
