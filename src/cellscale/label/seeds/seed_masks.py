"""The pixels that belong to each seed, in its window of 64 x 64; a row of a window is a word of 64 bits."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.seeds.fields import WINDOW

__all__ = ["Words", "grow_masks", "overlaps"]

Words: TypeAlias = NDArray[np.uint64]

MASK_THRESHOLD = np.float32(0.53)
"""A pixel belongs to a seed from this probability on."""

HOLE_DISTANCE = 3
"""Background at most so far from the mask is a hole, unless it is connected with background further away."""

_ZERO, _ONE, _LAST, _ALL = np.uint64(0), np.uint64(1), np.uint64(WINDOW - 1), np.uint64(2**64 - 1)


@kernel
def grow_masks(
    seeds: NDArray[np.int64],
    fields: tuple[NDArray[np.float32], NDArray[np.float32]],
    steps: tuple[np.float32, np.float32],
    weights: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    origin: tuple[int, int],
    core: tuple[int, int, int, int],
    shape: tuple[int, int],
) -> tuple[NDArray[np.int32], Words, NDArray[np.int64]]:
    """Find the pixels of each seed, and the most probable seed of each pixel of a block.

    A seed has the pixels that the classifier gives it, as far as they are connected with it by sides or corners, and
    the holes among them. Of two seeds with the same probability a pixel takes the first.

    Parameters
    ----------
    seeds
        Rows and columns of the seeds in the whole image, in raster order.
    fields
        Offsets and spread of a region that holds all windows which show any pixel of the block.
    steps
        A pixel along rows and columns in the unit of the offsets.
    weights
        The classifier's.
    origin
        Row and column at which the fields begin.
    core
        The block: top, left, bottom and right.
    shape
        Rows and columns of the whole image.

    Returns
    -------
    owners
        int32 of the block's shape: 0 for background, else one more than the seed's row.
    masks
        ``(n, 64)``: each seed's pixels in the block.
    corners
        ``(n, 2)``: row and column of each window's first pixel in the whole image.
    """
    height, width = core[2] - core[0], core[3] - core[1]
    owners = np.zeros((height, width), np.int32)
    best = np.zeros((height, width), np.float32)
    masks = np.zeros((len(seeds), WINDOW), np.uint64)
    corners = np.empty((len(seeds), 2), np.int64)
    chances = np.empty((WINDOW, WINDOW), np.float32)
    queue = np.empty((WINDOW * WINDOW, 2), np.int64)
    for index in range(len(seeds)):
        row, column = seeds[index, 0], seeds[index, 1]
        top = min(max(row - WINDOW // 2, 0), max(shape[0] - WINDOW, 0))
        left = min(max(column - WINDOW // 2, 0), max(shape[1] - WINDOW, 0))
        corners[index, 0], corners[index, 1] = top, left
        if top >= core[2] or left >= core[3] or top + WINDOW <= core[0] or left + WINDOW <= core[1]:
            continue
        size = (min(shape[0] - top, WINDOW), min(shape[1] - left, WINDOW))
        filled = _connected((row, column), (top, left), size, fields, steps, weights, origin, chances, queue)
        holes = _holes(filled, size)
        for y in range(size[0]):
            for x in range(size[1]):
                bit = _ONE << np.uint64(x)
                is_hole = (holes[y] & bit) != _ZERO
                if not is_hole and (filled[y] & bit) == _ZERO:
                    continue
                if not (core[0] <= top + y < core[2] and core[1] <= left + x < core[3]):
                    continue
                masks[index, y] |= bit
                chance = MASK_THRESHOLD if is_hole else chances[y, x]
                if chance > best[top + y - core[0], left + x - core[1]]:
                    best[top + y - core[0], left + x - core[1]] = chance
                    owners[top + y - core[0], left + x - core[1]] = index + 1
    return owners, masks, corners


@kernel
def _connected(
    seed: tuple[int, int],
    corner: tuple[int, int],
    size: tuple[int, int],
    fields: tuple[NDArray[np.float32], NDArray[np.float32]],
    steps: tuple[np.float32, np.float32],
    weights: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    origin: tuple[int, int],
    chances: NDArray[np.float32],
    queue: NDArray[np.int64],
) -> Words:
    """Return the pixels of a seed that are connected with it in at most 64 steps; only those are judged."""
    filled = np.zeros(WINDOW, np.uint64)
    seen = np.zeros(WINDOW, np.uint64)
    hidden = np.empty((2, weights[0].shape[0]), np.float32)
    offsets, spread = fields
    at = (seed[0] - origin[0], seed[1] - origin[1])
    queue[0, 0], queue[0, 1] = seed[0] - corner[0], seed[1] - corner[1]
    begin, end = 0, 1
    for _step in range(WINDOW):
        stop = end
        for place in range(begin, stop):
            for y in range(max(queue[place, 0] - 1, 0), min(queue[place, 0] + 2, size[0])):
                for x in range(max(queue[place, 1] - 1, 0), min(queue[place, 1] + 2, size[1])):
                    bit = _ONE << np.uint64(x)
                    if seen[y] & bit:
                        continue
                    seen[y] |= bit
                    down, right = corner[0] + y - seed[0], corner[1] + x - seed[1]
                    pixel = (at[0] + down, at[1] + right)
                    first = offsets[0, pixel[0], pixel[1]] - offsets[0, at[0], at[1]] + np.float32(right) * steps[1]
                    second = offsets[1, pixel[0], pixel[1]] - offsets[1, at[0], at[1]] + np.float32(down) * steps[0]
                    sure = (spread[0, pixel[0], pixel[1]], spread[1, pixel[0], pixel[1]])
                    chance = _judged(first, second, sure, weights, hidden)
                    if chance >= MASK_THRESHOLD:
                        chances[y, x] = chance
                        filled[y] |= bit
                        queue[end, 0], queue[end, 1] = y, x
                        end += 1
        begin = stop
        if begin == end:
            break
    return filled


@kernel
def _judged(
    first: float,
    second: float,
    sure: tuple[float, float],
    weights: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    hidden: NDArray[np.float32],
) -> np.float32:
    """Return the probability that a pixel belongs to a seed."""
    for unit in range(hidden.shape[1]):
        given = weights[0][unit, 4] + weights[0][unit, 0] * first + weights[0][unit, 1] * second
        given += weights[0][unit, 2] * sure[0] + weights[0][unit, 3] * sure[1]
        hidden[0, unit] = max(given, np.float32(0))
    total = weights[2][0, 5]
    for unit in range(hidden.shape[1]):
        given = weights[1][unit, 5]
        for other in range(hidden.shape[1]):
            given += weights[1][unit, other] * hidden[0, other]
        total += weights[2][0, unit] * max(given, np.float32(0))
    chance: np.float32 = np.float32(1) / (np.float32(1) + np.exp(-total))
    return chance


@kernel
def _holes(filled: Words, size: tuple[int, int]) -> Words:
    """Return the background near a mask that no background further away reaches in 64 steps, by sides or corners."""
    inside = _ALL if size[1] == WINDOW else (_ONE << np.uint64(size[1])) - _ONE
    near = filled.copy()
    for _step in range(HOLE_DISTANCE):
        near = _grown(near, inside, size[0])
    reached = np.zeros(WINDOW, np.uint64)
    for y in range(size[0]):
        reached[y] = ~near[y] & inside
    for _step in range(WINDOW):
        grown = _grown(reached, inside, size[0])
        changed = False
        for y in range(size[0]):
            word = grown[y] & ~filled[y]
            changed |= word != reached[y]
            reached[y] = word
        if not changed:
            break
    holes = np.zeros(WINDOW, np.uint64)
    for y in range(size[0]):
        holes[y] = ~reached[y] & ~filled[y] & inside
    return holes


@kernel
def _grown(words: Words, inside: np.uint64, height: int) -> Words:
    """Return pixels with their eight neighbours."""
    wide = np.zeros(WINDOW, np.uint64)
    for y in range(height):
        wide[y] = (words[y] | words[y] << _ONE | words[y] >> _ONE) & inside
    grown = wide.copy()
    for y in range(height):
        if y:
            grown[y] |= wide[y - 1]
        if y + 1 < height:
            grown[y] |= wide[y + 1]
    return grown


@kernel
def overlaps(masks: Words, corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the pixels of masks, and those that two masks share.

    Parameters
    ----------
    masks, corners
        As `grow_masks` returns them.

    Returns
    -------
    areas
        ``(n,)`` pixels of each mask.
    shared
        ``(pairs, 3)``: rows of two masks, the first one first, and the pixels that they share, if any.
    """
    areas = np.zeros(len(masks), np.int64)
    for index in range(len(masks)):
        for y in range(WINDOW):
            areas[index] += _ones(masks[index, y])
    shared = np.empty((4 * len(masks) + 16, 3), np.int64)
    count = 0
    last = np.int64(0)
    for index in range(len(masks)):
        if not areas[index]:
            continue
        last = max(last, np.int64(index))
        for other in range(index + 1, len(masks)):
            # Windows of later seeds begin no higher.
            if corners[other, 0] >= corners[index, 0] + WINDOW:
                break
            if not areas[other] or abs(corners[other, 1] - corners[index, 1]) >= WINDOW:
                continue
            common = _common(masks[index], masks[other], corners[index], corners[other])
            if not common:
                continue
            if count == len(shared):
                larger = np.empty((2 * count, 3), np.int64)
                larger[:count] = shared
                shared = larger
            shared[count, 0], shared[count, 1], shared[count, 2] = index, other, common
            count += 1
    return areas, shared[:count].copy()


@kernel
def _common(one: Words, other: Words, corner: NDArray[np.int64], beside: NDArray[np.int64]) -> int:
    """Return the pixels that two masks share, the second one's window beginning no higher."""
    down, right = beside[0] - corner[0], beside[1] - corner[1]
    total = 0
    for y in range(WINDOW - down):
        word = one[y + down]
        word = word >> np.uint64(right) if right >= 0 else word << np.uint64(-right)
        total += _ones(word & other[y])
    return total


@kernel
def _ones(word: np.uint64) -> int:
    """Return the number of bits that are set (Warren, Hacker's Delight, 5-1)."""
    word = word - ((word >> _ONE) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))
