"""Values as sums of bfloat16: the nearest one, the nearest one to what that leaves, and so on.

Each piece has 8 of a value's bits. Three have the 24 of float32, so that nothing is rounded: of the nine products of
two such sums, the six that reach float32's last bit are computed.
"""

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from cellscale.predict.native.arithmetic import SUMS
from cellscale.predict.native.factors import HALVES, PAIRED, FactorKind, nearest_16, place_of, rounded, widened

__all__ = ["PIECES", "pieces_of", "split_16", "split_pairs_16"]

PIECES: Final[dict[FactorKind, int]] = {"matrices": 1, "fine matrices": 2, "exact matrices": 3}
"""Values of bfloat16 whose sum a factor is."""

_SHIFT: Final = ir.Constant(PAIRED, [16] * PAIRED.count)


def pieces_of(values: NDArray[np.floating], pieces: int) -> list[NDArray[np.float32]]:
    """Return what values are the sum of, as float32 that bfloat16 can hold.

    Parameters
    ----------
    values
        Of any shape; what is beyond float32 is rounded.
    pieces
        How many, the largest first.
    """
    rest = np.asarray(values, np.float32)
    found = []
    for _ in range(pieces):
        found.append(widened(rounded(rest)).reshape(rest.shape))
        rest = rest - found[-1]
    return found


def _split(typing: Any, source: Any, at: Any, target: Any, to: Any, between: Any, pieces: Any) -> Any:
    """Write the pieces of 16 values from ``source[at]`` on, 8 pairs of neighbours each.

    Parameters
    ----------
    target, to
        Flat, and where the first piece is written.
    between
        From one piece to the next.
    pieces
        How many, a constant. What is not finite leaves NaN in those after the first.
    """
    del typing, at, to, between
    return types.void(source, types.intp, target, types.intp, types.intp, pieces), _emit_split


def _emit_split(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    source, at, target, to, between, _ = values
    given = _loaded(context, builder, signature.args[0], source, at)
    for halves in _pieces(builder, given, signature.args[5].literal_value):
        place = place_of(context, builder, signature.args[2], target, to)
        builder.store(halves, builder.bitcast(place, HALVES.as_pointer()), align=4)
        to = builder.add(to, between)
    return context.get_dummy_value()


def _split_pairs(
    typing: Any, source: Any, at: Any, below: Any, target: Any, to: Any, between: Any, pieces: Any
) -> Any:
    """Write the pieces of 16 pairs of ``source[at]`` and ``source[below]`` on; other arguments as for `_split`."""
    del typing, at, below, to, between
    index = types.intp
    return types.void(source, index, index, target, index, index, pieces), _emit_pairs


def _emit_pairs(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    source, at, below, target, to, between, _ = values
    pieces = signature.args[6].literal_value
    rows = (_loaded(context, builder, signature.args[0], source, place) for place in (at, below))
    for low, high in zip(*(_pieces(builder, row, pieces) for row in rows), strict=True):
        pairs = builder.or_(builder.zext(low, PAIRED), builder.shl(builder.zext(high, PAIRED), _SHIFT))
        place = place_of(context, builder, signature.args[3], target, to)
        builder.store(pairs, builder.bitcast(place, PAIRED.as_pointer()), align=4)
        to = builder.add(to, between)
    return context.get_dummy_value()


def _loaded(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    place = place_of(context, builder, kind, array, at)
    return builder.load(builder.bitcast(place, SUMS.as_pointer()), align=4)


def _pieces(builder: Any, values: Any, pieces: int) -> list[Any]:
    """Return the pieces of 16 values, from the largest on."""
    found = [nearest_16(builder, values)]
    while len(found) < pieces:
        nearest = builder.bitcast(builder.shl(builder.zext(found[-1], PAIRED), _SHIFT), SUMS)
        values = builder.fsub(values, nearest)
        found.append(nearest_16(builder, values))
    return found


split_16 = cast(Callable[..., None], intrinsic(prefer_literal=True)(_split))
"""`_split` for kernels to call."""

split_pairs_16 = cast(Callable[..., None], intrinsic(prefer_literal=True)(_split_pairs))
"""`_split_pairs` for kernels to call."""
