"""Whether what a package says of a network's input can be."""

import math
from typing import TypeGuard

from cellscale.predict.input_format.formats import InputFormat, settled_format
from cellscale.predict.input_format.normalisation import Fixed, Percentiles, ZScore

__all__ = ["problem_of_format"]

_MPP = (0.05, 10.0)
"""µm/px at which cells can be found."""

_TILES = (64, 1024)
"""Sides of tiles: smaller ones show no cell whole, and of larger ones a few would fill the memory."""

_MULTIPLE = 16
"""Squares of networks of seeds lie at multiples of so many pixels, as pooling in the network may ask for."""

_LEAST_OVERLAP = 16
"""Pixels in which tiles are blended at least: in fewer, weights do not add up to 1 within 0.3 %."""

_USUAL_CHANNELS = InputFormat().channels


def problem_of_format(said: object, *, seeds: bool) -> str | None:
    """Return what is wrong with what a kind says of the input; None for nothing.

    Parameters
    ----------
    said
        What it says.
    seeds
        Whether the network is one like InstanSeg.
    """
    if not isinstance(said, InputFormat):
        return f"input_format answers with {said!r}; an InputFormat expected"
    if not _is_number(said.mpp) or not _MPP[0] <= said.mpp <= _MPP[1]:
        return f"the input has {said.mpp!r} µm/px; a number from {_MPP[0]} to {_MPP[1]} expected"
    return _of_channels(said, seeds=seeds) or _of_values(said.normalisation) or _of_tiles(said, seeds=seeds)


def _of_channels(said: InputFormat, *, seeds: bool) -> str | None:
    if seeds:
        return None if said.channels == _USUAL_CHANNELS else "a network of seeds takes any channels: leave them out"
    channels = said.channels
    if not isinstance(channels, tuple) or not channels or not set(channels) <= set(_USUAL_CHANNELS):
        return (
            f"the channels of the input are {channels!r}; a tuple of nucleus and membrane, or one of them, expected"
        )
    return None if len(set(channels)) == len(channels) else f"the channels of the input are {channels!r}: one twice"


def _of_values(normalisation: object) -> str | None:
    if normalisation is None:
        return None
    if not isinstance(normalisation, (Percentiles, ZScore, Fixed)):
        return f"the normalisation is {normalisation!r}; Percentiles, ZScore or Fixed expected"
    clip = normalisation.clip
    if clip is not None and not (
        isinstance(clip, tuple) and len(clip) == 2 and all(map(_is_number, clip)) and clip[0] < clip[1]
    ):
        return f"values are clipped to {clip!r}; None or two numbers expected, the smaller first"
    if isinstance(normalisation, Percentiles):
        low, high = normalisation.low, normalisation.high
        if not (_is_number(low) and _is_number(high) and 0 <= low < high <= 100):
            return f"the percentiles are {low!r} and {high!r}; two from 0 to 100 expected, the smaller first"
    if isinstance(normalisation, Fixed):
        offset, divisor = normalisation.offset, normalisation.divisor
        if not (_is_number(offset) and _is_number(divisor) and divisor != 0):
            return f"values are moved by {offset!r} and divided by {divisor!r}; numbers expected, the second not 0"
    return None


def _of_tiles(said: InputFormat, *, seeds: bool) -> str | None:
    found = settled_format(said, seeds=seeds)
    tile, overlap = found.tile, found.overlap
    low, high = _TILES
    if not _is_whole(tile) or not low <= tile <= high or (seeds and tile % _MULTIPLE):
        rule = f", a multiple of {_MULTIPLE}" if seeds else ""
        return f"a tile has {tile!r} rows and columns; {low} to {high}{rule}, expected"
    most = high // 2 if seeds else tile // 2
    least, multiple = (0, _MULTIPLE) if seeds else (_LEAST_OVERLAP, 2)
    if not _is_whole(overlap) or not least <= overlap <= most or overlap % multiple:
        what = "a square sees" if seeds else "tiles share"
        return f"{what} {overlap!r} pixels more; {least} to {most}, a multiple of {multiple}, expected"
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
