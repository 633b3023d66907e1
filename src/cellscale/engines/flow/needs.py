"""Which images are so small that others are worked on beside them, from their headers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cellscale.errors import CellscaleError
from cellscale.images.info import ImageInfo
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.pipeline.budget import BLOCK_PIXELS, CACHE, FIXED, PER_WORKER, Budget
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import Request, is_of_project

__all__ = ["Need", "fit", "needs_of"]


@dataclass(frozen=True, slots=True)
class Need:
    """What an image takes of the budget while it is worked on beside others."""

    workers: int
    memory: int
    """Bytes of its decoded pixels and of its workers."""
    decoded: int = 0
    """Those of its decoded pixels."""


def needs_of(
    request: Request, infos: Mapping[str, ImageInfo], model: Model | None, budget: Budget
) -> dict[str, Need]:
    """Return by name what images need that are too small to keep all workers busy.

    An image has one thread for much of the way, and blocks and tiles for as many workers as it has blocks. So each
    gets that many, and is worked on alone where at most one of its size would fit.

    Parameters
    ----------
    request
        What to do.
    infos
        What headers say. Images without are worked on alone.
    model
        The network; None where nothing is segmented.
    budget
        Of the run.
    """
    if request.dry_run or not _is_safe(request, model):
        return {}
    found = {name: _need(info, request.of(name).channels.mpp, model) for name, info in infos.items()}
    return {name: need for name, need in found.items() if need is not None and fit([need, need], budget)}


def fit(needs: Sequence[Need], budget: Budget) -> bool:
    """Tell whether a budget suffices for images side by side."""
    room = budget.memory - FIXED + CACHE  # one image's pixels are a part of the fixed amount
    return sum(need.workers for need in needs) <= budget.workers and sum(need.memory for need in needs) <= room


def _is_safe(request: Request, model: Model | None) -> bool:
    """Tell whether images may be worked on side by side at all.

    What is not a processor knows by itself how many tiles it is to be given at once. Who takes regions from the
    project reads the list that other images are entered into.
    """
    words = [word for one in (request, *(own.request for own in request.own)) for word in _words(one)]
    if any(is_of_project(word) for word in words):
        return False
    return model is None or (model.kind == "maxima" and model.arithmetic.startswith("cpu"))


def _words(request: Request) -> list[str]:
    return [word for word in (request.area.regions, request.area.exclude) if word is not None]


def _need(info: ImageInfo, mpp: float | None, model: Model | None) -> Need | None:
    """Return what an image needs; None where that is not known, or it is decoded in large pieces."""
    if info.decoding_bytes:
        return None
    pixels = info.height * info.width
    if model is not None:
        try:
            size = choose_pixel_size(info, mpp)
        except CellscaleError:
            return None
        pixels = max(pixels, math.ceil(pixels * (size.mpp / model.input_format.mpp) ** 2))
    workers = math.ceil(pixels / BLOCK_PIXELS)
    decoded = min(info.height * info.width * len(info.channels) * info.dtype.itemsize, CACHE)
    return Need(workers, workers * PER_WORKER + decoded, decoded)
