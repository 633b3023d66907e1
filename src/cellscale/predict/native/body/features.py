"""Mesmer's body from its first bottleneck to what the heads begin with, on maps whose channels lie side by side.

Where maps are large, each tile is computed by itself, so that its maps stay in the caches. Where they are small,
weights are larger than maps: pixels of several tiles lie beside each other there, and weights are read once for all.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel
from cellscale.predict.native.body.body_weights import STEM_SIDE, BodyWeights, Bottleneck
from cellscale.predict.native.factors import Floats
from cellscale.predict.native.memory import Room

__all__ = ["compute_features", "double", "every_second"]


def compute_features(weights: BodyWeights, stems: NDArray[np.float32], room: Room) -> Iterator[list[Floats]]:
    """Yield for each tile what each head begins with, whatever other tiles there are.

    Parameters
    ----------
    weights
        The body's.
    stems
        The first bottleneck's input of each tile, ``(tiles, channels, 64, 64)``.
    room
        For what is computed in between, until the last tile is yielded.

    Yields
    ------
    For each head float32, row by row: ``(32, 64, 32)`` flat. It is written over when the next tile is asked for.
    """
    tiles = len(stems)
    for tile, stem in enumerate(stems):
        given, side = _large(weights.large, stem, room)
        together = room.array("together", tiles * given.size).reshape(side * side, tiles, -1)
        together[:, tile] = given.reshape(side * side, -1)
    half = _deep(weights, together.reshape(-1), side, room, tiles).reshape(side * side // 4, tiles, -1)
    largest, columns = weights.largest_lateral, weights.features.columns
    for tile in range(tiles):
        merged = room.array("merged", side * side * largest.columns)
        double(np.ascontiguousarray(half[:, tile]).reshape(-1), side // 2, largest.columns, merged)
        largest.apply(np.ascontiguousarray(together[:, tile]).reshape(-1), merged, adds=True)
        smooth = room.array("smooth", side * side * weights.merged.columns)
        weights.merged.apply(merged, side, smooth, room)
        features = room.array("features", side * side * columns)
        weights.features.apply(smooth, side, features, room)
        heads = room.array("heads", features.size)
        heads.reshape(-1, side, 64, side)[...] = features.reshape(side, side, -1, 64).transpose(2, 0, 3, 1)
        yield list(heads.reshape(columns // 64, -1))


def _large(bottlenecks: Sequence[Bottleneck], stem: NDArray[np.float32], room: Room) -> tuple[Floats, int]:
    """Return a tile's map of 32 rows, and how many rows that is."""
    side = STEM_SIDE
    given = room.array("stem", stem.size)
    given.reshape(side, side, -1)[:] = stem.transpose(1, 2, 0)
    for index, bottleneck in enumerate(bottlenecks):
        given, side = _through(bottleneck, given, side, room, f"after large {index}")
    return given, side


def _deep(weights: BodyWeights, given: Floats, side: int, room: Room, tiles: int) -> Floats:
    """Return the pyramid's maps of 16 rows from those of 32 rows, both ``(rows, rows, tiles, channels)`` flat."""
    levels = []
    for index, bottleneck in enumerate(weights.deep):
        given, side = _through(bottleneck, given, side, room, f"after deep {index}", tiles)
        if index in weights.laterals:
            levels.append((given, side, weights.laterals[index]))
    (smallest, side, lateral), *larger = reversed(levels)
    merged = room.array(f"merged {side} of all", side * side * tiles * lateral.columns)
    lateral.apply(smallest, merged)
    for level, double_side, lateral in larger:
        doubled = room.array(f"merged {double_side} of all", double_side**2 * tiles * lateral.columns)
        double(merged, side, tiles * lateral.columns, doubled)
        lateral.apply(level, doubled, adds=True)
        merged, side = doubled, double_side
    return merged


def _through(
    bottleneck: Bottleneck, given: Floats, side: int, room: Room, name: str, tiles: int = 1
) -> tuple[Floats, int]:
    """Return a bottleneck's output, and its side; it is in place of the input where that is the shortcut."""
    first, second, third = bottleneck.first, bottleneck.second, bottleneck.third
    if bottleneck.stride == 2:
        fewer = room.array("fewer", given.size // 4)
        every_second(given, side, tiles * first.depth, fewer)
        given, side = fewer, side // 2
    pixels = side * side * tiles
    narrow = room.array("narrow", pixels * first.columns)
    first.apply(given, narrow, rectifies=True)
    mixed = room.array("mixed", pixels * second.columns)
    second.apply(narrow, side, mixed, room, tiles=tiles, rectifies=True)
    if bottleneck.shortcut is not None:
        source, given = given, room.array(name, pixels * third.columns)
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
