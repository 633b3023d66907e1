"""Which outputs of the network make which maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["COMPARTMENTS", "MESMER_HEADS", "Compartment", "Head", "Seeds", "heads_of"]

Compartment: TypeAlias = Literal["whole-cell", "nuclear"]
"""What is segmented."""

COMPARTMENTS: tuple[Compartment, ...] = ("whole-cell", "nuclear")


@dataclass(frozen=True, slots=True)
class Head:
    """One map that the network computes: one channel of one of its outputs."""

    compartment: Compartment

    kind: Literal["maxima", "interior"]
    """``maxima``: inner distance, peaks at centres; ``interior``: probability to be inside an object."""

    output: str
    """Name of the network's output."""

    index: int
    """Channel of that output."""

    axis: int = 3
    """Axis of that output along which its channels lie: 3, or 1 as PyTorch has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """What a network like InstanSeg calls its inputs and its output, and how its pixels are judged."""

    image: str
    """Input: float32 ``(channels, 1, rows, columns)``, a part of the image with its surroundings."""

    margins: str
    """Input: int64 ``(2, 2)``, rows and columns of surroundings before the part, and after it."""

    maps: str
    """Output: float32 ``(1, 10, rows, columns)`` of the part alone. Nuclei, then cells: offsets along columns and
    along rows, two spreads, and the height of seeds."""

    classifier: Sequence[float]
    """61 weights of the network that says whether a pixel belongs to a seed: three layers, each its matrix and its
    bias. Five numbers go in: the two distances between offsets, the two spreads and the height."""


MESMER_HEADS = (
    Head("whole-cell", "maxima", "semantic_0", 0),
    Head("whole-cell", "interior", "semantic_1", 1),
    Head("nuclear", "maxima", "semantic_2", 0),
    Head("nuclear", "interior", "semantic_3", 1),
)
"""Mesmer's maps, each compartment's maxima before its interior."""


def heads_of(compartments: tuple[Compartment, ...]) -> tuple[Head, ...]:
    """Return Mesmer's heads for the given compartments, whole cell before nucleus."""
    return tuple(head for head in MESMER_HEADS if head.compartment in compartments)
