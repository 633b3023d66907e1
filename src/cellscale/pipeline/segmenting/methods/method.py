"""How networks of a kind make labels: what a run over one image, or a share of it, has to know of them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from cellscale.label.parameters import Parameters
from cellscale.pipeline.area import AreaCores
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.block_labeller import Labeller
from cellscale.pipeline.segmenting.block_store import SettledLabels
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.preparation import Prepared
from cellscale.pipeline.segmenting.tile_store import Group, GroupArrays, Groups, TileStore
from cellscale.predict.heads import Compartment
from cellscale.predict.instanseg import SeedNetwork
from cellscale.predict.network import Network
from cellscale.regions import Region, RegionReader

__all__ = ["AnyNetwork", "Kind", "Method"]

AnyNetwork: TypeAlias = Network | SeedNetwork
Kind: TypeAlias = Literal["maxima", "seeds"]
"""Objects grow from the maxima of one map over the other, as Mesmer's, or from seeds, as InstanSeg's."""


class Method(Protocol):
    """How networks of a kind make labels of an image."""

    @property
    def apart(self) -> bool:
        """Whether the network takes each channel by itself."""

    @property
    def paired(self) -> bool:
        """Whether a nucleus has the number of its cell."""

    def prepare(self, run: ImageRun, state: RunState, source: NetworkInput) -> Prepared:
        """Learn the whole-image facts that the network's input needs, or recall them from an earlier run."""

    def groups(self, shape: tuple[int, int], *, each_alone: bool = False) -> Groups:
        """Return the tiles of an image of so many rows and columns; ``each_alone``: no two in a group."""

    def predict(
        self,
        tiles: TileStore,
        network: AnyNetwork,
        read: RegionReader,
        *,
        workers: int,
        after_each: Callable[[float], None],
        ahead: int = sys.maxsize,
    ) -> None:
        """Predict the groups that are missing, as `cellscale.pipeline.segmenting.prediction.predict_groups` does."""

    def predict_one(self, tiles: TileStore, network: AnyNetwork, read: RegionReader, group: Group) -> None:
        """Predict one group now."""

    def stores(
        self, state: RunState, compartments: Sequence[Compartment], shape: tuple[int, int]
    ) -> Mapping[Compartment, Any]:
        """Return the stores of an image's blocks."""

    def part_stores(
        self,
        state: RunState,
        compartments: Sequence[Compartment],
        shape: tuple[int, int],
        cores: Sequence[Region],
    ) -> Mapping[Compartment, Any]:
        """Return the stores of parts of an image's blocks; ``cores`` are as for `StoredBlocks`."""

    def lacking(
        self, stores: Mapping[Compartment, Any], plan: AreaCores, parameters: Mapping[Compartment, Parameters]
    ) -> frozenset[int]:
        """Return the blocks of which more is to be labelled before all objects of an area are certain."""

    def labellers(
        self,
        stores: Mapping[Compartment, Any],
        groups: Groups,
        load: Callable[[Group], GroupArrays],
        network: Callable[[], AnyNetwork],
        parameters: Mapping[Compartment, Parameters],
        budget: Budget,
    ) -> dict[Compartment, Labeller]:
        """Return what labels blocks from groups of maps that ``load`` gives."""

    def settle(
        self, stores: Mapping[Compartment, Any], parameters: Mapping[Compartment, Parameters], shape: tuple[int, int]
    ) -> Mapping[Compartment, SettledLabels]:
        """Return the labels of an image whose blocks are labelled; ``shape`` is its own."""

    def save_intermediates(
        self, run: ImageRun, target: Path, prepared: Prepared, tiles: TileStore, network: AnyNetwork
    ) -> None:
        """Keep the network's input and maps as Zarr."""
