"""The marker pixels inside the mask, joined to components with an identity."""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Labels, Offsets, PixelValues, Verdicts
from cellscale.label.kernels.frame import Frame
from cellscale.label.kernels.hmaxima_all import decide_all
from cellscale.label.kernels.maxima import MAYBE, NO, UNDECIDED, decide, disk_offsets, ruled_out, shifted_down

__all__ = ["FREE", "OUTSIDE", "UNKNOWN", "mark"]

OUTSIDE, FREE, UNKNOWN = -1, 0, -2
"""Labels of pixels outside the mask, of pixels inside it that nobody has reached, and of pixels in the adversary's
hands. Ordinary labels are above 0."""

_FLOOD_BUDGET = 24
"""Visits per pixel that floods may take before the whole block is decided at once."""


def mark(
    maxima: PixelValues,
    labels: Labels,
    frame: Frame,
    height: float,
    *,
    radius: int,
    flood_budget: float = _FLOOD_BUDGET,
) -> NDArray[np.int64]:
    """Write the labels of the markers into ``labels``.

    A component with a pixel that may or may not be an h-maximum, as any pixel along an open side that nothing rules
    out, has no certain identity: it is labelled UNKNOWN. A marker whose flood stays inside the block is surrounded by
    pixels at least h lower, so that the rule "no markers if h exceeds the image's range" needs to be heeded only
    where the block is the whole image.

    Parameters
    ----------
    maxima
        The haloed block's maxima map, smoothed.
    labels
        Padded: FREE inside the mask, OUTSIDE elsewhere; written.
    frame
        The haloed block; padded by ``radius``.
    height
        h.
    radius
        Of the disk that makes pixels neighbours.
    flood_budget
        Visits per pixel that floods may take.

    Returns
    -------
    For label 1, 2, ... the flat padded index of its component's first pixel in raster order, which may lie outside
    the mask.
    """
    step = np.float32(height)
    if frame.is_whole and step > np.ptp(maxima):
        return np.empty(0, np.int64)
    values = frame.padded(maxima, beyond=np.inf).ravel()
    shifted = shifted_down(values, step)
    offsets = disk_offsets(radius, frame.padded_shape[1])
    verdict = ruled_out(values, shifted, step, frame.padded_shape[1])
    flat = labels.ravel()
    budget = int(flood_budget * values.size)
    firsts, finished = _mark(values, shifted, step, offsets, verdict, flat, frame.padded_shape[1], budget)
    if not finished:
        # A map of wide, nearly flat steps makes every flood wide: labels are taken back, and no flood is run.
        flat[flat != OUTSIDE] = FREE
        verdict = decide_all(values, shifted, step, offsets)
        firsts, _ = _mark(values, shifted, step, offsets, verdict, flat, frame.padded_shape[1], budget)
    return firsts


@kernel
def _mark(
    values: PixelValues,
    shifted: PixelValues,
    height: np.float32,
    offsets: Offsets,
    verdict: Verdicts,
    labels: Labels,
    row_length: int,
    budget: int,
) -> tuple[NDArray[np.int64], bool]:
    """Join markers to components; return their first pixels, and whether the budget was enough."""
    above, below = -row_length, row_length
    around = np.array([above - 1, above, above + 1, -1, 1, below - 1, below, below + 1])
    stamp = np.zeros(values.size, np.int32)
    queue = np.empty(values.size, np.int32)
    stack = np.empty(values.size, np.int32)
    joined = np.zeros(values.size, np.bool_)
    firsts = np.empty(values.size, np.int64)
    count = 0
    for start in range(values.size):
        if labels[start] != FREE or joined[start]:
            continue
        # Decided when first asked for: most pixels are outside the mask or ruled out, and cost nothing here.
        if verdict[start] == UNDECIDED:
            budget -= decide(start, values, shifted, height, offsets, verdict, stamp, queue)
            if budget < 0:
                return firsts[:0].copy(), False
        if verdict[start] == NO:
            continue
        # The component is followed outside the mask too: its first pixel there is what all blocks know it by.
        known = True
        first = start
        joined[start] = True
        stack[0] = start
        filled = 1
        head = 0
        while head < filled:
            pixel = stack[head]
            head += 1
            first = min(first, pixel)
            known = known and verdict[pixel] != MAYBE
            for offset in around:
                other = pixel + offset
                # Next to an open side nothing is certain, so that side need not be heeded here once more.
                if joined[other] or abs(values[other]) == np.inf:
                    continue
                if verdict[other] == UNDECIDED:
                    budget -= decide(other, values, shifted, height, offsets, verdict, stamp, queue)
                if verdict[other] != NO:
                    joined[other] = True
                    stack[filled] = other
                    filled += 1
        # One doubtful pixel leaves open what else the component holds, and so which of its pixels is the first.
        label = UNKNOWN
        if known:
            firsts[count] = first
            count += 1
            label = count
        for i in range(filled):
            if labels[stack[i]] == FREE:
                labels[stack[i]] = label
    return firsts[:count].copy(), budget >= 0
