"""Watershed of a haloed block, with an adversary at its open sides.

A pixel's level is its own value or that of the pixel which labels it, whichever is lower. Pixels leave the queue from
high levels to low ones, first in, first out within a level; markers enter it first, in raster order; and a pixel is
labelled and queued when the first of its four neighbours leaves the queue.

Levels never rise, so the queue needs no heap: the pixels are sorted by value once, and gone through in that order.
Pixels of one value that have been labelled by then are queued in the order in which that happened; those that a later
pixel labels take its level, and queue behind it. The time is linear, whatever the values.

Why a pixel with an ordinary label is certain. Call W the run on the whole image and B the run on the block, in
which the adversary's pixels (label UNKNOWN: all unlabelled mask pixels at open sides, and markers of unknown
identity) enter the queue before everything else. Call a pixel certain if B gives it an ordinary label. A pixel's
level is the highest that any path from a seed allows it; as a path from outside enters the block at a pixel of the
adversary's, no pixel has a higher level in W than in B. Claim: W gives a certain pixel the label that B gives it,
and if B queues (or pops) a certain pixel c before a block pixel y, so does W. Take the first event in W that breaks
the claim.

- A pixel y other than c's parent p in B pops and labels c. In B, p popped before y; p is as certain as c; so p popped
  before y in W, an earlier event, and labelled c then.
- y pops while c, popped before y in B, has not. Let c' be the first of c and its ancestors in B that has not popped
  in W; it is certain, queued in W, and popped before y in B. It has the same ancestors, hence the same level, in both
  runs. If y was in B's queue when c' popped there, y's level in B is no higher than that of c', in W it is
  no higher than in B, and in W y is ahead of c': all are equal, and y was queued after c' in B but before it in W,
  an earlier event. If y was queued in B only after c' had popped, y is neither a marker nor the adversary's, so a
  block pixel w labelled y in W before c' popped; B queues y no later than w pops, hence popped c' before w: w's pop
  in W is an earlier event.
- y is queued while c, queued before y in B, is not. Then y is neither a marker before c nor the adversary's, c is no
  marker, and a block pixel w labels y. In B, c's parent p popped before w (or is w, whose neighbours come in the same
  order in both runs): w's pop before p in W is an earlier event.

Mask pixels that nobody reaches in B are cut off from all markers and all open sides, in W as well.

References
----------
Barnes, Lehman, Mulla, Priority-flood, Computers & Geosciences 62, 2014. The order of the queue is scikit-image's,
which leaves only that of markers of equal value open.
"""

import numpy as np

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Labels, PixelList, PixelValues, SortedPixels
from cellscale.label.kernels.frame import Frame
from cellscale.label.kernels.markers import FREE, OUTSIDE, UNKNOWN
from cellscale.label.kernels.pixel_sort import sorted_pixels

__all__ = ["flood", "seed_open_sides"]

_CODE = -3
"""Highest code of a FREE pixel's place in the order of values."""


def seed_open_sides(labels: Labels, frame: Frame) -> None:
    """Hand the unlabelled mask pixels along open sides to the adversary; ``labels`` is padded as ``frame`` says."""
    inner = labels[frame.inner]
    edges = (inner[0], inner[:, 0], inner[-1], inner[:, -1])
    for edge, is_open in zip(edges, frame.open_sides, strict=True):
        if is_open:
            edge[edge == FREE] = UNKNOWN


def flood(values: PixelValues, labels: Labels) -> None:
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
def _lay_out(packed: SortedPixels, labels: Labels) -> tuple[PixelList, PixelList, PixelList]:
    """Give each run of pixels of equal value its place in the order of values.

    A run of several pixels starts with its seeds, the adversary's first, and fills up with the other pixels as they
    are labelled. Each FREE label is replaced by a code: ``_CODE - 2 start`` with the place at which the pixel's run
    starts, and one less if the run has several pixels. Codes and labels in one array halve the memory that a flood
    jumps around in.

    Returns
    -------
    For each place, int32: the pixel; where a run starts, the place behind its last pixel; and, where a run of several
    starts, the place behind the last one taken.
    """
    count = packed.size
    pixel_at, run_end, taken_end = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.int32)
    index, key = np.uint64(0xFFFFFFFF), np.uint64(32)
    start = 0
    while start < count:
        end = start + 1
        while end < count and packed[end] >> key == packed[start] >> key:
            end += 1
        run_end[start] = end
        # Most values occur once: such a pixel needs no queue of its own, and its code says so.
        if end == start + 1:
            pixel = packed[start] & index
            pixel_at[start] = pixel
            if labels[pixel] == FREE:
                labels[pixel] = _CODE - 2 * start
        else:
            # The proof wants the adversary served before everything else of the same value, hence two turns.
            free = start
            for adversary_turn in (True, False):
                for i in range(start, end):
                    pixel = packed[i] & index
                    if labels[pixel] == UNKNOWN if adversary_turn else labels[pixel] > 0:
                        pixel_at[free] = pixel
                        free += 1
                    elif labels[pixel] == FREE:
                        labels[pixel] = _CODE - 2 * start - 1
            taken_end[start] = free
        start = end
    return pixel_at, run_end, taken_end


@kernel
def _flood(labels: Labels, row_length: int, pixel_at: PixelList, run_end: PixelList, taken_end: PixelList) -> None:
    """Go through the runs from high to low, and let each pixel label its neighbours."""
    # Unsigned indices spare numba the test for negative ones; adding 2**64 - n subtracts n.
    row, one = np.uint64(row_length), np.uint64(1)
    around = (np.uint64(0) - row, np.uint64(0) - one, one, row)
    queue = np.empty(pixel_at.size, np.int32)
    start = 0
    while start < pixel_at.size:
        # What has been labelled by now is queued in the order in which that happened; the rest of a run is not
        # reached yet, and enters behind it if at all.
        filled = 0
        if run_end[start] > start + 1:
            filled = taken_end[start] - start
            queue[:filled] = pixel_at[start : start + filled]
        elif labels[pixel_at[start]] > _CODE:
            filled = 1
            queue[0] = pixel_at[start]
        head = 0
        while head < filled:
            pixel = np.uint64(queue[head])
            head += 1
            label = labels[pixel]
            for offset in around:
                other = pixel + offset
                code = labels[other]
                if code <= _CODE:
                    labels[other] = label
                    # A pixel of this level or above it takes this level, and its turn comes in this round; a
                    # lower one waits for its own run, where only runs of several have an order to keep.
                    run = (_CODE - code) >> 1
                    if run <= start:
                        queue[filled] = other
                        filled += 1
                    elif (_CODE - code) & 1:
                        pixel_at[taken_end[run]] = other
                        taken_end[run] += 1
        start = run_end[start]
