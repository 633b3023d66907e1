"""Which outputs of the network make which maps."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["COMPARTMENTS", "MESMER_HEADS", "Compartment", "Head", "heads_of"]

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
