"""Mesmer and what is like it: tiles are blended, and objects grow from maxima."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cellscale.label.maps import MapReader
from cellscale.label.parameters import Parameters
from cellscale.pipeline.area import AreaCores
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.block_labeller import BlockLabeller, Labeller
from cellscale.pipeline.segmenting.block_store import BlockStore, CompartmentLabels, SettledLabels
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.intermediates import save_intermediates
from cellscale.pipeline.segmenting.methods.method import AnyNetwork, Method
from cellscale.pipeline.segmenting.methods.scaling import prepare_scaled
from cellscale.pipeline.segmenting.prediction import predict_group, predict_groups
from cellscale.pipeline.segmenting.preparation import Prepared, combined, prepare
from cellscale.pipeline.segmenting.tile_store import Group, GroupArrays, Groups, TileGroups, TileStore, maps_of
from cellscale.predict.blending import blend
from cellscale.predict.heads import Compartment
from cellscale.predict.input_format import InputFormat
from cellscale.predict.network import Network
from cellscale.predict.tiles import OVERLAP, TILE, TileGrid
from cellscale.regions import Region, RegionReader

__all__ = ["map_reader", "of_maxima"]

NEAR_SURROUNDINGS = 48
"""Pixels around what is labelled of a part of an image whose tiles are predicted with it: its halo and smoothing."""


@dataclass(frozen=True, slots=True)
class _Maxima:
    """Labels of maxima and interior; see `Method`."""

    input_format: InputFormat

    @property
    def apart(self) -> bool:
        return False

    @property
    def paired(self) -> bool:
        return False

    def prepare(self, run: ImageRun, state: RunState, source: NetworkInput) -> Prepared:
        if self.input_format.normalisation is None:
            return prepare(run, state, source)
        return prepare_scaled(run, state, combined(run, state, source), self.input_format.normalisation)

    def groups(self, shape: tuple[int, int], *, each_alone: bool = False) -> TileGroups:
        given = self.input_format
        grid = TileGrid.of(shape, given.tile or TILE, given.overlap or OVERLAP)
        # Single tiles are for parts of an image, where what is seldom needed is predicted when it is.
        return TileGroups(grid, side=1, surroundings=NEAR_SURROUNDINGS) if each_alone else TileGroups(grid)

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
        predict_groups(
            tiles,
            cast(Network, network),
            read,
            workers=workers,
            after_each=after_each,
            ahead=ahead,
        )

    def predict_one(self, tiles: TileStore, network: AnyNetwork, read: RegionReader, group: Group) -> None:
        predict_group(tiles, cast(Network, network), read, group)

    def stores(
        self, state: RunState, compartments: Sequence[Compartment], shape: tuple[int, int]
    ) -> dict[Compartment, BlockStore]:
        return {compartment: BlockStore(state, compartment, shape) for compartment in compartments}

    def part_stores(
        self,
        state: RunState,
        compartments: Sequence[Compartment],
        shape: tuple[int, int],
        cores: Sequence[Region],
    ) -> dict[Compartment, BlockStore]:
        return {compartment: BlockStore(state, compartment, shape, cores=cores) for compartment in compartments}

    def lacking(
        self, stores: Mapping[Compartment, BlockStore], plan: AreaCores, parameters: Mapping[Compartment, Parameters]
    ) -> frozenset[int]:
        each = (store.lacking(plan, parameters[compartment]) for compartment, store in stores.items())
        return frozenset().union(*each)

    def labellers(
        self,
        stores: Mapping[Compartment, BlockStore],
        groups: Groups,
        load: Callable[[Group], GroupArrays],
        network: Callable[[], AnyNetwork],
        parameters: Mapping[Compartment, Parameters],
        budget: Budget,
    ) -> dict[Compartment, Labeller]:
        tiles = cast(TileGroups, groups)
        read = partial(maps_of, tiles, load)
        return {
            compartment: BlockLabeller(store, map_reader(read, tiles.grid, position), parameters[compartment], budget)
            for position, (compartment, store) in enumerate(stores.items())
        }

    def settle(
        self,
        stores: Mapping[Compartment, BlockStore],
        parameters: Mapping[Compartment, Parameters],
        shape: tuple[int, int],
    ) -> dict[Compartment, SettledLabels]:
        return {
            compartment: CompartmentLabels.settle(store, parameters[compartment], shape)
            for compartment, store in stores.items()
        }

    def save_intermediates(
        self, run: ImageRun, target: Path, prepared: Prepared, tiles: TileStore, network: AnyNetwork
    ) -> None:
        heads = cast(Network, network).heads
        grid = cast(TileGroups, tiles.groups).grid
        names = [f"{head.compartment} {head.kind}" for head in heads]
        save_intermediates(run, target, prepared, partial(blend, tiles.read, grid), names, 2)


def of_maxima(input_format: InputFormat) -> Method:
    """Return how networks like Mesmer make labels that are given their input in a format."""
    return _Maxima(input_format)


def map_reader(read: Callable[[int, int], NDArray[np.float32]], grid: TileGrid, position: int) -> MapReader:
    """Return a reader of one compartment's two maps, blended from tiles.

    Parameters
    ----------
    read
        Returns all maps of the tile at a row and a column, ``(tile, tile, k)``.
    grid
        The image's tiles.
    position
        Which of the network's compartments.
    """
    maps = slice(2 * position, 2 * position + 2)

    def read_tile(row: int, column: int) -> NDArray[np.float32]:
        return read(row, column)[..., maps]

    def read_maps(region: Region) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        maxima, interior = blend(read_tile, grid, region)
        return maxima, interior

    return read_maps
