"""How cells are to be found in a crop: of a request, what their labels depend on."""

from dataclasses import dataclass, field

from cellscale.label.growth import Growth
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.pipeline.request import ChannelChoice, Request
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.preprocess.preprocessing import Preprocessing

__all__ = ["FoundHow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHow:
    """What the labels of cells depend on, for one image and one network."""

    channels: ChannelChoice = field(default_factory=ChannelChoice)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    compartments: tuple[Compartment, ...] = COMPARTMENTS
    """What the network is to find."""
    whole_cell: Parameters = WHOLE_CELL
    nuclear: Parameters = NUCLEUS
    expand_cells: Growth | None = None
    """How far whole cells grow."""

    @classmethod
    def of(cls, request: Request) -> "FoundHow":
        """Return what a request for one image asks for."""
        return cls(
            channels=request.channels,
            preprocessing=request.preprocessing,
            compartments=request.predicted,
            whole_cell=request.segmenting.whole_cell,
            nuclear=request.segmenting.nuclear,
            expand_cells=request.segmenting.expand_cells,
        )

    @property
    def of_nuclei(self) -> bool:
        """Whether whole cells are the nuclei, grown."""
        return self.expand_cells is not None and "whole-cell" not in self.compartments

    def parameters(self) -> dict[Compartment, Parameters]:
        """Return how the maps of each compartment become labels."""
        both: dict[Compartment, Parameters] = {"whole-cell": self.whole_cell, "nuclear": self.nuclear}
        return {name: both[name] for name in COMPARTMENTS if name in self.compartments}
