"""Which pixels are h-maxima, decided one by one from their surroundings.

By its definition a pixel p is no h-maximum if some q with f(p) - shifted(q) < h can be reached from p through
pixels x with f(p) - f(x) < h, where shifted = f - h - 2 r |f| with the float's resolution r. Both tests only get
harder to pass along a path's minimum, so this says the same as morphological reconstruction of ``shifted`` under f,
without reconstructing anything where nobody asks. Nearly every pixel has such a q for a neighbour. The others flood
the pixels x until they find one.

Beyond an open side the image goes on, with values unknown. A flood that gets there without a q cannot tell; one that
does not get there has seen all that matters.

References
----------
Soille, Morphological Image Analysis, 2nd edition, 2003, section 6.3.4 (h-maxima).
"""

import numpy as np

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Offsets, PixelList, PixelValues, Verdicts

__all__ = ["MAYBE", "NO", "UNDECIDED", "YES", "decide", "disk_offsets", "ruled_out", "shifted_down"]

UNDECIDED, NO, YES, MAYBE = 0, 1, 2, 3
"""What is known of a pixel: nothing yet; no h-maximum; an h-maximum; depends on what lies beyond an open side."""

_RESOLUTION = np.float32(2) * np.finfo(np.float32).resolution


def disk_offsets(radius: int, row_length: int) -> Offsets:
    """Return the flat offsets of a disk's pixels without its centre, the nearest first."""
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    distance = rows**2 + columns**2
    inside = (distance <= radius**2) & (distance > 0)
    nearest_first = np.argsort(distance[inside], kind="stable")
    flat: Offsets = (rows * row_length + columns)[inside][nearest_first].astype(np.int64)
    return flat


def shifted_down(values: PixelValues, height: np.float32) -> PixelValues:
    """Return the seed of the reconstruction: ``values`` lowered by ``height`` and twice their rounding error."""
    return _shifted_down(values, height, _RESOLUTION)


@kernel
def _shifted_down(values: PixelValues, height: np.float32, resolution: np.float32) -> PixelValues:
    shifted = np.empty_like(values)
    for i in range(values.size):
        # Two roundings in float32, one after the other: the reference's last bit depends on them.
        shifted[i] = (values[i] - height) - resolution * abs(values[i])
    return shifted


def ruled_out(values: PixelValues, shifted: PixelValues, height: np.float32, row_length: int) -> Verdicts:
    """Return NO for pixels that one of their four nearest neighbours rules out, and UNDECIDED for the few others."""
    return _ruled_out(values, shifted, height, row_length)


@kernel
def _ruled_out(values: PixelValues, shifted: PixelValues, height: np.float32, row_length: int) -> Verdicts:
    verdict = np.zeros(values.size, np.uint8)
    for i in range(row_length, values.size - row_length):
        level = values[i]
        # Without branches, so that the compiler makes vectors of it.
        is_ruled_out = (
            (level - shifted[i - row_length] < height)
            | (level - shifted[i - 1] < height)
            | (level - shifted[i + 1] < height)
            | (level - shifted[i + row_length] < height)
        )
        verdict[i] = NO if is_ruled_out else UNDECIDED
    return verdict


@kernel
def decide(
    pixel: int,
    values: PixelValues,
    shifted: PixelValues,
    height: np.float32,
    offsets: Offsets,
    verdict: Verdicts,
    stamp: PixelList,
    queue: PixelList,
) -> int:
    """Decide one pixel, and with it the pixels of its value that its flood meets; return the pixels visited.

    Parameters
    ----------
    pixel
        Flat index.
    values, shifted
        The map f and its seed, padded by the disk's radius: infinity where the image goes on, minus infinity where it
        does not. Flat float32.
    height
        h, float32.
    offsets
        The neighbourhood.
    verdict
        uint8 per pixel; written.
    stamp
        int32 per pixel, 0 at first: the last flood that visited it.
    queue
        int32 scratch, one per pixel.
    """
    level = values[pixel]
    # The near ones first: they rule out nearly every pixel, and nothing has to be set up to ask them.
    verdict[pixel] = NO
    if level - shifted[pixel] < height:
        return 1
    for offset in offsets:
        if level - shifted[pixel + offset] < height:
            return 1
    # Stamps carry the flood's own number, so that nothing has to be wiped between one flood and the next.
    result = YES
    stamp[pixel] = pixel
    queue[0] = pixel
    filled = 1
    head = 0
    while head < filled and result != NO:
        center = queue[head]
        head += 1
        for offset in offsets:
            other = center + offset
            value = values[other]
            if stamp[other] == pixel or not level - value < height:
                continue
            # Beyond an open side anything may lie; go on all the same, as a NO from inside is certain.
            if value == np.inf:
                result = MAYBE
                continue
            stamp[other] = pixel
            queue[filled] = other
            filled += 1
            # What rules out a pixel at least as high, and linked to this one, rules out this one too.
            if level - shifted[other] < height or (value >= level and verdict[other] == NO):
                result = NO
                break
    # From a pixel of the same value the flood would have visited the same pixels: its answer is this one.
    for i in range(filled):
        if values[queue[i]] == level:
            verdict[queue[i]] = result
    return filled
