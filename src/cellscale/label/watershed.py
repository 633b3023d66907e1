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
  in W; it is certain, it is in W's queue, and in B it popped before y. So y is ahead of c' in W. If y was in B's queue
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
from cellscale.label.order import lowest_bit, ordered_places

__all__ = ["flood", "seed_open_sides"]


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
        Padded: OUTSIDE, FREE, UNKNOWN or a marker's label above 0; written. The padding is OUTSIDE.
    """
    _flood(values.ravel(), labels.ravel(), labels.shape[1])


@kernel
def _flood(values: Any, labels: Any, row_length: Any) -> Any:
    count, places = ordered_places(values, labels, OUTSIDE)
    around = np.array([-row_length, -1, 1, row_length])
    pixel_at = np.empty(count, np.int32)
    next_free = np.arange(count).astype(np.int32)
    words = np.zeros(count // 64 + 1, np.uint64)
    groups = np.zeros(count // 4096 + 1, np.uint64)
    one = np.uint64(1)
    low = groups.size
    for adversary_turn in (True, False):
        for pixel in range(labels.size):
            if (adversary_turn and labels[pixel] == UNKNOWN) or (not adversary_turn and labels[pixel] > 0):
                place = next_free[places[pixel]]
                next_free[places[pixel]] += 1
                pixel_at[place] = pixel
                words[place >> 6] |= one << np.uint64(place & 63)
                groups[place >> 12] |= one << np.uint64((place >> 6) & 63)
                low = min(low, place >> 12)
    while low < groups.size:
        if groups[low] == 0:
            low += 1
            continue
        word = (low << 6) + lowest_bit(groups[low])
        place = (word << 6) + lowest_bit(words[word])
        words[word] &= words[word] - one
        if words[word] == 0:
            groups[low] &= groups[low] - one
        pixel = pixel_at[place]
        for offset in around:
            other = pixel + offset
            if labels[other] == FREE:
                labels[other] = labels[pixel]
                place = next_free[places[other]]
                next_free[places[other]] += 1
                pixel_at[place] = other
                words[place >> 6] |= one << np.uint64(place & 63)
                groups[place >> 12] |= one << np.uint64((place >> 6) & 63)
                low = min(low, place >> 12)
