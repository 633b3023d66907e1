"""How InstanSeg and what is like it make labels."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from cellscale.label.parameters import Parameters
from cellscale.label.seeds import Classifier
from cellscale.pipeline.area import AreaCores, lacking_of_seeds
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.block_labeller import Labeller
from cellscale.pipeline.segmenting.block_store import BLOCK, SettledLabels
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.intermediates import save_intermediates
from cellscale.pipeline.segmenting.methods.method import AnyNetwork, Method
from cellscale.pipeline.segmenting.methods.scaling import ScaledImage, prepare_scaled
from cellscale.pipeline.segmenting.methods.seed_labels import SeedBlockStore, SeedLabeller, settled
from cellscale.pipeline.segmenting.methods.square_groups import (
    SquareGroups,
    predict_square,
    predict_squares,
    read_squares,
)
from cellscale.pipeline.segmenting.preparation import Prepared
from cellscale.pipeline.segmenting.tile_store import Group, GroupArrays, Groups, TileStore
from cellscale.predict.heads import Compartment
from cellscale.predict.input_format import InputFormat, settled_format
from cellscale.predict.instanseg import HALO, NUMBER_OF_MAPS, SQUARE, SeedNetwork, SquareGrid
from cellscale.regions import Region, RegionReader

__all__ = ["MAPS_OF_SEEDS", "of_seeds"]

MAPS_OF_SEEDS: dict[Compartment, slice] = {
    "nuclear": slice(NUMBER_OF_MAPS // 2),
    "whole-cell": slice(NUMBER_OF_MAPS // 2, NUMBER_OF_MAPS),
}
"""Which of the network's maps are a compartment's."""

_NAMES = ("offset along columns", "offset along rows", "spread 1", "spread 2", "height")


@dataclass(frozen=True, slots=True)
class _Seeds:
    """Labels of seeds; see `Method`."""

    input_format: InputFormat

    @property
    def apart(self) -> bool:
        return True

    @property
    def paired(self) -> bool:
        return True

    def prepare(self, run: ImageRun, state: RunState, source: NetworkInput) -> ScaledImage:
        given = settled_format(self.input_format, seeds=True)
        assert given.normalisation is not None, "InstanSeg's is a normalisation like any other"
        return prepare_scaled(run, state, source, given.normalisation)

    def groups(self, shape: tuple[int, int], *, each_alone: bool = False) -> SquareGroups:
        given = self.input_format
        square = SQUARE if given.tile is None else given.tile
        return SquareGroups(SquareGrid(shape, square, HALO if given.overlap is None else given.overlap))

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
        predict_squares(
            tiles,
            cast(SquareGroups, tiles.groups),
            cast(SeedNetwork, network),
            read,
            workers=workers,
            after_each=after_each,
            ahead=ahead,
        )

    def predict_one(self, tiles: TileStore, network: AnyNetwork, read: RegionReader, group: Group) -> None:
        predict_square(tiles, cast(SquareGroups, tiles.groups), cast(SeedNetwork, network), read, group)

    def stores(
        self, state: RunState, compartments: Sequence[Compartment], shape: tuple[int, int]
    ) -> dict[Compartment, SeedBlockStore]:
        return {compartment: SeedBlockStore(state, compartment, shape) for compartment in compartments}

    def part_stores(
        self,
        state: RunState,
        compartments: Sequence[Compartment],
        shape: tuple[int, int],
        cores: Sequence[Region],
    ) -> dict[Compartment, SeedBlockStore]:
        return {compartment: SeedBlockStore(state, compartment, shape, cores) for compartment in compartments}

    def lacking(
        self,
        stores: Mapping[Compartment, SeedBlockStore],
        plan: AreaCores,
        parameters: Mapping[Compartment, Parameters],
    ) -> frozenset[int]:
        in_order = [stores[compartment] for compartment in MAPS_OF_SEEDS if compartment in stores]
        return lacking_of_seeds(plan, in_order[0].cores, BLOCK, in_order)

    def labellers(
        self,
        stores: Mapping[Compartment, SeedBlockStore],
        groups: Groups,
        load: Callable[[Group], GroupArrays],
        network: Callable[[], AnyNetwork],
        parameters: Mapping[Compartment, Parameters],
        budget: Budget,
    ) -> dict[Compartment, Labeller]:
        classifier = Classifier.of(cast(SeedNetwork, network()).classifier)
        grid = cast(SquareGroups, groups).grid
        return {
            compartment: SeedLabeller(
                store, partial(read_squares, load, grid, maps=MAPS_OF_SEEDS[compartment]), classifier
            )
            for compartment, store in stores.items()
        }

    def settle(
        self,
        stores: Mapping[Compartment, SeedBlockStore],
        parameters: Mapping[Compartment, Parameters],
        shape: tuple[int, int],
    ) -> dict[Compartment, SettledLabels]:
        return settled(stores, shape)

    def save_intermediates(
        self, run: ImageRun, target: Path, prepared: Prepared, tiles: TileStore, network: AnyNetwork
    ) -> None:
        grid = cast(SquareGroups, tiles.groups).grid
        names = [f"{compartment} {name}" for compartment in MAPS_OF_SEEDS for name in _NAMES]
        read = partial(read_squares, tiles.load, grid, maps=slice(0, NUMBER_OF_MAPS))
        save_intermediates(run, target, prepared, read, names, len(cast(ScaledImage, prepared).channels))


def of_seeds(input_format: InputFormat) -> Method:
    """Return how networks like InstanSeg make labels that are given their input in a format."""
    return _Seeds(input_format)
