"""The report's plots."""

import base64
from collections.abc import Mapping, Sequence

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cellscale.predict.heads import Compartment
from cellscale.report.findings import Areas, ChannelLook
from cellscale.report.html.colours import coloured
from cellscale.report.html.svg import CELLS, GRID, NUCLEI, QUIET, Plot

__all__ = ["area_plot", "channel_plot", "density_plot", "images_plot"]

WIDTH = 374
"""Of all plots; 10 is the height of letters."""
_LETTER = 6.3
"""Width of a letter, about."""
_SERIES: dict[Compartment, tuple[str, str]] = {"whole-cell": ("cells", CELLS), "nuclear": ("nuclei", NUCLEI)}
LONGEST = 28
"""Characters of a name that fit a plot."""


def area_plot(areas: Mapping[Compartment, Areas], unit: str) -> str:
    """Return the distributions of the areas of cells and nuclei.

    Parameters
    ----------
    areas
        By compartment.
    unit
        Of the areas.
    """
    found = [(*look, areas[name]) for name, look in _SERIES.items() if name in areas]
    shares = [100 * np.array(one.counts) / max(sum(one.counts), 1) for _, _, one in found]
    right, top = max(one.high for _, _, one in found), 1.06 * max(float(np.max(share)) for share in shares)
    plot = Plot("Distribution of areas", (WIDTH, 202), (38, 6, 8, 36), (0, right), (0, max(top, 1)))
    plot.x_axis(f"area, {unit} (upright lines: medians)", most=8)
    plot.y_axis("% of all")
    for place, ((word, colour, one), share) in enumerate(zip(found, shares, strict=True)):
        dashed = colour == NUCLEI
        plot.stairs(share, np.linspace(0, one.high, len(share) + 1), colour, dashed=dashed, fill=False)
        middle = float(plot.across(one.quartiles[1]))
        plot.line([(middle, plot.bottom), (middle, plot.top)], colour, 1, dashed=dashed)
        height = plot.top + 10 + 14 * place
        plot.line([(plot.right - 66, height), (plot.right - 42, height)], colour, 1.8, dashed=dashed)
        plot.words(word, plot.right - 38, height + 3.5, "start")
    return plot.text()


def density_plot(tiles: Sequence[Sequence[int]], shape: tuple[int, int], tile: int, unit_area: float | None) -> str:
    """Return a map of how densely objects lie.

    Parameters
    ----------
    tiles
        Objects in each square tile of the image.
    shape
        Rows and columns of the image.
    tile
        Side of a tile in pixels.
    unit_area
        mm² a pixel; None for objects a tile.
    """
    counts = np.array(tiles, np.float64)
    heights, widths = (
        np.minimum((np.arange(n) + 1) * tile, length) - np.arange(n) * tile
        for n, length in zip(counts.shape, shape, strict=True)
    )
    pixels = np.outer(heights, widths)
    density = counts / (pixels * unit_area) if unit_area else counts * tile * tile / pixels
    highest = max(float(np.max(density)), 1e-9)
    scale = min(252 / shape[1], 390 / shape[0])
    wide, high = max(shape[1] * scale, 30), max(shape[0] * scale, 60)
    plot = Plot("Map of the density of objects", (WIDTH, high + 44), (52, 8, WIDTH - 52 - wide, 36), (0, shape[1]),
                (shape[0], 0))  # fmt: skip
    plot.picture(_coloured(_in_proportion(density, heights, widths) / highest), plot.left, plot.top, wide, high)
    plot.x_axis("x, pixels", most=max(int(wide / 48), 1), grid=False)
    plot.y_axis("y, pixels", most=max(int(high / 30), 1), grid=False)
    label = "per mm²" if unit_area else f"in {tile} x {tile} pixels"
    plot.key(label, _coloured(np.linspace(1, 0, 64)[:, np.newaxis]), highest)
    return plot.text()


def channel_plot(channels: Sequence[ChannelLook]) -> str:
    """Return the histograms of all channels, one above the other, each from its lowest value to its top."""
    names = [_short(channel.name) for channel in reversed(channels)]
    margins = (14 + _LETTER * max(map(len, names)), 4, 12, 32)
    plot = Plot(
        "Histograms of intensity of each channel, logarithmic heights",
        (WIDTH, 36 + 26 * len(channels)),
        margins,
        (0, 100),
        (0, len(channels)),
    )
    plot.x_axis("intensity, % of the way from lowest to 99.9th percentile")
    for row, channel in enumerate(reversed(channels)):
        counts = np.log1p(np.array(channel.intensities.counts, np.float64))
        edges = np.linspace(0, 100, len(counts) + 1)
        colour = {"nucleus": NUCLEI, "membrane": CELLS}.get(channel.role, QUIET)
        plot.stairs(0.9 * counts / max(counts.max(), 1), edges, colour, base=row, fill=True)
    plot.names(names, np.arange(len(channels)) + 0.4)
    return plot.text()


def images_plot(names: Sequence[str], title: str, series: Mapping[str, Sequence[float | None]]) -> str:
    """Return a comparison of images by one quantity: a row for each.

    Parameters
    ----------
    names
        Of the images.
    title
        What is compared.
    series
        By name (``cells`` or ``nuclei``) a value for each image; None where there is none.
    """
    short = [_short(name) for name in names]
    highest = 1.08 * max((value for values in series.values() for value in values if value), default=1)
    margins = (14 + _LETTER * max(map(len, short)), 22 + 16 * (len(series) > 1), 14, 18)
    plot = Plot(
        f"The images side by side: {title}",
        (WIDTH, margins[1] + margins[3] + 17.3 * len(names)),
        margins,
        (0, highest),
        (len(names) - 0.5, -0.5),
    )
    middle = (plot.left + plot.right) / 2
    plot.words(title, middle, 12)
    plot.x_axis(most=5)
    for row in range(len(names)):
        place = float(plot.up(row))
        plot.line([(plot.left, place), (plot.right, place)], GRID, 0.8)
    plot.names(short, np.arange(len(names)))
    for place, (word, values) in enumerate(series.items()):
        colour = dict(_SERIES.values())[word]
        square = word == "nuclei"
        for row, value in enumerate(values):
            if value is not None:
                plot.mark(float(plot.across(value)), float(plot.up(row)), colour, square=square)
        if len(series) > 1:
            start = middle + 70 * (place - len(series) / 2)
            plot.mark(start + 6, 25, colour, square=square)
            plot.words(word, start + 14, 28.5, "start")
    return plot.text()


def _in_proportion(
    density: NDArray[np.float64], heights: NDArray[np.int64], widths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return tiles as pixels: several a tile, so that tiles at the right and at the bottom can be smaller."""
    rows, columns = (
        np.repeat(
            np.arange(len(sizes)),
            np.maximum(np.rint(max(256 // len(sizes), 1) * sizes / np.max(sizes)), 1).astype(int),
        )
        for sizes in (heights, widths)
    )
    return density[np.ix_(rows, columns)]


def _coloured(shares: NDArray[np.float64]) -> str:
    """Return numbers from 0 to 1 as a picture, WebP, base64."""
    return base64.b64encode(imagecodecs.webp_encode(coloured(shares), lossless=True)).decode("ascii")


def _short(name: str) -> str:
    """Return a name that fits: its beginning and its end, which tell images of a series apart."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 11]}…{name[-10:]}"
