"""Whether a kind of network is described as `cellscale.predict.network_kinds.NetworkKind` asks."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import CellscaleError
from cellscale.predict.heads import COMPARTMENTS, Compartment, Head, Seeds
from cellscale.predict.input_format import About, InputFormat, problem_of_about, problem_of_format, settled_format
from cellscale.predict.network import OnnxNetwork
from cellscale.predict.network_kinds import NetworkKind, problem_of, with_heads
from cellscale.predict.onnx_file import CHANNELS, Signature, signature_of
from cellscale.predict.tiles import TILE
from cellscale.testing.claims import claim
from cellscale.testing.seed_network_kit import check_seeds

__all__ = ["check_network"]

_TOLERANCE = 1e-4
"""Between a tile's maps alone and among others: rounding may differ."""


def check_network(kind: NetworkKind, model: Path) -> None:
    """Check a kind of network on a network of it.

    Parameters
    ----------
    kind
        The kind.
    model
        An ``.onnx`` file.

    Raises
    ------
    AssertionError
        The kind does something wrong, or the network is not one that cellscale can run; the message says what.
    """
    content = model.read_bytes()
    try:
        signature = signature_of(content)
    except ValueError as error:
        raise AssertionError(f"{model} is not an ONNX file: {error}") from error
    heads = kind.heads(signature)
    claim(heads is not None, f"the network is not recognised: {signature}")
    assert heads is not None
    claim(
        kind.heads(Signature({"other_input": (None, 64, 64, 5)}, {"other_output": (None, 64, 64, 1)})) is None,
        "a network with other inputs and outputs is recognised; expected None for it",
    )
    said = kind.input_format(signature) if hasattr(kind, "input_format") else InputFormat()
    problem = problem_of_format(said, seeds=isinstance(heads, Seeds))
    claim(problem is None, problem or "")
    given = settled_format(said, seeds=isinstance(heads, Seeds))
    about = getattr(kind, "about", About())
    problem = problem_of_about(about)
    claim(problem is None, problem or "")
    claim(about.mpp in (None, given.mpp), f"about has {about.mpp} µm/px, the input {given.mpp}; the same expected")
    if isinstance(heads, Seeds):
        check_seeds(content, signature, heads, given)
        return
    problem = problem_of(heads, signature)
    claim(problem is None, problem or "")
    found = tuple(one for one in COMPARTMENTS if any(head.compartment == one for head in heads))
    together = _maps(content, signature, heads, found, given)
    for position, compartment in enumerate(found):
        alone = _maps(content, signature, heads, (compartment,), given)
        claim(
            np.abs(alone - together[..., 2 * position : 2 * position + 2]).max() <= _TOLERANCE,
            f"the maps of {compartment} are others when nothing else is asked for",
        )
        for which, what in enumerate(("maxima", "interior")):
            blank, shown = alone[0, ..., which], alone[1, ..., which]
            claim(
                np.abs(blank - shown).max() > _TOLERANCE,
                f"the {what} of {compartment} are the same for a blank tile and for one with bright spots",
            )


def _maps(
    content: bytes,
    signature: Signature,
    heads: tuple[Head, ...],
    compartments: tuple[Compartment, ...],
    given: InputFormat,
) -> NDArray[np.float32]:
    """Return the maps of some compartments, having checked that a tile's do not depend on the others with it."""
    try:
        adapted = with_heads(content, signature, heads, compartments, "to be checked", given)
        side = given.tile or TILE
        network = OnnxNetwork(adapted, compartments=compartments, threads=1, tile=side)
        tiles = _tiles(side)
        maps = network.predict(tiles)
        alone = network.predict(tiles[-1:])
    except CellscaleError as error:
        raise AssertionError(f"the network cannot be computed: {error}") from error
    claim(
        np.abs(maps[-1] - alone[0]).max() <= _TOLERANCE,
        "the maps of a tile depend on the others that are computed with it",
    )
    return maps


def _tiles(side: int) -> NDArray[np.float32]:
    """Return a blank tile, one with bright spots in both channels, and one with noise."""
    rows, columns = np.mgrid[:side, :side] % 32 - 16
    spots = np.exp(-(rows**2 + columns**2) / 40).astype(np.float32)
    noise = np.random.default_rng(0).random((side, side, CHANNELS), np.float32)
    return np.stack([np.zeros_like(noise), np.repeat(spots[..., np.newaxis], CHANNELS, axis=2), noise])
