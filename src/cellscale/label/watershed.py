"""Watershed of a haloed block, with an adversary at its open sides.

Pixels leave the queue by (value, age), markers enter it first in raster order, and a pixel is labelled when one of
its four neighbours first leaves the queue.

Why a pixel with an ordinary label is certain. Call W the run on the whole image and B the run on the block, in
which the adversary's pixels (label UNKNOWN: all unlabelled mask pixels at open sides, and markers of unknown
identity) enter the queue before everything else. Call a pixel certain if B gives it an ordinary label. Claim: W
gives it that label too, and if B queues (or pops) a certain pixel c before a block pixel y, so does W. Take the
first event in W that breaks the claim.

- A pixel y other than c's parent p in B pops and labels c. In B, p popped before y; p is as certain as c; so p popped
  before y in W, an earlier event, and labelled c then.
- y pops while c, popped before y in B, has not. Let c' be the first of c and its ancestors in B that has not popped
  in W; it is certain, it is queued in W, and in B it popped before y. So y is ahead of c' in W. If y was in B's queue
  when c' popped there, their values are equal and y was queued after c' in B but before it in W: an earlier event.
  If y was queued in B only after c' had popped, y is neither a marker nor the adversary's, so a block pixel w
  labelled y in W before c' popped; B queues y no later than w pops, hence popped c' before w: w's pop in W is an
  earlier event.
- y is queued while c, queued before y in B, is not. Then y is neither a marker before c nor the adversary's, c is no
  marker, and a block pixel w labels y. In B, c's parent p popped before w (or is w, whose neighbours come in the same
  order in both runs): w's pop before p in W is an earlier event.

Mask pixels that nobody reaches in B are cut off from all markers and all open sides, in W as well.

References
----------
Meyer, Un algorithme optimal pour la ligne de partage des eaux, 1991; the queue's order is scikit-image's.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.frame import Frame
from cellscale.label.markers import FREE, OUTSIDE, UNKNOWN
from cellscale.label.order import sorted_pixels
from cellscale.label.places import next_place, occupy

__all__ = ["flood", "seed_open_sides"]

_CODE = -3
"""Highest code of a FREE pixel's place in the queue."""


def seed_open_sides(labels: NDArray[np.int32], frame: Frame) -> None:
    """Hand the unlabelled mask pixels along open sides to the adversary; ``labels`` is padded as ``frame`` says."""
    inner = labels[frame.inner]
    edges = (inner[0], inner[:, 0], inner[-1], inner[:, -1])
    for edge, is_open in zip(edges, frame.open_sides, strict=True):
        if is_open:
            edge[edge == FREE] = UNKNOWN


def flood(values: NDArray[np.float32], labels: NDArray[np.int32]) -> None:
    """Let the seeds in ``labels`` grow over the FREE pixels, from high values to low.

    Parameters
    ----------
    values
        Padded, (rows, columns).
    labels
        Padded: OUTSIDE, FREE, UNKNOWN or a marker's label above 0; fewer than 2**30 pixels. The padding is OUTSIDE.
        Written: UNKNOWN, a marker's label above 0, or another value below 1 for pixels that no seed reaches.
    """
    flat = labels.ravel()
    _flood(flat, labels.shape[1], *_lay_out(sorted_pixels(values.ravel(), flat, OUTSIDE), flat))


@kernel
def _lay_out(packed: Any, labels: Any) -> Any:
    """Queue the seeds, the adversary's first; replace each FREE label by a code of its pixel's place in the queue.

    The code of a pixel is ``_CODE - 2 place``, where ``place`` is the first one of its run of equal values, and one
    less if the run holds several pixels. Codes and labels in one array halve the memory that the flood jumps around
    in.
    """
    count = packed.size
    pixel_at = np.empty(count, np.int32)
    vacant = np.empty(count, np.int32)
    words = np.zeros((count >> 6) + 1, np.uint64)
    groups = np.zeros((count >> 12) + 1, np.uint64)
    index, key = np.uint64(0xFFFFFFFF), np.uint64(32)
    start = 0
    while start < count:
        stop = start + 1
        while stop < count and packed[stop] >> key == packed[start] >> key:
            stop += 1
        is_shared = int(stop > start + 1)
        free = start
        for adversary_turn in (True, False):
            for i in range(start, stop):
                pixel = packed[i] & index
                if labels[pixel] == UNKNOWN if adversary_turn else labels[pixel] > 0:
                    pixel_at[free] = pixel
                    occupy(words, groups, np.uint64(free))
                    free += 1
        for i in range(start, stop):
            pixel = packed[i] & index
            if labels[pixel] == FREE:
                labels[pixel] = _CODE - 2 * start - is_shared
                if not is_shared:
                    pixel_at[start] = pixel
        vacant[start] = free
        start = stop
    return pixel_at, vacant, words, groups


@kernel
def _flood(labels: Any, row_length: Any, pixel_at: Any, vacant: Any, words: Any, groups: Any) -> Any:
    # Unsigned indices spare numba the test for negative ones; adding 2**64 - n subtracts n.
    one = np.uint64(1)
    row = np.uint64(row_length)
    around = (np.uint64(0) - row, np.uint64(0) - one, one, row)
    group = np.uint64(0)
    while group < np.uint64(groups.size):
        if groups[group] == 0:
            group += one
            continue
        pixel = np.uint64(pixel_at[next_place(words, groups, group)])
        label = labels[pixel]
        for offset in around:
            other = pixel + offset
            code = labels[other]
            if code <= _CODE:
                labels[other] = label
                # A pixel with nobody left to label need not be queued.
                if (
                    (labels[other - row] <= _CODE)
                    | (labels[other - one] <= _CODE)
                    | (labels[other + one] <= _CODE)
                    | (labels[other + row] <= _CODE)
                ):
                    place = np.uint64(_CODE - code)
                    is_shared = place & one
                    place >>= one
                    if is_shared:
                        run = place
                        place = np.uint64(vacant[run])
                        vacant[run] += 1
                        pixel_at[place] = other
                    group = min(group, occupy(words, groups, place))
