"""The page of a comparison: one file with numbers, plots and pictures."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import imagecodecs
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from cellscale.predict.heads import Compartment
from cellscale.report.comparison.mask_comparison import FIRST, SECOND, Comparison, Difference
from cellscale.report.comparison.matched_objects import LEVELS, Matches
from cellscale.report.html.pages import environment
from cellscale.report.html.svg import CELLS, NUCLEI, Plot

__all__ = ["COLUMNS", "MARK", "Summary", "comparison_page", "summarize"]

MARK = '<meta name="generator" content="cellscale compare">'
"""What tells a page of ours from other files."""

_BINS = 40


COLUMNS = (
    "image", "compartment", "objects A", "objects B", "matched", "F1 at 0.5", "mean F1", "split in B", "merged in B",
)  # fmt: skip
"""What `Summary.row` holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the page says of a pair of masks, without the objects themselves."""

    image: str
    compartment: Compartment
    first: int
    second: int
    matched: int
    f1: float
    mean_f1: float
    splits: int
    merges: int
    areas: tuple[float, float]
    change: float | None
    """Median of the second area over the first of matched pairs; None without any."""
    plots: list[Markup]
    pictures: list[tuple[Difference, str]]
    """Where they differ most, each with its picture, WebP, base64."""

    @property
    def row(self) -> tuple[str, ...]:
        """The numbers as words, by `COLUMNS`."""
        counts = (self.first, self.second, self.matched)
        shares = (f"{self.f1:.3f}", f"{self.mean_f1:.3f}")
        return (self.image, self.compartment, *map(str, counts), *shares, str(self.splits), str(self.merges))


def comparison_page(names: tuple[str, str], summaries: Sequence[Summary], remarks: Sequence[str]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    names
        What the two sides are called.
    summaries
        Of the pairs of masks.
    remarks
        What could not be compared, and why.
    """
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            mark=Markup(MARK),
            names=names,
            colours=[f"rgb{colour}" for colour in (FIRST, SECOND)],
            levels=(LEVELS[0], LEVELS[-1]),
            summaries=summaries,
            remarks=remarks,
        )
    )


def summarize(one: Comparison) -> Summary:
    """Return what the page says of a pair of masks."""
    found = one.matches
    return Summary(
        image=one.image,
        compartment=one.compartment,
        first=len(found.first.labels),
        second=len(found.second.labels),
        matched=len(found.pairs),
        f1=found.f1(LEVELS[0]),
        mean_f1=float(np.mean([found.f1(level) for level in LEVELS])),
        splits=found.splits,
        merges=found.merges,
        areas=(_median(found.first.areas), _median(found.second.areas)),
        change=_area_change(found),
        plots=_plots(found),
        pictures=[_picture(part) for part in one.differences],
    )


def _area_change(found: Matches) -> float | None:
    if not len(found.pairs):
        return None
    one, other = found.pairs.T
    return float(np.median(found.second.areas[other] / found.first.areas[one]))


def _median(areas: NDArray[np.float64]) -> float:
    return float(np.median(areas)) if areas.size else 0.0


def _plots(found: Matches) -> list[Markup]:
    """Return an image's plots; those are SVG of our own making."""
    if not (len(found.first.labels) or len(found.second.labels)):
        return []
    return [Markup(_levels_plot(found)), Markup(_areas_plot(found))]


def _levels_plot(found: Matches) -> str:
    plot = Plot("F1 by intersection over union", (380, 220), (46, 14, 14, 38), (LEVELS[0], LEVELS[-1]), (0, 1))
    plot.x_axis("intersection over union from which on a pair matches", most=10)
    plot.y_axis("F1")
    values = [found.f1(level) for level in LEVELS]
    places = list(zip(plot.across(LEVELS).tolist(), plot.up(values).tolist(), strict=True))
    plot.line(places, CELLS, 1.8)
    for x, y in places:
        plot.mark(x, y, CELLS)
    return plot.text()


def _areas_plot(found: Matches) -> str:
    """Return both distributions of areas; the page's colours of cells and nuclei stand for the sides."""
    sides = (found.first.areas, found.second.areas)
    together = np.concatenate(sides)
    high = float(np.percentile(together, 99)) * 1.05 if together.size else 1.0
    counts = [np.histogram(side, _BINS, (0, high))[0] for side in sides]
    most = max(int(count.max()) for count in counts) or 1
    plot = Plot("Areas of both sides", (380, 220), (46, 14, 14, 38), (0, high), (0, 1.1 * most))
    plot.x_axis("area, pixels (1 % larger ones are left out)")
    plot.y_axis("objects")
    edges = np.linspace(0, high, _BINS + 1)
    for count, colour, dashed in zip(counts, (CELLS, NUCLEI), (False, True), strict=True):
        plot.stairs(count, edges, colour, dashed=dashed, fill=False)
    return plot.text()


def _picture(part: Difference) -> tuple[Difference, str]:
    """Return a picture as WebP, base64."""
    content = imagecodecs.webp_encode(np.ascontiguousarray(part.picture), level=85)
    return part, base64.b64encode(content).decode("ascii")
