"""What InstanSeg's network says of the pixels of a region, and the small network that judges pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.regions import Region

__all__ = ["PEAK_DISTANCE", "REACH", "WINDOW", "Classifier", "Fields", "seed_windows"]

WINDOW = 64
"""Rows and columns of the surroundings of a seed that are judged."""

PEAK_DISTANCE = 5
"""A seed is the highest pixel at this distance along rows and columns."""

REACH = WINDOW - 1 + PEAK_DISTANCE
"""Pixels around a block on which its labels depend: a window that shows any pixel of the block, and whether the
window's seed is one."""

_LAYERS = ((5, 4), (5, 5), (1, 5))
"""Outputs and inputs of the layers of the pixel classifier."""

_FIELD_SCALE, _HEIGHT_SCALE = np.float32(8), np.float32(15)
_COORDINATES = 64 / 256
"""The network's unit of length, a pixel of the image in it."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """Says whether a pixel belongs to a seed, from where both point and how sure the pixel is."""

    weights: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
    """Of its three layers, each ``(outputs, inputs + 1)``, the bias last."""

    @classmethod
    def of(cls, numbers: NDArray[np.float32]) -> "Classifier":
        """Return the classifier whose weights and biases follow one another in a row.

        Raises
        ------
        ValueError
            There are more or fewer than it has.
        """
        sizes = [size for outputs, inputs in _LAYERS for size in (outputs * inputs, outputs)]
        if numbers.size != sum(sizes) or not np.isfinite(numbers).all():
            raise ValueError(f"a pixel classifier has {sum(sizes)} finite weights; {numbers.size} were given")
        parts = np.split(numbers.astype(np.float32), np.cumsum(sizes)[:-1])
        layers = [
            np.concatenate([weight.reshape(shape), bias.reshape(-1, 1)], axis=1)
            for shape, weight, bias in zip(_LAYERS, parts[::2], parts[1::2], strict=True)
        ]
        return cls((layers[0], layers[1], layers[2]))


@dataclass(frozen=True, slots=True)
class Fields:
    """One compartment's maps of a region, as they are used."""

    region: Region
    offsets: NDArray[np.float32]
    """Where each pixel points, from itself, along columns and rows in the network's unit: ``(2, rows, columns)``."""
    spread: NDArray[np.float32]
    """How sure it is, ``(2, rows, columns)``."""
    heights: NDArray[np.float32]
    """How well it does for a seed, ``(rows, columns)``."""
    steps: tuple[np.float32, np.float32]
    """A pixel along rows and along columns, in the network's unit."""

    @classmethod
    def of(cls, maps: NDArray[np.float32], region: Region, shape: tuple[int, int]) -> "Fields":
        """Return the fields that the network's maps say.

        Parameters
        ----------
        maps
            float32 ``(5, rows, columns)`` of the region.
        region
            Which part of the image they show.
        shape
            Rows and columns of the whole image.

        Raises
        ------
        ImageError
            A map holds values that are not finite.
        """
        if not np.isfinite(maps).all():
            raise ImageError(
                f"the network's maps hold values that are not finite in rows {region.top} to {region.bottom - 1}, "
                f"columns {region.left} to {region.right - 1}; check the image for values the network cannot take"
            )
        with np.errstate(over="ignore"):  # the exponential of a large number: the sigmoid is 0
            sigmoid: NDArray[np.float32] = np.float32(1) / (np.float32(1) + np.exp(-maps[:2]))
        return cls(
            region=region,
            offsets=(sigmoid - np.float32(0.5)) * _FIELD_SCALE,
            spread=np.ascontiguousarray(maps[2:4]),
            heights=maps[4] / _HEIGHT_SCALE + np.float32(0.5),
            steps=(_step(shape[0]), _step(shape[1])),
        )


def seed_windows(seeds: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return the surroundings of seeds in which all of their pixels lie.

    Parameters
    ----------
    seeds
        Each by its place in the whole image in raster order, from 1.
    shape
        Rows and columns of the whole image.

    Returns
    -------
    int64 ``(n, 4)``: top, left, bottom and right.
    """
    places = np.stack(np.divmod(seeds - 1, shape[1]), axis=1)
    starts = np.minimum(np.maximum(places - WINDOW // 2, 0), np.maximum(np.subtract(shape, WINDOW), 0))
    return np.concatenate([starts, np.minimum(starts + WINDOW, shape)], axis=1)


def _step(length: int) -> np.float32:
    """Return a pixel in the network's unit: the first and last are a quarter of the image's length apart."""
    return np.float32(length * _COORDINATES / max(length - 1, 1))
