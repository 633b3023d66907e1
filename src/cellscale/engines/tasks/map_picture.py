"""A picture of what a network answers for one tile of an image."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cellscale.engines.preflight import checked_model, named_kind
from cellscale.images.open import open_image
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import ChannelChoice, NetworkChoice
from cellscale.pipeline.resume import RunState
from cellscale.pipeline.segmenting import method_of_kind, network_input
from cellscale.predict.heads import COMPARTMENTS
from cellscale.predict.raw_maps import raw_maps
from cellscale.predict.tiles import TILE
from cellscale.regions import Region
from cellscale.report.pictures import Panel, draw_panels
from cellscale.weights.resolve import resolve_model

__all__ = ["picture_of_maps"]


def picture_of_maps(
    image: str, network: NetworkChoice, channels: ChannelChoice, *, at: tuple[int, int] | None = None
) -> bytes:
    """Return a PNG of the network's input and of all channels of its outputs, for one tile of an image.

    Parameters
    ----------
    image
        Path or URI.
    network, channels
        As for a run.
    at
        Row and column of the tile's centre, in pixels of the image; None: the image's centre.

    Raises
    ------
    ModelError
        The network's file is missing, or of another kind.
    ImageError
        The image cannot be read, or a channel cannot be found.
    """
    model = checked_model(network, COMPARTMENTS, tried=False)
    resolved = resolve_model(network.path, network.checksum, network.name)
    seeds = model.kind == "seeds"
    with closing(open_image(image)) as opened, TemporaryDirectory(prefix="cellscale-") as folder:
        source = network_input(
            opened,
            nuclear=channels.nuclear,
            membrane=channels.membrane,
            pixel_size=choose_pixel_size(opened.info, channels.mpp),
            apart=seeds,
            input_format=model.input_format,
        )
        run = ImageRun(opened.info.name, ignore, Budget.choose())
        prepared = method_of_kind(model.kind, model.input_format).prepare(run, RunState(Path(folder)), source)
        middle = at or (source.shape[0] // 2, source.shape[1] // 2)
        side = TILE if seeds else model.input_format.tile or TILE
        centre = round(middle[0] * source.factor), round(middle[1] * source.factor)
        region = _tile(prepared.shape, centre, side)
        pixels = prepared.read(region)
    beyond = [(0, 0), (0, side - region.height), (0, side - region.width)]
    tile = np.pad(pixels, beyond)
    names = [f"channel {index}" for index in range(1, len(tile) + 1)] if seeds else ["nucleus", "membrane"]
    panels = [Panel(name, "input", plane) for name, plane in zip(names, tile, strict=True)]
    panels += [
        Panel(found.name, found.taken_for or "not used", found.values)
        for found in raw_maps(
            resolved.path,
            tile,
            name=resolved.name,
            kind=named_kind(network.name),
            channels=model.input_format.channels,
        )
    ]
    return draw_panels(
        panels, f"{resolved.name}: {opened.info.name}, rows from {region.top}, columns from {region.left}"
    )


def _tile(shape: tuple[int, int], middle: tuple[int, int], side: int) -> Region:
    """Return a tile around a place, moved to lie inside of the image, or all of a smaller image."""
    top, left = (max(0, min(place - side // 2, size - side)) for place, size in zip(middle, shape, strict=True))
    return Region(top, left, min(top + side, shape[0]), min(left + side, shape[1]))
