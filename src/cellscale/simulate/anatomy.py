"""Where tissue is and of what sort: nests, stroma, glands, vessels, lymphoid clusters, empty ground.

All lengths are pixels of 0.5 µm.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.simulate.noise import fractal, mixed, smooth, uniform

__all__ = ["Place", "Zone", "fibre_phases", "survey", "zones"]


class Zone(IntEnum):
    """A sort of tissue."""

    EMPTY = 0
    """Glass, tears and lumens."""

    STROMA = 1
    NEST = 2
    """A solid sheet of epithelium."""

    GLAND = 3
    """The wall of a gland or duct."""

    CAPSULE = 4
    """The sheath of a gland."""

    LYMPHOID = 5
    VESSEL = 6
    """The wall of a vessel."""


Place = tuple[int, float, float, float, float]
"""Zone; the direction (x, y) of the long axis of its cells; depth under the outer face of a wall and the wall's
thickness, both 0 outside walls. In a gland's wall the direction points outward."""

_EMPTY, _STROMA, _NEST, _GLAND = int(Zone.EMPTY), int(Zone.STROMA), int(Zone.NEST), int(Zone.GLAND)
_CAPSULE, _LYMPHOID, _VESSEL = int(Zone.CAPSULE), int(Zone.LYMPHOID), int(Zone.VESSEL)

_GLAND_PITCH, _VESSEL_PITCH = 420.0, 250.0
_SHEATH = 11.0
_NOWHERE = (False, 0.0, 0.0, 0.0, 0.0)


@kernel
def _is_tissue(key: np.uint64, y: float, x: float) -> bool:
    """Say whether there is tissue: large holes, and fissures where a finer field crosses zero."""
    if fractal(mixed(key, 1), y / 1500, x / 1500, 3) < -0.38:
        return False
    fissure = abs(fractal(mixed(key, 2), y / 400, x / 400, 2))
    return bool(fissure > 0.09 * smooth(mixed(key, 3), y / 300, x / 300))


@kernel
def _ring(
    key: np.uint64, y: float, x: float, pitch: float, radii: tuple[float, float]
) -> tuple[np.uint64, float, float, float, float, float]:
    """Find the ring-shaped structure whose lot holds the place.

    Lots are laid like bricks, one structure a lot, never crossing its border.

    Returns
    -------
    The structure's key; its middle (y, x); depth under its outer face, negative outside; the outward direction
    (y, x).
    """
    row = np.floor(y / pitch)
    shift = 0.5 * pitch * (row % 2)
    column = np.floor((x - shift) / pitch)
    own = mixed(mixed(key, int(row)), int(column))
    radius = radii[0] + (radii[1] - radii[0]) * uniform(own, 0) ** 2
    room = 0.5 * pitch - 1.3 * radius - _SHEATH
    middle_y = (row + 0.5) * pitch + room * (2 * uniform(own, 1) - 1)
    middle_x = (column + 0.5) * pitch + shift + room * (2 * uniform(own, 2) - 1)
    dy, dx = y - middle_y, x - middle_x
    distance = np.sqrt(dy * dy + dx * dx) + 1e-9
    turn = np.arctan2(dy, dx)
    outline = 1.0 + 0.19 * uniform(own, 7) * np.cos(2 * turn + 6.28 * uniform(own, 3))
    outline += 0.07 * np.cos(3 * turn + 6.28 * uniform(own, 4)) + 0.04 * np.cos(5 * turn + 6.28 * uniform(own, 5))
    return own, middle_y, middle_x, radius * outline - distance, dy / distance, dx / distance


@kernel
def _gland(key: np.uint64, y: float, x: float) -> tuple[bool, float, float, float, float]:
    """Find a gland at a place: whether there is one, depth under its face, outward direction, its wall."""
    own, middle_y, middle_x, depth, out_y, out_x = _ring(mixed(key, 6), y, x, _GLAND_PITCH, (55.0, 145.0))
    if depth < -_SHEATH or not _is_tissue(key, middle_y, middle_x):
        return _NOWHERE
    if uniform(own, 6) > 0.4 + 1.2 * smooth(mixed(key, 5), middle_y / 900, middle_x / 900):
        return _NOWHERE
    return True, depth, out_y, out_x, 26.0 + 40.0 * uniform(own, 8)


@kernel
def _vessel(key: np.uint64, y: float, x: float) -> tuple[bool, float, float, float, float]:
    """Find a vessel at a place, as ``_gland`` does."""
    own, _, _, depth, out_y, out_x = _ring(mixed(key, 7), y, x, _VESSEL_PITCH, (15.0, 60.0))
    if depth < 0 or uniform(own, 6) > 0.5:
        return _NOWHERE
    return True, depth, out_y, out_x, 8.0 + 26.0 * uniform(own, 8)


@kernel
def survey(key: np.uint64, y: float, x: float) -> Place:
    """Describe one place of the tissue that belongs to ``key``."""
    y += 30 * smooth(mixed(key, 9), y / 110, x / 110)
    x += 30 * smooth(mixed(key, 10), y / 110, x / 110)
    found, depth, out_y, out_x, wall = _gland(key, y, x)
    if found and depth < 0:
        return _CAPSULE, -out_y, out_x, 0.0, 0.0
    if found:
        return (_GLAND if depth < wall else _EMPTY), out_x, out_y, depth, wall
    if not _is_tissue(key, y, x):
        return _EMPTY, 1.0, 0.0, 0.0, 0.0
    nests = mixed(key, 4)
    nest = fractal(nests, y / 520, x / 520, 3)
    found, depth, out_y, out_x, wall = _vessel(key, y, x)
    if found and nest < 0.02:
        return (_VESSEL if depth < wall else _EMPTY), -out_y, out_x, depth, wall
    # Fibres run along the borders of nests: across the slope of the field that makes them.
    here = fractal(nests, y / 520, x / 520, 1)
    slope_y = fractal(nests, (y + 6) / 520, x / 520, 1) - here
    slope_x = fractal(nests, y / 520, (x + 6) / 520, 1) - here
    slope = np.sqrt(slope_y * slope_y + slope_x * slope_x) + 1e-9
    zone = _STROMA
    if nest > 0.06:
        zone = _NEST
    elif nest < 0.0 and fractal(mixed(key, 8), y / 420, x / 420, 2) > 0.25:
        zone = _LYMPHOID
    return zone, -slope_y / slope, slope_x / slope, 0.0, 0.0


@kernel
def zones(key: np.uint64, corner: tuple[int, int], step: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the zone at every ``step``-th pixel from ``corner`` (row, column), uint8 of ``shape``."""
    found = np.empty(shape, np.uint8)
    for i in range(shape[0]):
        for j in range(shape[1]):
            found[i, j] = survey(key, float(corner[0] + i * step), float(corner[1] + j * step))[0]
    return found


@kernel
def fibre_phases(key: np.uint64, corner: tuple[int, int], step: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a number that is constant along a fibre, at the places of :func:`zones`; fibres are about 1 apart."""
    phases = np.empty(shape, np.float32)
    for i in range(shape[0]):
        for j in range(shape[1]):
            y, x = float(corner[0] + i * step), float(corner[1] + j * step)
            phases[i, j] = 34 * fractal(mixed(key, 4), y / 520, x / 520, 2) + 2.2 * smooth(
                mixed(key, 11), y / 70, x / 70
            )
    return phases
