"""Mesmer's body from its first bottleneck to what the heads begin with, on maps whose channels lie side by side."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel
from cellscale.predict.native.body.body_weights import STEM_SIDE, BodyWeights, Bottleneck, PixelConvolution
from cellscale.predict.native.body.room import Room
from cellscale.predict.native.factors import Floats, aligned

__all__ = ["compute_features", "double", "every_second"]


def compute_features(weights: BodyWeights, stem: NDArray[np.float32], room: Room) -> list[Floats]:
    """Return what each head begins with.

    Parameters
    ----------
    weights
        The body's.
    stem
        The first bottleneck's input, ``(channels, 64, 64)``.
    room
        For what is computed in between.

    Returns
    -------
    For each head float32, row by row: ``(32, 64, 32)`` flat.
    """
    side = STEM_SIDE
    given = room.array("stem", stem.size)
    given.reshape(side, side, -1)[:] = stem.transpose(1, 2, 0)
    levels = []
    for index, bottleneck in enumerate(weights.bottlenecks):
        given, side = _through(bottleneck, given, side, room, f"after bottleneck {index}")
        if index in weights.laterals:
            levels.append((given, side, weights.laterals[index]))
    merged, side = _merged(levels, room)
    smooth = room.array("smooth", side * side * weights.merged.columns)
    weights.merged.apply(merged, side, smooth, room)
    columns = weights.features.columns
    features = room.array("features", side * side * columns)
    weights.features.apply(smooth, side, features, room)
    heads = features.reshape(side, side, columns // 64, 64).transpose(2, 0, 3, 1)
    return list(aligned(heads).reshape(columns // 64, -1))


def _merged(levels: Sequence[tuple[Floats, int, PixelConvolution]], room: Room) -> tuple[Floats, int]:
    """Return the pyramid's largest map and its side.

    Parameters
    ----------
    levels
        Maps, their sides and their convolutions, from the largest to the smallest.
    room
        For what is computed in between.
    """
    (smallest, side, lateral), *larger = reversed(levels)
    merged = room.array(f"merged {side}", side * side * lateral.columns)
    lateral.apply(smallest, merged)
    for level, double_side, lateral in larger:
        doubled = room.array(f"merged {double_side}", double_side**2 * lateral.columns)
        double(merged, side, lateral.columns, doubled)
        lateral.apply(level, doubled, adds=True)
        merged, side = doubled, double_side
    return merged, side


def _through(bottleneck: Bottleneck, given: Floats, side: int, room: Room, name: str) -> tuple[Floats, int]:
    """Return a bottleneck's output, and its side; it is in place of the input where that is the shortcut."""
    first, second, third = bottleneck.first, bottleneck.second, bottleneck.third
    if bottleneck.stride == 2:
        fewer = room.array("fewer", given.size // 4)
        every_second(given, side, first.depth, fewer)
        given, side = fewer, side // 2
    narrow = room.array("narrow", side * side * first.columns)
    first.apply(given, narrow, rectifies=True)
    mixed = room.array("mixed", side * side * second.columns)
    second.apply(narrow, side, mixed, room, rectifies=True)
    if bottleneck.shortcut is not None:
        source, given = given, room.array(name, side * side * third.columns)
        bottleneck.shortcut.apply(source, given)
    third.apply(mixed, given, adds=True, rectifies=True)
    return given, side


@fused_kernel
def every_second(source: Floats, side: int, channels: int, target: Floats) -> None:
    """Write every second row and column of a map ``(side, side, channels)``, from the first on."""
    half = side // 2
    for row in range(half):
        for column in range(half):
            at = (2 * row * side + 2 * column) * channels
            s = source[at : at + channels]
            t = target[(row * half + column) * channels : (row * half + column + 1) * channels]
            for j in range(channels):
                t[j] = s[j]


@fused_kernel
def double(source: Floats, side: int, channels: int, target: Floats) -> None:
    """Write a map ``(side, side, channels)`` with twice its rows and columns, bilinear between centres of pixels."""
    one, three = np.float32(0.25), np.float32(0.75)
    for y in range(2 * side):
        row = y // 2
        other = max(row - 1, 0) if y % 2 == 0 else min(row + 1, side - 1)
        for x in range(2 * side):
            column = x // 2
            beside = max(column - 1, 0) if x % 2 == 0 else min(column + 1, side - 1)
            a = source[(row * side + column) * channels : (row * side + column + 1) * channels]
            b = source[(row * side + beside) * channels : (row * side + beside + 1) * channels]
            c = source[(other * side + column) * channels : (other * side + column + 1) * channels]
            d = source[(other * side + beside) * channels : (other * side + beside + 1) * channels]
            t = target[(y * 2 * side + x) * channels : (y * 2 * side + x + 1) * channels]
            for j in range(channels):
                t[j] = three * (three * a[j] + one * b[j]) + one * (three * c[j] + one * d[j])
