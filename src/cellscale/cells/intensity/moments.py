"""What statistics of pixels are made of, whatever their type."""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel

__all__ = ["N_STATISTICS", "moments", "sort"]

N_STATISTICS = 6
"""Mean, median, minimum, maximum, standard deviation, variance."""


@kernel
def moments(values: NDArray[np.float32], total: float) -> tuple[float, float]:
    """Return mean and sample variance of values that have this sum."""
    # The second pass adds what rounding left of the first, as in Apache Commons Math, whose numbers these are.
    count = len(values)
    rough = total / count
    rest = 0.0
    for value in values:
        rest += value - rough
    mean = rough + rest / count
    squares, rest = 0.0, 0.0
    for value in values:
        squares += (value - mean) * (value - mean)
        rest += value - mean
    if count == 1:
        return mean, 0.0
    return mean, (squares - rest * rest / count) / (count - 1)


@kernel
def sort(values: NDArray[np.float32 | np.uint8 | np.uint16]) -> None:
    """Sort in place: Shell's method, which compiles in a tenth of the time of numba's own sort."""
    gap = len(values)
    while gap > 1:
        gap = max(gap * 5 // 11, 1)
        for index in range(gap, len(values)):
            value, place = values[index], index
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
