"""GFLOP/s of the native engine's 1 x 1 convolutions, with each kind of factors that this processor computes.

Usage, from the root: ``python -m benchmarks.products``. Needs no weights. The kinds take turns on one thread; the
best of several rounds of processor time counts, because other work of the machine can only add to it. What rounds
maps to bfloat16, adds the bias and rectifies is part of the time.
"""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import RequestError
from cellscale.predict.native.arithmetic import require_bfloat16
from cellscale.predict.native.body.matrix_convolutions import MatrixPointwise
from cellscale.predict.native.body.pointwise import Pointwise
from cellscale.predict.native.matrices import lacking_for_matrices
from cellscale.predict.native.memory import aligned, empty

SHAPES = (
    (4096, 64, 64), (4096, 64, 256), (4096, 256, 64), (1024, 128, 512), (1024, 512, 128), (256, 256, 1024),
    (256, 1024, 256), (64, 512, 2048), (64, 2048, 512),
)  # fmt: skip
"""Pixels, input channels and output channels of Mesmer's body."""

ROUNDS = 7
LEAST_PRODUCTS = 2e8
"""A round has so many, as a clock is not finer than some microseconds."""


def kinds() -> dict[str, Callable[[NDArray[np.float32], NDArray[np.float32]], Pointwise | MatrixPointwise]]:
    """Return what makes a convolution of weights and a bias, by the kind of factors."""
    found: dict[str, Callable[..., Pointwise | MatrixPointwise]] = {"float32": Pointwise.of}
    try:
        require_bfloat16()
    except RequestError as error:
        print(error)
        return found
    found["AVX-512 BF16"] = lambda weights, bias: Pointwise.of(weights, bias, in_pairs=True)
    lacking = lacking_for_matrices()
    if lacking:
        print(f"without AMX: {lacking}")
        return found
    found["AMX"] = lambda weights, bias: MatrixPointwise.of(weights, bias, 1)
    found["AMX, sums of two"] = lambda weights, bias: MatrixPointwise.of(weights, bias, 2)
    found["AMX, sums of three (float32)"] = lambda weights, bias: MatrixPointwise.of(weights, bias, 3)
    return found


def main() -> None:
    """Print a line for each shape."""
    random = np.random.default_rng(0)
    made = kinds()
    for pixels, depth, columns in SHAPES:
        weights = random.normal(size=(columns, depth, 1, 1)).astype(np.float32)
        bias = random.normal(size=columns).astype(np.float32)
        source, target = aligned(random.normal(size=pixels * depth).astype(np.float32)), empty(pixels * columns)
        convolutions = {name: make(weights, bias) for name, make in made.items()}
        products = pixels * depth * columns
        times = dict.fromkeys(convolutions, np.inf)
        for _ in range(ROUNDS):
            for name, convolution in convolutions.items():
                convolution.apply(source, target, rectifies=True)
                count = max(3, int(LEAST_PRODUCTS / products))
                start = time.process_time()
                for _ in range(count):
                    convolution.apply(source, target, rectifies=True)
                times[name] = min(times[name], (time.process_time() - start) / count)
        found = ", ".join(f"{name} {2 * products / best / 1e9:.0f}" for name, best in times.items())
        print(f"{pixels} pixels, {depth} to {columns} channels: {found} GFLOP/s", flush=True)


if __name__ == "__main__":
    main()
