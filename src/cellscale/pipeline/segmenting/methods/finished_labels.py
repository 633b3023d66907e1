"""What becomes of labels once they are found, whatever the method: cells grow, and those of a part stay."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.label.kernels import grown
from cellscale.pipeline.area import AreaCores, Selection, selected_labels
from cellscale.pipeline.segmenting.block_store import BLOCK, CertificateSummary, SettledLabels
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.regions import Region, blocks

__all__ = ["GrownLabels", "SelectedLabels", "grown_cells", "selected_cells", "selections_of"]


@dataclass(frozen=True, slots=True)
class GrownLabels:
    """Labels that have grown into the background around them."""

    before: SettledLabels
    growth: float
    """Pixels of the image."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the image."""
        return self.before.shape

    @property
    def certificate(self) -> CertificateSummary:
        """What proves that they are the whole image's."""
        return self.before.certificate

    @property
    def count(self) -> int:
        """Objects found."""
        return self.before.count

    @property
    def reach(self) -> int:
        """Pixels around a region on which its labels depend besides."""
        return math.floor(self.growth)

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region; 0 for background."""
        if not self.reach:
            return self.before.read(region)
        labels = np.empty(region.shape, np.int32)
        for part in blocks(region.shape, (region.height, BLOCK)):  # or what is around a wide region takes as much
            core = Region(region.top, region.left + part.left, region.bottom, region.left + part.right)
            seen = core.grown(self.reach, self.shape)
            labels[part.slices] = grown(self.before.read(seen), self.growth)[core.within(seen)]
        return labels


@dataclass(frozen=True, slots=True)
class SelectedLabels:
    """Labels of which those stay whose centre is in the part of the image that is wanted."""

    before: SettledLabels
    selection: Selection

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the image."""
        return self.before.shape

    @property
    def certificate(self) -> CertificateSummary:
        """What proves that they are the whole image's."""
        return self.before.certificate

    @property
    def count(self) -> int:
        """Objects that stay."""
        return len(self.selection)

    @property
    def reach(self) -> int:
        """Pixels around a region on which its labels depend besides."""
        return self.before.reach if isinstance(self.before, GrownLabels) else 0

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region; 0 for background."""
        return self.selection(self.before.read(region))


def grown_cells(
    labels: Mapping[Compartment, SettledLabels], growth: float, *, of_nuclei: bool
) -> dict[Compartment, SettledLabels]:
    """Return labels with those of whole cells grown.

    Parameters
    ----------
    labels
        Of each compartment.
    growth
        Pixels of the image.
    of_nuclei
        Whole cells are the nuclei, grown, and have their numbers.
    """
    grown_ones: dict[Compartment, SettledLabels] = dict(labels)
    made: Compartment = "nuclear" if of_nuclei else "whole-cell"
    if made in labels:
        grown_ones["whole-cell"] = GrownLabels(labels[made], growth)
    return {compartment: grown_ones[compartment] for compartment in COMPARTMENTS if compartment in grown_ones}


def selected_cells(
    labels: Mapping[Compartment, SettledLabels], plan: AreaCores, cores: Sequence[Region], *, together: bool
) -> dict[Compartment, SelectedLabels]:
    """Return labels without the objects whose centre is not in the area that is wanted.

    Parameters
    ----------
    labels
        Of each compartment, grown if they are to grow.
    plan
        What is wanted.
    cores
        What was labelled.
    together
        Nuclei have the numbers of their cells, which decide for both, so that the numbers stay the same.
    """
    decides = together and "whole-cell" in labels
    selections: dict[Compartment, Selection] = {}
    for compartment, found in labels.items():
        if not (decides and compartment == "nuclear"):
            reach = found.reach if isinstance(found, GrownLabels) else 0
            parts = plan.in_image(cores, reach, BLOCK)
            selections[compartment] = selected_labels(plan.area, found.read, parts, found.count)
    if decides and "nuclear" in labels:
        selections["nuclear"] = selections["whole-cell"].first(labels["nuclear"].count)
    return {compartment: SelectedLabels(found, selections[compartment]) for compartment, found in labels.items()}


def selections_of(labels: Mapping[Compartment, SettledLabels]) -> dict[Compartment, Selection]:
    """Return which labels stay, of the compartments of which not all do."""
    return {name: found.selection for name, found in labels.items() if isinstance(found, SelectedLabels)}
