"""The sorts of cells: their build and where they live. Lengths are pixels of 0.5 µm."""

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cellscale.simulate.anatomy import Zone

__all__ = ["BUILDS", "Build", "Kind", "build_table", "mixture_table"]


class Kind(IntEnum):
    """A sort of cell."""

    EPITHELIAL = 0
    """Polygonal, in sheets."""

    COLUMNAR = 1
    """Epithelial, in the walls of glands."""

    HELPER_T = 2
    CYTOTOXIC_T = 3
    B = 4
    MACROPHAGE = 5
    FIBROBLAST = 6
    ENDOTHELIAL = 7
    MUSCLE = 8
    """Smooth muscle and myoepithelium."""


@dataclass(frozen=True, slots=True)
class Build:
    """How big and of what shape a sort of cell is."""

    long: float
    """Half the length of a typical cell."""

    wide: float
    """Half its width."""

    spread: float
    """Relative standard deviation of sizes."""

    wobble: float
    """Relative size of the bumps of its outline."""

    reach: float
    """How far it grows into free ground, in units of its own outline."""

    spacing: float
    """Least distance of two cells, in units of the sum of their half axes."""

    nucleus_long: float
    """Half the length of its nucleus."""

    nucleus_wide: float
    """Half the width of its nucleus."""

    off_centre: float
    """How far the nucleus lies off the middle, in units of the room that it has."""

    tilt: float
    """Standard deviation, in radians, of the long axis about that of the tissue."""

    pointed: float
    """0 for an ellipse, 1 for a spindle with pointed ends."""


BUILDS = {
    Kind.EPITHELIAL: Build(13.2, 10.4, 0.17, 0.11, 1.45, 0.76, 10.8, 7.9, 0.6, 0.8, 0.0),
    Kind.COLUMNAR: Build(15.0, 9.2, 0.09, 0.06, 1.40, 0.74, 10.6, 7.7, 0.6, 0.12, 0.0),
    Kind.HELPER_T: Build(9.0, 8.4, 0.08, 0.07, 1.15, 0.80, 7.8, 7.1, 0.3, 1.5, 0.0),
    Kind.CYTOTOXIC_T: Build(9.2, 8.4, 0.08, 0.08, 1.15, 0.80, 7.9, 7.1, 0.3, 1.5, 0.0),
    Kind.B: Build(9.4, 8.9, 0.08, 0.06, 1.15, 0.80, 8.1, 7.6, 0.3, 1.5, 0.0),
    Kind.MACROPHAGE: Build(13.5, 11.0, 0.16, 0.17, 1.15, 0.80, 8.9, 7.2, 0.8, 0.9, 0.2),
    Kind.FIBROBLAST: Build(19.5, 7.4, 0.17, 0.10, 1.05, 0.97, 13.5, 5.9, 0.4, 0.28, 0.7),
    Kind.ENDOTHELIAL: Build(15.5, 6.8, 0.12, 0.07, 1.10, 0.85, 11.5, 5.4, 0.3, 0.15, 0.6),
    Kind.MUSCLE: Build(19.0, 6.8, 0.12, 0.06, 1.15, 0.85, 13.0, 5.2, 0.3, 0.12, 0.7),
}

MIXTURES: dict[Zone, dict[Kind, float]] = {
    Zone.STROMA: {
        Kind.FIBROBLAST: 0.60,
        Kind.MACROPHAGE: 0.12,
        Kind.HELPER_T: 0.10,
        Kind.CYTOTOXIC_T: 0.08,
        Kind.B: 0.03,
        Kind.ENDOTHELIAL: 0.07,
    },
    Zone.NEST: {Kind.EPITHELIAL: 0.91, Kind.CYTOTOXIC_T: 0.04, Kind.HELPER_T: 0.02, Kind.MACROPHAGE: 0.03},
    Zone.GLAND: {Kind.COLUMNAR: 0.96, Kind.CYTOTOXIC_T: 0.04},
    Zone.CAPSULE: {Kind.MUSCLE: 0.6, Kind.FIBROBLAST: 0.4},
    Zone.LYMPHOID: {
        Kind.B: 0.48,
        Kind.HELPER_T: 0.26,
        Kind.CYTOTOXIC_T: 0.16,
        Kind.MACROPHAGE: 0.06,
        Kind.ENDOTHELIAL: 0.04,
    },
    Zone.VESSEL: {Kind.ENDOTHELIAL: 0.7, Kind.MUSCLE: 0.3},
}
"""Which cells live where, by share of attempts to settle."""


def build_table() -> NDArray[np.float64]:
    """Return the builds as rows of numbers, one a kind, in the order of the fields of :class:`Build`."""
    return np.array([[getattr(BUILDS[kind], field.name) for field in fields(Build)] for kind in Kind])


def mixture_table() -> NDArray[np.float64]:
    """Return cumulative shares, (zones, kinds); a row without cells is all 0."""
    shares = [[MIXTURES.get(zone, {}).get(kind, 0.0) for kind in Kind] for zone in Zone]
    return np.cumsum(shares, axis=1)
