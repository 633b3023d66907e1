"""The weights of a 3 x 3 convolution at the points where Winograd's polynomials are evaluated.

A library's product of matrices does this with all cores waiting for each other: the matrices are nine rows high.
"""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel
from cellscale.predict.native.body.pointwise import PANEL

__all__ = ["weights_at_points"]


def weights_at_points(weights: NDArray[np.floating], evaluation: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return weights as they are multiplied, rounded once.

    Parameters
    ----------
    weights
        ``(columns, depth, 3, 3)``; `PANEL` divides the columns.
    evaluation
        What evaluates a polynomial of three weights, ``(points each way, 3)``.

    Returns
    -------
    float32 ``(points, columns / PANEL, depth, PANEL)``: for each point as
    `cellscale.predict.native.body.pointwise.panels` lays weights out.
    """
    columns, depth = weights.shape[:2]
    both_ways = np.kron(evaluation, evaluation).astype(np.float64)
    made = np.empty((len(both_ways), columns // PANEL, depth, PANEL), np.float32)
    # A copy: what lies in a file's memory is of another type to numba, by where it begins.
    _evaluate(np.array(weights.reshape(columns, depth, 9), np.float32), both_ways, made)
    return made


@fused_kernel
def _evaluate(weights: NDArray[np.float32], evaluation: NDArray[np.float64], made: NDArray[np.float32]) -> None:
    """Write the values of all weights at all points."""
    taps = np.empty((9, PANEL), np.float64)
    for panel in range(made.shape[1]):
        for row in range(made.shape[2]):
            for column in range(PANEL):
                for tap in range(9):
                    taps[tap, column] = weights[panel * PANEL + column, row, tap]
            for point in range(made.shape[0]):
                factors = evaluation[point]
                target = made[point, panel, row]
                for column in range(PANEL):
                    value = 0.0
                    for tap in range(9):
                        value += factors[tap] * taps[tap, column]
                    target[column] = value
