"""Values as sums of bfloat16: the nearest one, the nearest one to what that leaves, and so on.

Each piece has 8 of a value's bits. Three have the 24 of float32, so that nothing is rounded: of the nine products of
two such sums, the six that reach float32's last bit are computed.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.native.factors import FactorKind, rounded, widened

__all__ = ["PIECES", "pieces_of"]

PIECES: Final[dict[FactorKind, int]] = {"matrices": 1, "fine matrices": 2, "exact matrices": 3}
"""Values of bfloat16 whose sum a factor is."""


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
