"""Random numbers and smooth random fields that depend on a key and a place only.

A value at a place never depends on what else is computed, so any part of an image can be made alone.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cellscale.compiled import kernel

__all__ = ["ATLAS_SIDE", "atlas", "child", "fractal", "key_of", "mixed", "normal", "smooth", "uniform"]

ATLAS_SIDE = 256
"""Rows and columns of a texture atlas, a power of two."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TURNS = np.arange(16) * (np.pi / 8)
_SLOPES = np.stack([np.sin(_TURNS), np.cos(_TURNS)], axis=1)
_S60 = np.uint64(60)
_S11, _S27, _S30, _S31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
_LANE, _S16, _S32, _S48 = np.uint64(0xFFFF), np.uint64(16), np.uint64(32), np.uint64(48)
_LANE_MEAN = 4 * 32767.5
_LANE_SCALE = float(1 / np.sqrt(4 * (65536.0**2 - 1) / 12))


@kernel
def mixed(key: np.uint64, number: int) -> np.uint64:
    """Return the ``number``-th child of a key: the output function of SplitMix64 (Steele, Lea and Flood 2014)."""
    z = key + (np.uint64(number) + np.uint64(1)) * _STEP
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return z ^ (z >> _S31)


def child(key: np.uint64, number: int) -> np.uint64:
    """Return :func:`mixed` outside kernels, where numba would hand back a Python integer."""
    return np.uint64(mixed(key, number))


@kernel
def uniform(key: np.uint64, number: int) -> float:
    """Return the ``number``-th uniform variate of a key, in [0, 1)."""
    return (mixed(key, number) >> _S11) * (1.0 / 9007199254740992.0)


@kernel
def normal(key: np.uint64, number: int) -> float:
    """Return a nearly normal variate of mean 0 and variance 1: the sum of four uniforms, never beyond 3.5."""
    z = mixed(key, number)
    lanes = (z & _LANE) + ((z >> _S16) & _LANE) + ((z >> _S32) & _LANE) + (z >> _S48)
    return (np.float64(lanes) - _LANE_MEAN) * _LANE_SCALE


@kernel
def smooth(key: np.uint64, y: float, x: float) -> float:
    """Return gradient noise (Perlin 2002) of unit wavelength, about -0.7 to 0.7."""
    row, column = np.floor(y), np.floor(x)
    v, u = y - row, x - column
    fade_v = v * v * v * (v * (v * 6 - 15) + 10)
    fade_u = u * u * u * (u * (u * 6 - 15) + 10)
    total = 0.0
    for i in range(2):
        lattice = mixed(key, int(row) + i)
        for j in range(2):
            slope = _SLOPES[mixed(lattice, int(column) + j) >> _S60]
            weight = (fade_v if i else 1 - fade_v) * (fade_u if j else 1 - fade_u)
            total += weight * (slope[0] * (v - i) + slope[1] * (u - j))
    return total


@kernel
def fractal(key: np.uint64, y: float, x: float, octaves: int) -> float:
    """Return the sum of ``octaves`` of gradient noise, each half as strong and twice as fine as the last."""
    total, strength = 0.0, 1.0
    for octave in range(octaves):
        total += strength * smooth(mixed(key, octave), y, x)
        strength, y, x = strength * 0.5, y * 2, x * 2
    return total


def key_of(*numbers: int) -> np.uint64:
    """Return the key that belongs to a seed and the numbers of a stream, such as an image's index."""
    return np.uint64(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def atlas(key: np.uint64, sigma: float) -> NDArray[np.float32]:
    """Return a seamless square texture of mean 0 and variance 1, smooth over ``sigma`` pixels."""
    white = np.random.Generator(np.random.Philox(int(key))).standard_normal((ATLAS_SIDE, ATLAS_SIDE))
    texture = ndimage.gaussian_filter(white, sigma, mode="wrap")
    return np.asarray((texture - texture.mean()) / texture.std(), np.float32)
