"""Plots as SVG: axes, lines and words that follow the page's colours in light, dark and print.

Written as they are, for thousands of pages: a plotting library takes many times as long for one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import log10
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CELLS", "GRID", "INK", "NUCLEI", "QUIET", "Plot", "round_numbers"]

INK, QUIET, CELLS, NUCLEI, GRID = "currentColor", "var(--quiet)", "var(--cells)", "var(--nuclei)", "var(--line)"
"""Colours of the page, which differ between light, dark and print."""
_SMALL, _LINE = 10, 13
"""Height of letters and of lines of text."""
_STEPS = np.array([0.1 * 1, 0.1 * 2, 0.1 * 2.5, 0.1 * 5, 1, 2, 2.5, 5, 10, 20])
"""Round distances of ticks, in powers of ten."""


@dataclass(slots=True)
class Plot:
    """A plot with two axes; lengths are in points, of which the page makes what fits."""

    title: str
    """What it shows, for those who do not see it."""
    size: tuple[float, float]
    """Width and height."""
    margins: tuple[float, float, float, float]
    """Left, top, right and bottom of the axes."""
    x: tuple[float, float]
    """Numbers at the left and at the right."""
    y: tuple[float, float]
    """Numbers at the bottom and at the top."""
    _svg: ElementTree.Element = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing drawn."""
        box = f"0 0 {_text(self.size[0])} {_text(self.size[1])}"
        facts = {"viewBox": box, "role": "img", "aria-label": self.title, "font-size": str(_SMALL)}
        self._svg = ElementTree.Element("svg", facts)

    @property
    def left(self) -> float:
        """Where the axes begin."""
        return self.margins[0]

    @property
    def right(self) -> float:
        """Where the axes end."""
        return self.size[0] - self.margins[2]

    @property
    def top(self) -> float:
        """Where the axes end upwards."""
        return self.margins[1]

    @property
    def bottom(self) -> float:
        """Where the axes begin."""
        return self.size[1] - self.margins[3]

    def across(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the places of numbers along x."""
        share = (np.asarray(values, np.float64) - self.x[0]) / (self.x[1] - self.x[0])
        return self.left + share * (self.right - self.left)

    def up(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the places of numbers along y."""
        share = (np.asarray(values, np.float64) - self.y[0]) / (self.y[1] - self.y[0])
        return self.bottom - share * (self.bottom - self.top)

    def x_axis(self, label: str = "", *, most: int = 6, grid: bool = True) -> None:
        """Draw the axis along x, with ticks at ``most`` places at most."""
        ticks = round_numbers(self.x, most)
        for place, word in zip(self.across(ticks), _words(ticks), strict=True):
            if grid:
                self.line([(place, self.top), (place, self.bottom)], GRID, 0.8)
            self.line([(place, self.bottom), (place, self.bottom + 3)], INK, 0.8)
            self.words(word, place, self.bottom + _LINE)
        self.line([(self.left, self.bottom), (self.right, self.bottom)], INK, 0.8)
        self.words(label, (self.left + self.right) / 2, self.bottom + 2 * _LINE)

    def y_axis(self, label: str = "", *, most: int = 5, grid: bool = True) -> None:
        """Draw the axis along y, with ticks at ``most`` places at most."""
        ticks = round_numbers(self.y, most)
        for place, word in zip(self.up(ticks), _words(ticks), strict=True):
            if grid:
                self.line([(self.left, place), (self.right, place)], GRID, 0.8)
            self.line([(self.left - 3, place), (self.left, place)], INK, 0.8)
            self.words(word, self.left - 5, place + 0.35 * _SMALL, "end")
        self.line([(self.left, self.bottom), (self.left, self.top)], INK, 0.8)
        self.words(label, _SMALL, (self.top + self.bottom) / 2, upright=True)

    def key(self, label: str, colours: str, high: float) -> None:
        """Draw what the colours of a picture mean, right of the axes.

        Parameters
        ----------
        label
            What they show.
        colours
            WebP picture, base64: from ``high`` at the top to 0.
        high
            The number of the brightest.
        """
        bar = replace(self, margins=(self.right + 12, self.top, 0, self.margins[3]), y=(0.0, high))
        bar._svg = self._svg
        self.picture(colours, bar.left, bar.top, 11, bar.bottom - bar.top)
        ticks = round_numbers(bar.y, max(int((bar.bottom - bar.top) / 30), 1))
        for place, word in zip(bar.up(ticks), _words(ticks), strict=True):
            self.line([(bar.left + 11, place), (bar.left + 14, place)], INK, 0.8)
            self.words(word, bar.left + 16, place + 0.35 * _SMALL, "start")
        self.words(label, self.size[0] - 4, (bar.top + bar.bottom) / 2, upright=True)

    def names(self, texts: Sequence[str], places: ArrayLike) -> None:
        """Draw the axis along y with names instead of numbers."""
        for place, text in zip(self.up(places), texts, strict=True):
            self.words(text, self.left - 5, place + 0.35 * _SMALL, "end")
        self.line([(self.left, self.bottom), (self.left, self.top)], INK, 0.8)

    def stairs(
        self,
        heights: ArrayLike,
        edges: ArrayLike,
        colour: str,
        *,
        base: float = 0.0,
        dashed: bool = False,
        fill: bool,
    ) -> None:
        """Draw a histogram, as an outline or filled."""
        columns, rows = self.across(edges), self.up(np.asarray(heights) + base)
        floor = _text(self.up(base))
        steps = "".join(f"V{_text(row)}H{_text(column)}" for row, column in zip(rows, columns[1:], strict=True))
        look = f"fill:{colour};fill-opacity:.75" if fill else _stroke(colour, 1.8, dashed)
        self._add("path", style=look, d=f"M{_text(columns[0])},{floor}{steps}V{floor}")

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float, *, dashed: bool = False) -> None:
        """Draw a line from place to place."""
        path = "L".join(f"{_text(x)},{_text(y)}" for x, y in points)
        self._add("path", style=_stroke(colour, width, dashed), d=f"M{path}")

    def mark(self, x: float, y: float, colour: str, *, square: bool = False) -> None:
        """Draw a disc or a square at a place."""
        if square:
            self._add("rect", style=f"fill:{colour}", x=_text(x - 3), y=_text(y - 3), width="6", height="6")
        else:
            self._add("circle", style=f"fill:{colour}", cx=_text(x), cy=_text(y), r="3")

    def picture(self, data: str, x: float, y: float, width: float, height: float) -> None:
        """Draw a WebP picture, base64, whose pixels stay sharp squares."""
        box = {"x": _text(x), "y": _text(y), "width": _text(width), "height": _text(height)}
        box |= {"preserveAspectRatio": "none", "style": "image-rendering:pixelated"}
        self._add("image", **box, href=f"data:image/webp;base64,{data}")

    def words(self, text: str, x: float, y: float, anchor: str = "middle", *, upright: bool = False) -> None:
        """Write a line of text, from left to right or from the bottom up."""
        turned = {"transform": f"rotate(-90 {_text(x)} {_text(y)})"} if upright else {}
        place = {"x": _text(x), "y": _text(y), "text-anchor": anchor, "style": f"fill:{INK}"}
        self._add("text", **place, **turned).text = text

    def text(self) -> str:
        """Return the plot as an element of a page."""
        return ElementTree.tostring(self._svg, encoding="unicode")

    def _add(self, tag: str, **facts: str) -> ElementTree.Element:
        return ElementTree.SubElement(self._svg, tag, facts)


