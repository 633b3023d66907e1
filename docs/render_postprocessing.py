"""Render what the parameters of the postprocessing do, in simulated tissue, for ``docs/postprocessing.md``.

Usage::

    cellscale simulate DATASET --size 1024 --seed 3
    cellscale segment --keep_intermediates workspace DATASET
    python docs/render_postprocessing.py DATASET [FOLDER]

Makes one picture for each parameter: where it matters most, with the parameter low, as usual, and high. Cells are
outlined in white, nuclei in yellow.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import imagecodecs
import numpy as np
import zarr
from numpy.typing import NDArray
from render_cells import outlines
from scipy.ndimage import uniform_filter

from benchmarks.whole_image import label_image
from cellscale.images.array import ArrayImage
from cellscale.images.open import open_image
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.qupath.entry.thumbnail import render_thumbnail
from cellscale.regions import Region

ROWS, COLUMNS = 150, 180
ZOOM, GAP = 2, 8
WHITE, YELLOW = (255, 255, 255), (255, 220, 60)
SHADES = 16
"""Brightness is rounded to multiples of this; a picture takes a third of the bytes."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A parameter, and the values left and right of the usual one."""

    compartment: str
    name: str
    low: float
    high: float

    @property
    def parameters(self) -> tuple[Parameters, Parameters, Parameters]:
        """The parameters of the three panels."""
        usual = NUCLEUS if self.compartment == "nuclear" else WHOLE_CELL
        return replace(usual, **{self.name: self.low}), usual, replace(usual, **{self.name: self.high})


COMPARISONS = (
    Comparison("whole-cell", "maxima_threshold", 0.005, 0.6),
    Comparison("whole-cell", "interior_threshold", 0.05, 0.6),
    Comparison("whole-cell", "interior_smoothing", 0.0, 5.0),
    Comparison("nuclear", "maxima_smoothing", 0.0, 5.0),
    Comparison("whole-cell", "small_objects", 0, 150),
)


def read_maps(dataset: Path, image: str) -> dict[str, NDArray[np.float32]]:
    """Return the network's maps by name, each (rows, columns)."""
    group = zarr.open_group(dataset / "jobs" / "intermediates" / f"{image}.zarr", mode="r")
    return dict(zip(group.attrs["maps"], group["maps"][:], strict=True))


def most_changed(labels: list[NDArray[np.int32]]) -> Region:
    """Return the place where the outlines left and right differ most from those in the middle."""
    low, usual, high = map(outlines, labels)
    changed = ((low != usual) | (high != usual)).astype(np.float32)
    density = uniform_filter(changed, (ROWS, COLUMNS), mode="constant")
    inner = density[ROWS // 2 : -(ROWS // 2), COLUMNS // 2 : -(COLUMNS // 2)]
    top, left = np.unravel_index(inner.argmax(), inner.shape)
    return Region(int(top), int(left), int(top) + ROWS, int(left) + COLUMNS)


def panel(pixels: NDArray[np.uint16], labels: NDArray[np.int32], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return the pixels with the labels outlined, (rows, columns, 3)."""
    colours = render_thumbnail(ArrayImage(pixels, channel_names=["blue", "green"]))[:, :, ::-1] // SHADES * SHADES
    picture = colours.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
    picture[outlines(labels.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1))] = colour
    return picture


def main(dataset: str, folder: str = "docs/postprocessing") -> None:
    """Write the pictures."""
    (path,) = (Path(dataset) / "OMETIFF").iterdir()
    image, maps = open_image(path), read_maps(Path(dataset), path.name.removesuffix(".ome.tiff"))
    for comparison in COMPARISONS:
        maxima, interior = (maps[f"{comparison.compartment} {kind}"] for kind in ("maxima", "interior"))
        labels = [label_image(maxima, interior, parameters) for parameters in comparison.parameters]
        place = most_changed(labels)
        colour = YELLOW if comparison.compartment == "nuclear" else WHITE
        gap = np.full((ROWS * ZOOM, GAP, 3), 255, np.uint8)
        pixels = image.read((0, 1), place)
        left, middle, right = (panel(pixels, found[place.slices], colour) for found in labels)
        picture = np.concatenate([left, gap, middle, gap, right], axis=1)
        (Path(folder) / f"{comparison.name}.png").write_bytes(imagecodecs.png_encode(picture, level=9))


if __name__ == "__main__":
    main(*sys.argv[1:])
