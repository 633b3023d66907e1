"""The report's plots, as SVG that follows the page's colours in light, dark and print."""

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellscale.predict.heads import Compartment
from cellscale.report.look import Areas, ChannelLook

__all__ = ["area_plot", "channel_plot", "density_plot", "images_plot"]

INK, QUIET, CELLS, NUCLEI, GRID = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
"""Colours that no plot needs; each stands for a colour of the page, which differs between light, dark and print."""
_PAGE = {
    INK: "currentColor",
    QUIET: "var(--quiet)",
    CELLS: "var(--cells)",
    NUCLEI: "var(--nuclei)",
    GRID: "var(--line)",
}
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
}
_SERIES: dict[Compartment, tuple[str, str, str]] = {
    "whole-cell": ("cells", CELLS, "-"),
    "nuclear": ("nuclei", NUCLEI, "--"),
}
LONGEST = 28
"""Characters of a name that fit a plot."""

P = ParamSpec("P")


def _styled(plot: Callable[P, str]) -> Callable[P, str]:
    """Have a plot made with our settings from its first text to its last; names would be read as formulas else."""

    @wraps(plot)
    def styled(*args: P.args, **settings: P.kwargs) -> str:
        with mpl.rc_context(_SETTINGS):
            return plot(*args, **settings)

    return styled


@_styled
def area_plot(areas: Mapping[Compartment, Areas], unit: str) -> str:
    """Return the distributions of the areas of cells and nuclei.

    Parameters
    ----------
    areas
        By compartment.
    unit
        Of the areas.
    """
    figure, axes = _figure(5.2, 2.8, margins=(0.1, 0.19, 0.98, 0.97))
    for compartment, (word, colour, style) in _SERIES.items():
        found = areas.get(compartment)
        if found is None:
            continue
        edges = np.linspace(0, found.high, len(found.counts) + 1)
        share = 100 * np.array(found.counts) / max(sum(found.counts), 1)
        axes.stairs(share, edges, color=colour, linestyle=style, linewidth=1.8, label=word)
        axes.axvline(found.quartiles[1], color=colour, linestyle=style, linewidth=1)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(f"area, {unit} (upright lines: medians)")
    axes.set_ylabel("% of all")
    _legend(axes)
    return _svg(figure, "Distribution of areas")


@_styled
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
    figure, axes = _figure(5.2, min(max(3.7 * shape[0] / shape[1] + 0.6, 1.6), 6), margins=(0.14, 0.13, 0.99, 0.97))
    axes.grid(visible=False)
    rows, columns = np.append(0, np.cumsum(heights)), np.append(0, np.cumsum(widths))
    mesh = axes.pcolormesh(columns, rows, density, cmap="cividis", vmin=0, rasterized=counts.size > 400)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.set_xlabel("x, pixels")
    axes.set_ylabel("y, pixels")
    bar = figure.colorbar(mesh, ax=axes)
    bar.set_label("per mm²" if unit_area else f"in {tile} x {tile} pixels")
    bar.outline.set_visible(False)
    return _svg(figure, "Map of the density of objects")


@_styled
def channel_plot(channels: Sequence[ChannelLook]) -> str:
    """Return the histograms of all channels, one above the other, each from its lowest value to its top."""
    height = 0.5 + 0.36 * len(channels)
    longest = max(len(_short(channel.name)) for channel in channels)
    figure, axes = _figure(5.2, height, margins=(0.04 + 0.0165 * longest, 0.42 / height, 0.97, 1 - 0.05 / height))
    for row, channel in enumerate(reversed(channels)):
        counts = np.log1p(np.array(channel.intensities.counts, np.float64))
        heights = row + 0.9 * counts / max(counts.max(), 1)
        edges = np.linspace(0, 100, len(counts) + 1)
        colour = {"nucleus": NUCLEI, "membrane": CELLS}.get(channel.role, QUIET)
        axes.stairs(heights, edges, baseline=row, fill=True, color=colour, alpha=0.75)
    axes.set_yticks(np.arange(len(channels)) + 0.4, [_short(channel.name) for channel in reversed(channels)])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, len(channels))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("intensity, % of the way from lowest to 99.9th percentile")
    return _svg(figure, "Histograms of intensity of each channel, logarithmic heights")


@_styled
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
    figure = Figure(figsize=(5.2, 0.9 + 0.24 * len(names)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(names))[::-1]
    looks = {word: (colour, marker) for (word, colour, _), marker in zip(_SERIES.values(), "os", strict=True)}
    for word, values in series.items():
        colour, marker = looks[word]
        numbers = np.array([np.nan if value is None else value for value in values], np.float64)
        axes.plot(numbers, rows, linestyle="none", marker=marker, color=colour, markersize=6, label=word)
    axes.set_title(title, fontsize=10)
    axes.set_xlim(0, 1.08 * max((value for values in series.values() for value in values if value), default=1))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(axis="y", length=0)
    if len(series) > 1:
        _legend(axes)
    axes.set_ylim(-0.5, len(names) - 0.5)
    axes.set_yticks(rows, [_short(name) for name in names])
    return _svg(figure, f"The images side by side: {title}")


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False, labelcolor=INK, fontsize=9)


def _short(name: str) -> str:
    """Return a name that fits: its beginning and its end, which tell images of a series apart."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 11]}…{name[-10:]}"


def _figure(
    width: float, height: float, margins: tuple[float, float, float, float] | None = None
) -> tuple[Figure, Axes]:
    """Make a figure; given margins (left, bottom, right, top) spare the search for them, half of the time."""
    figure = Figure(figsize=(width, height), layout="constrained" if margins is None else None)
    if margins is not None:
        left, bottom, right, top = margins
        figure.subplots_adjust(left=left, bottom=bottom, right=right, top=top)
    return figure, figure.subplots()


def _svg(figure: Figure, title: str) -> str:
    """Return a figure as an SVG element that takes its size and colours from the page."""
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": title}), warnings.catch_warnings():
        # The browser, which has other fonts, draws the text.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue().decode("utf-8")
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], count=1, flags=re.DOTALL)
    for colour, page in _PAGE.items():
        text = text.replace(colour, page)
    return re.sub(
        r'<svg [^>]*?viewBox="([^"]+)"[^>]*>',
        rf'<svg viewBox="\1" role="img" aria-label="{title}" xmlns:xlink="http://www.w3.org/1999/xlink">',
        text,
        count=1,
    )
