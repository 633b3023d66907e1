"""Plots of benchmark records: what the network, postprocessing and memory take as images grow."""

import html
import io
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from cellscale.records.benchmark_table.row import Row
from cellscale.records.cost_summary import machine_name

__all__ = ["draw", "html_page"]

_PANELS = (
    ("prediction_time_s", "inference time", "seconds"),
    ("postprocessing_time_s", "postprocessing time", "seconds"),
    ("peak_memory_gb", "peak memory", "GB"),
)
_SHOWN = (
    "benchmark_datetime_utc", "input_file_id", "pixels_m", "cpu", "cores", "device", "prediction_batch_size",
    "preprocessing_time_s", "prediction_time_s", "postprocessing_time_s", "measurement_time_s", "total_time_s",
    "peak_memory_gb", "cells", "cellscale_version",
)  # fmt: skip
_MARKERS = "osD^vP*X"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>cellscale benchmarks</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }}
svg {{ width: 100%; height: auto }}
div {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums }}
th, td {{ padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap }}
</style></head><body>
<h1>cellscale benchmarks</h1>
<p>{count} images that were finished in one go. A dotted line grows as the pixels do.</p>
{plot}
<h2>Records</h2>
<div><table><thead><tr>{head}</tr></thead><tbody>
{body}
</tbody></table></div>
</body></html>
"""


def draw(rows: Sequence[Row], kind: str) -> bytes:
    """Draw pixels against inference time, postprocessing time and memory, a colour for each kind of machine.

    Parameters
    ----------
    rows
        Records; those of images that failed, or that were finished by a second run, are left out.
    kind
        ``png`` or ``svg``.
    """
    figure = Figure(figsize=(15, 4.6), layout="constrained")
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in _whole(rows):
        groups[f"{machine_name(row)}, {row['device'] or 'cpu'}"].append(row)
    for axes, (column, title, unit) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        _panel(axes, groups, column, title, unit)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", frameon=False)
    stream = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}
    figure.savefig(stream, format=kind, dpi=120, metadata=metadata)
    return stream.getvalue()


def html_page(rows: Sequence[Row]) -> bytes:
    """Return a page that needs nothing else: the plots, and a table of the records."""
    svg = draw(rows, "svg").decode()
    head = "".join(f"<th>{html.escape(name)}</th>" for name in _SHOWN)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(_text(row[name]))}</td>" for name in _SHOWN) + "</tr>"
        for row in _whole(rows)
    )
    page = _PAGE.format(count=len(_whole(rows)), plot=svg[svg.index("<svg") :], head=head, body=body)
    return page.encode()


def _whole(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["success"] and not row["resumed"] and row["pixels_m"]]


def _panel(axes: Axes, groups: dict[str, list[Row]], column: str, title: str, unit: str) -> None:
    drawn: list[tuple[float, float]] = []
    for index, (name, rows) in enumerate(sorted(groups.items())):
        points = sorted((row["pixels_m"] / 1e6, row[column]) for row in rows if row[column])
        if points:
            marker = _MARKERS[index % len(_MARKERS)]
            axes.plot(*zip(*points, strict=True), marker, label=name, color=f"C{index}", alpha=0.75, markersize=6)
            drawn += points
    axes.set(title=f"pixels and {title}", xlabel="megapixels", ylabel=unit, xscale="log")
    is_memory = column == "peak_memory_gb"
    axes.set_yscale("linear" if is_memory else "log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(FuncFormatter(lambda _value, _: ""))
    axes.grid(alpha=0.3)
    if is_memory:
        axes.set_ylim(bottom=0)
    elif drawn:
        x, y = sorted(drawn)[len(drawn) // 2]
        ends = [min(drawn)[0], max(drawn)[0]]
        axes.plot(ends, [y * end / x for end in ends], ":", color="0.5", zorder=0)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
