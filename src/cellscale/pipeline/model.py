"""The network as the pipeline is given it: known by its hash, loaded when the first image needs it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cellscale.predict.input_format import MESMER_INPUT, InputFormat

if TYPE_CHECKING:
    from cellscale.predict.instanseg import SeedNetwork
    from cellscale.predict.network import Network

__all__ = ["Model"]


@dataclass(frozen=True, slots=True)
class Model:
    """The network, loaded when the first image needs it."""

    sha256: str
    load: "Callable[[], Network | SeedNetwork]"
    arithmetic: str = "cpu float32"
    """What the last bits of its maps depend on, if it runs on the device that is expected."""
    kind: Literal["maxima", "seeds"] = "maxima"
    """How its maps become labels."""
    input_format: InputFormat = MESMER_INPUT
    """What it is to be given of an image."""
    license: str = ""
    """Name of the terms of its weights; blank where they are not known."""
