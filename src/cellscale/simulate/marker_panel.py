"""Markers: which cells express them, how much, and where in the cell."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import RequestError
from cellscale.simulate.kinds import Kind

__all__ = ["DEFAULT_CHANNELS", "MARKERS", "Expression", "Marker", "choose_markers", "expression_table"]


@dataclass(frozen=True, slots=True)
class Expression:
    """How one sort of cell shows a marker; densities are photons a pixel."""

    share: float
    """Share of the cells that are positive."""

    nucleus: float = 0.0
    cytoplasm: float = 0.0
    membrane: float = 0.0


@dataclass(frozen=True, slots=True)
class Marker:
    """One channel of a simulated image."""

    name: str
    color: tuple[int, int, int]
    """Red, green and blue, 0 to 255."""

    expression: dict[Kind, Expression] = field(hash=False)
    spread: float = 0.35
    """Standard deviation of the logarithm of a cell's expression."""

    background: float = 9.0
    """Autofluorescence of tissue, in photons a pixel."""

    sharpness: float = 0.9
    """Standard deviation of the point spread, in pixels."""


_EPITHELIA = (Kind.EPITHELIAL, Kind.COLUMNAR)
_T_CELLS = (Kind.HELPER_T, Kind.CYTOTOXIC_T)
_LYMPHOCYTES = (*_T_CELLS, Kind.B)


def _same(kinds: tuple[Kind, ...], expression: Expression) -> dict[Kind, Expression]:
    return dict.fromkeys(kinds, expression)


_CATALOGUE = (
    Marker(
        "DAPI",
        (0, 0, 255),
        _same(_EPITHELIA, Expression(1, 270))
        | _same(_LYMPHOCYTES, Expression(1, 350))
        | {Kind.MACROPHAGE: Expression(1, 290), Kind.FIBROBLAST: Expression(1, 280)}
        | _same((Kind.ENDOTHELIAL, Kind.MUSCLE), Expression(1, 290)),
        spread=0.24,
        background=8,
        sharpness=0.8,
    ),
    Marker(
        "Membrane",
        (0, 255, 0),
        _same(_EPITHELIA, Expression(1, 18, 110, 185))
        | _same(_LYMPHOCYTES, Expression(1, 8, 50, 130))
        | {
            Kind.MACROPHAGE: Expression(1, 10, 60, 110),
            Kind.FIBROBLAST: Expression(0.9, 8, 38, 50),
            Kind.ENDOTHELIAL: Expression(1, 8, 45, 110),
            Kind.MUSCLE: Expression(1, 8, 50, 90),
        },
        spread=0.3,
        background=12,
        sharpness=1.1,
    ),
    Marker(
        "PanCK",
        (255, 255, 0),
        _same(_EPITHELIA, Expression(0.97, 20, 170, 90)),
        spread=0.45,
    ),
    Marker(
        "CD45",
        (255, 128, 0),
        _same(_LYMPHOCYTES, Expression(0.98, 5, 25, 190)) | {Kind.MACROPHAGE: Expression(0.8, 4, 25, 80)},
    ),
    Marker("CD3", (255, 0, 0), _same(_T_CELLS, Expression(0.97, 5, 35, 190))),
    Marker("CD8", (255, 0, 255), {Kind.CYTOTOXIC_T: Expression(0.97, 4, 25, 200)}),
    Marker("CD20", (0, 255, 255), {Kind.B: Expression(0.97, 3, 18, 230)}),
    Marker("CD68", (255, 64, 128), {Kind.MACROPHAGE: Expression(0.92, 6, 190, 30)}, spread=0.5),
    Marker(
        "Ki67",
        (128, 255, 0),
        {
            Kind.EPITHELIAL: Expression(0.22, 210),
            Kind.COLUMNAR: Expression(0.07, 190),
            Kind.B: Expression(0.16, 200),
            Kind.CYTOTOXIC_T: Expression(0.08, 160),
            Kind.HELPER_T: Expression(0.05, 160),
        },
        spread=0.5,
    ),
    Marker(
        "SMA",
        (255, 96, 96),
        {Kind.MUSCLE: Expression(0.98, 10, 230, 60), Kind.FIBROBLAST: Expression(0.2, 5, 120, 30)},
        background=11,
    ),
    Marker(
        "Vimentin",
        (160, 160, 255),
        {
            Kind.FIBROBLAST: Expression(0.96, 8, 170, 50),
            Kind.ENDOTHELIAL: Expression(0.95, 8, 160, 50),
            Kind.MACROPHAGE: Expression(0.85, 8, 120, 40),
            Kind.MUSCLE: Expression(0.6, 6, 90, 30),
        }
        | _same(_LYMPHOCYTES, Expression(0.5, 4, 70, 20)),
        background=12,
    ),
    Marker("E-cadherin", (0, 200, 120), _same(_EPITHELIA, Expression(0.95, 3, 14, 240)), spread=0.4),
    Marker(
        "CD4",
        (255, 160, 0),
        {Kind.HELPER_T: Expression(0.97, 4, 25, 150), Kind.MACROPHAGE: Expression(0.4, 2, 20, 45)},
    ),
    Marker("CD31", (200, 0, 80), {Kind.ENDOTHELIAL: Expression(0.97, 4, 45, 220)}),
    Marker("FOXP3", (120, 255, 200), {Kind.HELPER_T: Expression(0.2, 170)}),
    Marker(
        "PD-L1",
        (200, 120, 255),
        {Kind.EPITHELIAL: Expression(0.3, 3, 25, 110), Kind.MACROPHAGE: Expression(0.5, 3, 30, 110)},
    ),
)

MARKERS = {marker.name: marker for marker in _CATALOGUE}
"""All markers by name, the nuclear and the membrane stain first."""

DEFAULT_CHANNELS = ("DAPI", "Membrane", "PanCK", "CD3", "CD8", "CD20", "CD68", "Ki67")


def choose_markers(channels: tuple[str, ...] | int) -> tuple[Marker, ...]:
    """Return markers by name, whatever the case, or the first so many of the catalogue.

    Raises
    ------
    RequestError
        If a name is not known or given twice, or the number is out of range.
    """
    known = ", ".join(MARKERS)
    if isinstance(channels, int):
        if not 1 <= channels <= len(MARKERS):
            raise RequestError(
                f"{channels} channels cannot be simulated; give 1 to {len(MARKERS)}, or names: {known}"
            )
        return _CATALOGUE[:channels]
    by_name = {name.casefold(): marker for name, marker in MARKERS.items()}
    unknown = [name for name in channels if name.casefold() not in by_name]
    if unknown or not channels:
        raise RequestError(f"no such marker: {', '.join(unknown) or 'none was named'}; there are {known}")
    chosen = tuple(by_name[name.casefold()] for name in channels)
    if len({marker.name for marker in chosen}) < len(chosen):
        raise RequestError(f"a channel is named twice in {', '.join(channels)}; name each once")
    return chosen


def expression_table(marker: Marker) -> NDArray[np.float64]:
    """Return a marker's expression by kind: (kinds, 4) with share, nucleus, cytoplasm and membrane."""
    shown = [marker.expression.get(kind, Expression(0.0)) for kind in Kind]
    return np.array([[e.share, e.nucleus, e.cytoplasm, e.membrane] for e in shown])