def round_numbers(limits: tuple[float, float], most: int) -> NDArray[np.float64]:
    """Return where an axis has its ticks, which are matplotlib's, without the time that it takes to load.

    Parameters
    ----------
    limits
        Where the axis begins and ends.
    most
        Distances between ticks at most, unless that leaves a single tick.
    """
    low, high = sorted(limits)
    distance = (high - low) / most
    if not 0 < distance < np.inf:
        return np.array([low], np.float64)
    steps = _STEPS * 10 ** (log10(distance) // 1)
    for step in reversed(steps[: int(np.argmax(steps >= distance)) + 1]):
        first = low // step * step
        ticks: NDArray[np.float64] = np.arange((high - first) // step + 2) * step + first
        if np.count_nonzero((ticks >= low) & (ticks <= high)) > 1:
            break
    slack = 1e-9 * (high - low)
    return ticks[(ticks >= low - slack) & (ticks <= high + slack)]


def _words(ticks: NDArray[np.float64]) -> list[str]:
    """Write numbers as they stand at an axis: all whole, or none."""
    if (ticks == np.rint(ticks)).all() and np.abs(ticks).max(initial=0) < 1e15:
        return [f"{tick:,.0f}" for tick in ticks]
    return [f"{tick:.6g}" for tick in ticks]


def _stroke(colour: str, width: float, dashed: bool) -> str:
    return f"fill:none;stroke:{colour};stroke-width:{width:g}" + (";stroke-dasharray:5 3" if dashed else "")


def _text(place: float | NDArray[np.float64]) -> str:
    return f"{float(place):.1f}".removesuffix(".0")
