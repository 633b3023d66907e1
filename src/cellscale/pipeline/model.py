"""The network as the pipeline is given it: known by its hash, loaded when the first image needs it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cellscale.predict.input_format import INSTANSEG_INPUT, MESMER_INPUT, InputFormat

if TYPE_CHECKING:
    from cellscale.predict.instanseg import SeedNetwork
    from cellscale.predict.network import Network

__all__ = ["LIKE_INSTANSEG", "LIKE_MESMER", "Interface", "Model"]


@dataclass(frozen=True, slots=True)
class Interface:
    """How a network sees images, and how its maps become labels."""

    kind: Literal["maxima", "seeds"] = "maxima"
    """How its maps become labels."""
    input_format: InputFormat = MESMER_INPUT
    """What it is to be given of an image."""


LIKE_MESMER = Interface()
LIKE_INSTANSEG = Interface("seeds", INSTANSEG_INPUT)


@dataclass(frozen=True, slots=True)
class Model:
    """The network, loaded when the first image needs it."""

    sha256: str
    load: "Callable[[], Network | SeedNetwork]"
    arithmetic: str = "cpu float32"
    """What the last bits of its maps depend on, if it runs on the device that is expected."""
    interface: Interface = LIKE_MESMER
    license: str = ""
    """Name of the terms of its weights; blank where they are not known."""
    name: str = "mesmer"
    """What records of runs call it."""

    @property
    def kind(self) -> Literal["maxima", "seeds"]:
        """How its maps become labels."""
        return self.interface.kind

    @property
    def input_format(self) -> InputFormat:
        """What it is to be given of an image."""
        return self.interface.input_format
