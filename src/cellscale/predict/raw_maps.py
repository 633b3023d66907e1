"""Everything that a network answers for one tile, in its own order: what shows a person which map is which."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ModelError
from cellscale.predict.heads import Head
from cellscale.predict.input_format import MESMER_INPUT, Role
from cellscale.predict.instanseg import NUMBER_OF_MAPS, SeedNetwork, seed_model
from cellscale.predict.network_kinds import NetworkKind, heads_in
from cellscale.predict.onnx_file.model_file import model_bytes
from cellscale.predict.onnx_file.signature import signature_of
from cellscale.predict.sessions import RUN_ERRORS, SessionSettings, open_session

__all__ = ["RawMap", "raw_maps"]


@dataclass(frozen=True, slots=True, eq=False)
class RawMap:
    """One channel of one of a network's outputs."""

    name: str
    """The output, and the number of the channel from 0."""
    taken_for: str
    """Compartment and kind of map that cellscale uses it as; blank where it is not used."""
    values: NDArray[np.float32]
    """``(rows, columns)``."""


def raw_maps(
    model: Path,
    tile: NDArray[np.float32],
    *,
    name: str,
    kind: NetworkKind | None = None,
    channels: tuple[Role, ...] = MESMER_INPUT.channels,
) -> tuple[RawMap, ...]:
    """Return all channels of all outputs of a network for one tile.

    Parameters
    ----------
    model
        The ``.onnx`` file.
    tile
        The network's input, float32 ``(channels, tile, tile)``: nucleus and membrane, or any channels of a network of
        seeds.
    name
        What the network is called in messages.
    kind
        Which kind it is; None: known by its file.
    channels
        Which of nucleus and membrane a network like Mesmer takes, in its order.

    Raises
    ------
    ModelError
        The network cannot be computed, or takes other tiles.
    """
    seeds = seed_model(model) if kind is None else None
    if seeds is not None:
        return tuple(_maps_of_seeds(seeds, tile, name))
    content = model_bytes(model)
    session = open_session(content, name, SessionSettings())
    inputs = session.get_inputs()
    tile = tile[[MESMER_INPUT.channels.index(role) for role in channels]]
    first = len(inputs) == 1 and list(inputs[0].shape[1:2]) == [len(channels)]
    given = tile[np.newaxis] if first else np.moveaxis(tile, 0, -1)[np.newaxis]
    try:
        answers = session.run(None, {inputs[0].name: np.ascontiguousarray(given)})
    except (*RUN_ERRORS, ValueError) as error:
        raise ModelError(f"{name} does not take a tile of {given.shape} numbers: {error}") from error
    heads = {(head.output, head.index): head for head in heads_in(signature_of(content), kind)}
    names = [output.name for output in session.get_outputs()]
    found: list[RawMap] = []
    for output, answer in zip(names, answers, strict=True):
        if answer.ndim != 4:
            raise ModelError(f"the output {output} of {name} has {answer.ndim} axes; 4 expected")
        planes = answer[0] if answer.shape[2:] == tile.shape[1:] else np.moveaxis(answer[0], -1, 0)
        found += [
            RawMap(f"{output}[{index}]", _use(heads.get((output, index))), plane)
            for index, plane in enumerate(planes)
        ]
    return tuple(found)


def _use(head: Head | None) -> str:
    return "" if head is None else f"{head.compartment} {head.kind}"


def _maps_of_seeds(model: Path | bytes, tile: NDArray[np.float32], name: str) -> Iterator[RawMap]:
    maps = SeedNetwork(model, name=name).predict(tile[:, np.newaxis], np.zeros((2, 2), np.int64))
    for index, plane in enumerate(maps):
        yield RawMap(f"maps[{index}]", "nuclear" if index < NUMBER_OF_MAPS // 2 else "whole-cell", plane)
