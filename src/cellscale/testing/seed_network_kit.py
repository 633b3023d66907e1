"""Whether a network that makes seeds does what `cellscale.predict.heads.Seeds` asks of it."""

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import CellscaleError
from cellscale.predict.heads import Seeds
from cellscale.predict.input_format import INSTANSEG_INPUT, InputFormat
from cellscale.predict.instanseg import HALO, NUMBER_OF_MAPS, SeedNetwork, problem_of_seeds, with_seeds
from cellscale.predict.onnx_file import Signature
from cellscale.testing.claims import claim

__all__ = ["check_seeds"]

_SIDE = 64
_TOLERANCE = 1e-3
"""Between a part computed alone and with all of the image: rounding may differ."""


def check_seeds(content: bytes, signature: Signature, seeds: Seeds, given: InputFormat = INSTANSEG_INPUT) -> None:
    """Check a network that makes seeds on parts of an image of noise.

    Parameters
    ----------
    content
        The ``.onnx`` file.
    signature
        Its inputs and outputs.
    seeds
        What a kind says of it.
    given
        What the kind says of its input.

    Raises
    ------
    AssertionError
        It is described wrongly, or its maps are not what a part of an image can be labelled from.
    """
    problem = problem_of_seeds(seeds, signature)
    claim(problem is None, problem or "")
    try:
        network = SeedNetwork(with_seeds(content, seeds), threads=1, name="to be checked")
        _check(network, HALO if given.overlap is None else given.overlap)
    except CellscaleError as error:
        raise AssertionError(f"the network cannot be computed: {error}") from error


def _check(network: SeedNetwork, halo: int) -> None:
    side = _SIDE + 2 * halo + 16
    image = np.random.default_rng(0).random((2, 1, side, side), np.float32)
    maps = network.predict(image, _margins(halo, halo + 16))
    claim(
        maps.shape == (NUMBER_OF_MAPS, _SIDE, _SIDE),
        f"the maps of a part of {_SIDE} x {_SIDE} pixels have the shape {maps.shape}; "
        f"{(NUMBER_OF_MAPS, _SIDE, _SIDE)} expected: the margins are cut off",
    )
    claim(np.ptp(maps, axis=(1, 2)).max() > 0, "all maps of an image of noise are blank")
    seen = image[..., : side - 16, : side - 16]
    _claim_same(maps, network.predict(seen, _margins(halo, halo)), f"when more than {halo} pixels around it are seen")
    whole = network.predict(image, _margins(0, 0))[:, halo : halo + _SIDE, halo : halo + _SIDE]
    _claim_same(maps, whole, "when all of the image is computed at once")
    _claim_same(maps, network.predict(image[::-1].copy(), _margins(halo, halo + 16)), "when channels change places")
    one = network.predict(image[:1].copy(), _margins(halo, halo + 16))
    claim(one.shape == maps.shape, f"of one channel the maps have the shape {one.shape}")


def _claim_same(maps: NDArray[np.float32], others: NDArray[np.float32], when: str) -> None:
    difference = float(np.abs(maps - others).max()) if maps.shape == others.shape else np.inf
    claim(difference <= _TOLERANCE, f"the maps of a part are others {when} (by {difference:.3g})")


def _margins(before: int, after: int) -> NDArray[np.int64]:
    return np.array([[before, before], [after, after]], np.int64)
