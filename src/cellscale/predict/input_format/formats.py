"""What a network is to be given, as the package that describes it says, or as Mesmer and InstanSeg have it."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from cellscale.predict.input_format.normalisation import Normalisation, Percentiles

__all__ = ["INSTANSEG_INPUT", "MESMER_INPUT", "InputFormat", "Role", "is_own_format", "settled_format"]

Role: TypeAlias = Literal["nucleus", "membrane"]
"""What a channel shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFormat:
    """What a network is to be given of an image; what is left out is as with Mesmer, or with InstanSeg."""

    mpp: float = 0.5
    """Micrometres a pixel; images of other pixel sizes are rescaled."""

    channels: tuple[Role, ...] = ("nucleus", "membrane")
    """What the channels of a tile are, in order. A network of seeds takes any number, one by one: leave it out."""

    normalisation: Normalisation | None = None
    """How the values of each channel are changed. None: as Mesmer's (clipped and equalised), or InstanSeg's."""

    tile: int | None = None
    """Rows and columns of a tile; None: 256, and of a network of seeds 512."""

    overlap: int | None = None
    """Pixels that neighbouring tiles share, in which they are blended; None: 64. Of a network of seeds the pixels on
    each side of a tile that it sees as well; None: 144."""


MESMER_INPUT = InputFormat(tile=256, overlap=64)
"""Mesmer's, and that of networks like it which say nothing else."""

INSTANSEG_INPUT = InputFormat(normalisation=Percentiles(clip=(-2.0, 3.0)), tile=512, overlap=144)
"""InstanSeg's, and that of networks like it which say nothing else."""


def settled_format(said: InputFormat, *, seeds: bool) -> InputFormat:
    """Return a format with nothing left out; ``seeds``: of a network like InstanSeg, else of one like Mesmer."""
    usual = INSTANSEG_INPUT if seeds else MESMER_INPUT
    return replace(
        said,
        normalisation=said.normalisation or usual.normalisation,
        tile=usual.tile if said.tile is None else said.tile,
        overlap=usual.overlap if said.overlap is None else said.overlap,
    )


def is_own_format(found: InputFormat) -> bool:
    """Tell whether a format is neither Mesmer's nor InstanSeg's."""
    return found not in (MESMER_INPUT, INSTANSEG_INPUT)
