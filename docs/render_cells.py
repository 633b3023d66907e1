"""Render a part of a dataset's image with its cells and nuclei outlined, as QuPath shows a project of ours.

Usage: ``python docs/render_cells.py DATASET IMAGE PICTURE.png [TOP LEFT]``. The picture shows 400 x 300 pixels of the
image, two by two pixels each: channels in their colours, cells outlined in red, nuclei in yellow.
"""

import sys
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cellscale.images.array import ArrayImage
from cellscale.images.masks import open_mask
from cellscale.images.open import open_image
from cellscale.qupath.entry.thumbnail import render_thumbnail
from cellscale.regions import Region

SHAPE = (300, 400)
COLOURS = {"WholeCell": (255, 60, 60), "Nucleus": (255, 230, 80)}


def outlines(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the pixels of labels that touch another label or background to the right or below, or the reverse."""
    edge = np.zeros(labels.shape, np.bool_)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge & (labels > 0)


def render(dataset: Path, name: str, top: int, left: int) -> NDArray[np.uint8]:
    """Return the picture, (rows, columns, 3)."""
    region = Region(top, left, top + SHAPE[0], left + SHAPE[1])
    image = open_image(dataset / "OMETIFF" / f"{name}.ome.tiff")
    channels = tuple(channel.index for channel in image.info.channels[:3])
    part = ArrayImage(image.read(channels, region), channel_names=["blue", "green", "red"][: len(channels)])
    colours = render_thumbnail(part)[:, :, ::-1]
    picture = colours.repeat(2, axis=0).repeat(2, axis=1)
    for kind, colour in COLOURS.items():
        with open_mask(dataset / "SEGMASK" / f"{name}_{kind}Mask.tiff") as mask:
            labels = mask.read(region).repeat(2, axis=0).repeat(2, axis=1)
        picture[outlines(labels)] = colour
    return np.ascontiguousarray(picture)


def main(dataset: str, name: str, picture: str, top: str = "0", left: str = "0") -> None:
    """Write the picture."""
    Path(picture).write_bytes(imagecodecs.png_encode(render(Path(dataset), name, int(top), int(left))))


if __name__ == "__main__":
    main(*sys.argv[1:])
