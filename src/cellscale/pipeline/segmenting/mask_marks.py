"""What each of an image's masks depends on: the pixels and the network, then how its labels are found in the maps.

Unfinished work lies where this says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellscale import __version__
from cellscale.pipeline.area import choice_mark, tissue_mark
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import RunState, fingerprint, open_state
from cellscale.pipeline.segmenting.block_store import BLOCK
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.tile_store import GROUP
from cellscale.predict.heads import Compartment
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.identity import Identity
from cellscale.workspace.layout import WorkspacePaths, mask_name
from cellscale.workspace.record import SUFFIXES, Ledger

__all__ = ["MaskMarks", "earlier_mask_mark", "growth_of", "label_facts", "mask_marks", "run_state"]


@dataclass(frozen=True, slots=True)
class MaskMarks:
    """Hashes of all that an image's masks depend on, but the version of cellscale."""

    maps: str
    """Of what the network's maps depend on."""
    masks: Mapping[Compartment, str]
    """Of each mask: ``maps``, a blank, and a hash of how its labels are found."""

    @property
    def together(self) -> str:
        """Of all masks that are asked for."""
        return fingerprint({str(compartment): mark for compartment, mark in self.masks.items()})

    def of_files(self, ledger: Ledger) -> dict[str, str]:
        """Return the mark of each file that may be made, by its name.

        Those of other compartments are as they are on record, where they are of the same maps: they stay good.
        """
        asked = {
            mask_name(ledger.image, compartment, suffix): mark
            for compartment, mark in self.masks.items()
            for suffix in SUFFIXES
        }
        known = {name: record.made_from for name, record in ledger.records("segmentation").items()}
        return {name: mark for name, mark in known.items() if mark.startswith(f"{self.maps} ")} | asked


def mask_marks(
    identity: Identity, entry: ImageEntry, request: Request, source: NetworkInput, model: Model
) -> MaskMarks:
    """Return what an image's masks depend on.

    Raises
    ------
    ImageError
        Cells are to grow by more pixels than they can, or there are no regions for this image.
    """
    maps = fingerprint(_of_maps([identity.facts], entry, request, source, model))
    facts: Mapping[Compartment, Mapping[str, Any]] = label_facts(request, source)
    if model.kind == "seeds":  # nuclei that find their cells have other labels than nuclei alone
        seeds = {"seeds": sorted(request.predicted)}
        facts = _with_growth(dict.fromkeys(request.compartments, seeds), request, source)
    area = {**choice_mark(request, entry), **tissue_mark(request.area)}
    return MaskMarks(
        maps, {compartment: f"{maps} {fingerprint({**found, **area})}" for compartment, found in facts.items()}
    )


def earlier_mask_mark(entry: ImageEntry, request: Request, source: NetworkInput, model: Model) -> str:
    """Return the mark of version 0.2, which had one for all masks and went by the time of the image."""
    facts = _of_maps([entry.marker, entry.size], entry, request, source, model)
    area = {**choice_mark(request, entry), **tissue_mark(request.area)}
    return fingerprint({**facts, **area, "labels": label_facts(request, source)})


def run_state(
    paths: WorkspacePaths,
    image: str,
    marks: MaskMarks,
    arithmetic: str,
    *,
    shared: bool = False,
    scratch: Path | None = None,
) -> RunState:
    """Return where the finished units of an image are kept.

    Parameters
    ----------
    paths
        Where work in progress is.
    image
        The image's name.
    marks
        What the image's masks depend on.
    arithmetic
        What the last bits of the network's maps depend on: work begun on one kind of device is not finished on
        another, so that a resumed image has the bytes of an uninterrupted one.
    shared
        Where the dataset is in an object store, keep them there as well, so that another machine can go on. The state
        has to be closed then.
    scratch
        Folder of this machine for copies of what is in the object store; None: one that later runs find again.
    """
    key = fingerprint(
        {"facts": marks.together, "arithmetic": arithmetic, "version": __version__, "block": BLOCK, "group": GROUP}
    )
    return open_state(paths.jobs, image, key, shared=shared, scratch=scratch)


def _of_maps(
    image: list[Any], entry: ImageEntry, request: Request, source: NetworkInput, model: Model
) -> dict[str, Any]:
    axis = {} if entry.channel_axis in (None, "C") else {"axis": entry.channel_axis}
    by_regions = {}
    if request.area.statistics == "regions":
        by_regions = {"statistics": {**choice_mark(request, entry), **tissue_mark(request.area)}}
    return {
        **axis,
        **by_regions,
        "input": [*image, list(source.shape), [str(dtype) for dtype in source.dtypes]],
        "choice": list(source.choice),
        "network": model.sha256,
        "precision": request.network.precision,
    }


def growth_of(request: Request, source: NetworkInput) -> float | None:
    """Return by how many pixels of the image whole cells grow; None where they are what the network finds."""
    growth = request.segmenting.expand_cells
    if growth is not None:
        return growth.pixels(source.pixel_size.mpp)
    return 0.0 if request.cells_of_nuclei else None


def label_facts(request: Request, source: NetworkInput) -> dict[Compartment, dict[str, Any]]:
    """Return how the labels of each compartment are found in the maps.

    What there was not always is a fact only where it does something: masks of earlier versions still fit.
    """
    parameters = {
        compartment: request.segmenting.parameters(compartment).facts() for compartment in request.compartments
    }
    return _with_growth(parameters, request, source)


def _with_growth(
    facts: Mapping[Compartment, dict[str, Any]], request: Request, source: NetworkInput
) -> dict[Compartment, dict[str, Any]]:
    """Return how labels are found, with how those of whole cells grow; it does not change those of nuclei."""
    growth = growth_of(request, source)
    if growth is None or "whole-cell" not in facts:
        return dict(facts)
    begun = {**facts["nuclear"], "of_nuclei": 1.0} if request.cells_of_nuclei else facts["whole-cell"]
    return {**facts, "whole-cell": {**begun, "pixel_expansion": growth}}
