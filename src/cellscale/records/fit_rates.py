"""Rates learnt from benchmark records.

They come from processor time, which other programs on the machine hardly change, and from the share of the cores that
an undisturbed run keeps busy.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from statistics import fmean, median, stdev
from typing import Protocol, TypeAlias

from cellscale.predict.tiles import TileGrid
from cellscale.records.benchmark_table.row import Row
from cellscale.records.rates import ImageSize, Rates

__all__ = ["Grid", "GridOf", "learn", "size_of"]


class Grid(Protocol):
    """The tiles of an image."""

    @property
    def count(self) -> int:
        """Number of tiles."""

    @property
    def computed_pixels(self) -> int:
        """Pixels of all of them, surroundings included."""


GridOf: TypeAlias = Callable[[tuple[int, int]], Grid]
"""Returns how an image of so many rows and columns is cut for a network."""

_Sized: TypeAlias = Callable[[Row], ImageSize]

_LEAST_SPREAD = 0.05
_SPREAD_OF_FEW = 0.25
"""Relative error (one standard deviation) that is assumed until there are enough records to see it."""
_SPREAD_OF_SHARE = 0.15
"""The same of the share of the cores that runs keep busy, where it is not known."""
_SHARE_UNKNOWN = 0.9
_DISTURBED = 0.6
"""Share of the cores below which other programs took them."""
_LOADED = 0.01
"""Seconds from which on the network was loaded rather than found loaded."""
_START = 0.27
"""Seconds an image that do not depend on its size, where all records are of images that loaded the network, which
hides them: what `benchmarks.estimate` found for images of 256 x 256 on a core of an AMD EPYC."""
_ONE_AT_A_TIME = ("local", "batch", "tasks")
"""Engines that work on one image in a process, whose processor time is the image's then."""
_ENOUGH = 5


def learn(rows: Iterable[Row], source: str, grid: GridOf = TileGrid.of) -> Rates | None:
    """Learn rates from the records of one processor, those that most of the usable records are from.

    Images that failed, or that an earlier run had begun, tell nothing; neither do images whose network was computed
    by something other than the processor.

    Parameters
    ----------
    rows
        The records, all of one network.
    source
        Where they are from, in words.
    grid
        Returns the tiles of an image, of so many rows and columns at the network's pixel size.

    Returns
    -------
    The rates; None where there is no record of an image that was both segmented and measured.
    """
    usable = [row for row in rows if _is_usable(row)]
    if not usable:
        return None
    kinds = [(row["cpu"], row["cores"], row["device"] or "cpu") for row in usable]
    kind = max(set(kinds), key=lambda kind: (kinds.count(kind), kind))
    chosen = [row for row, found in zip(usable, kinds, strict=True) if found == kind]
    machine, cores, _ = kind
    return _fitted(chosen, source, machine, cores, partial(size_of, grid=grid))


def _is_usable(row: Row) -> bool:
    needed = (
        "pixels_m", "network_pixels", "height_px", "width_px", "channels", "cpu", "cores", "workers", "total_time_s",
        "peak_memory_gb", "total_processor_time_s", "preprocessing_processor_time_s", "prediction_processor_time_s",
        "postprocessing_processor_time_s", "labelling_processor_time_s", "measurement_processor_time_s",
    )  # fmt: skip
    return (
        bool(row["success"])
        and not row["resumed"]
        and row["engine"] in _ONE_AT_A_TIME
        and row["device"] in (None, "cpu", "cpu:native")
        and row["precision"] in (None, "float32")
        and row["compartment"] == "both"
        and all(row[name] for name in needed)
    )


def _fitted(rows: Sequence[Row], source: str, machine: str, cores: int, sized: _Sized) -> Rates:
    measuring, channel = _measuring(rows)
    rates = Rates(
        source=source,
        machine=machine,
        cores=cores,
        share=_SHARE_UNKNOWN,
        disturbed=True,
        images=len(rows),
        loading=0.0,
        start=0.0,
        preparing=_rate(rows, _spent("preprocessing"), _network_megapixels),
        network=_rate(rows, _spent("prediction"), lambda row: sized(row).computed),
        labelling=_rate(rows, _spent("labelling"), _network_megapixels),
        finishing=_rate(rows, _finishing, _megapixels),
        measuring=measuring,
        measuring_channel=channel,
        output_bytes=_rate(rows, lambda row: (row["output_mb"] or 0.0) * 1e6, lambda row: row["pixels_m"]),
        memory=_memory(rows),
        workers=round(median(row["workers"] for row in rows)),
        spread=0.0,
        memory_spread=0.0,
    )
    return _with_errors(_with_share(_with_constants(rates, rows, sized), rows), rows, sized)


def _with_constants(rates: Rates, rows: Sequence[Row], sized: _Sized) -> Rates:
    """Return the rates with what the rows leave over, for images that had to load the network and for others."""
    left: dict[bool, list[float]] = {True: [], False: []}
    for row in rows:
        loaded = (row["prediction_model_load_time_s"] or 0.0) > _LOADED
        left[loaded].append(row["total_processor_time_s"] - rates.work(sized(row)))
    loaded_too = median(left[True]) if left[True] else 0.0
    start = max(median(left[False]), 0.0) if left[False] else min(_START, max(loaded_too, 0.0))
    loading = max(loaded_too - start, 0.0)
    return replace(rates, start=start, loading=loading)


def _with_share(rates: Rates, rows: Sequence[Row]) -> Rates:
    """Return the rates with the share of the cores that runs keep busy, going by those that nothing disturbed."""
    shares = sorted(_share(rates, row) for row in rows)
    upper = shares[len(shares) * 3 // 4]
    if upper < _DISTURBED:
        return rates
    return replace(rates, share=min(upper, 1.0), disturbed=False)


def _share(rates: Rates, row: Row) -> float:
    """Return the share of the cores that a run kept busy, outside of what one core does alone."""
    alone = _constant(rates, row) + rates.finishing * row["pixels_m"] / 1e6
    spread_out = max(row["total_processor_time_s"] - alone, 0.0)
    passed = row["total_time_s"] - alone / _beside(row)
    return float(spread_out / max(passed, spread_out / rates.cores) / rates.cores)


def _beside(row: Row) -> int:
    """Return how many images were worked on at the same time; versions that did one at a time do not say."""
    return max(row["side_by_side"] or 1, 1)


def _constant(rates: Rates, row: Row) -> float:
    loaded = (row["prediction_model_load_time_s"] or 0.0) > _LOADED
    return rates.start + (rates.loading if loaded else 0.0)


def _with_errors(rates: Rates, rows: Sequence[Row], sized: _Sized) -> Rates:
    """Return the rates with the spread of the rows about what they predict."""
    times, memory = [], []
    for row in rows:
        size, constant = sized(row), _constant(rates, row) - rates.start
        memory.append((row["peak_memory_gb"] * 1e9, rates.peak_memory(size, _beside(row))))
        if rates.disturbed:
            times.append((row["total_processor_time_s"], rates.work(size) + constant))
        elif _share(rates, row) > _DISTURBED:
            times.append((row["total_time_s"], rates.time(size, rates.cores, _beside(row)) + constant))
    spread = _spread(times)
    if rates.disturbed:
        spread = math.hypot(spread, _SPREAD_OF_SHARE)
    return replace(rates, spread=spread, memory_spread=_spread(memory))


def size_of(row: Row, grid: GridOf = TileGrid.of) -> ImageSize:
    """Return the size of the image of a record that `learn` can use; its sides for the network are not on record."""
    rows = math.sqrt(row["network_pixels"] * row["height_px"] / row["width_px"])
    tiles = grid((round(rows), round(row["network_pixels"] / rows)))
    return ImageSize(
        pixels=row["pixels_m"],
        network_pixels=row["network_pixels"],
        tiles=tiles.count,
        tile_pixels=tiles.computed_pixels / tiles.count,
        channels=row["channels"],
    )


def _spread(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the relative standard deviation of measured values about their predictions."""
    logs = [math.log(measured / predicted) for measured, predicted in pairs if measured > 0 and predicted > 0]
    if len(logs) < _ENOUGH:
        return _SPREAD_OF_FEW
    return max(math.hypot(stdev(logs), fmean(logs)), _LEAST_SPREAD)


def _rate(rows: Sequence[Row], work: Callable[[Row], float], amount: Callable[[Row], float]) -> float:
    """Return work by amount: the median, so that a run that something disturbed does not count.

    Large images, in which a rate shows best, count for more.
    """
    found = sorted((work(row) / amount(row), amount(row)) for row in rows)
    sums = list(accumulate(weight for _, weight in found))
    middle = next(rate for (rate, _), passed in zip(found, sums, strict=True) if passed >= sums[-1] / 2)
    return max(middle, 0.0)


def _measuring(rows: Sequence[Row]) -> tuple[float, float]:
    """Return core-seconds a megapixel for measuring, and those for each channel.

    Where all images have about as many channels, half of the work is taken to be the channels'.
    """
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["channels"], []).append(row)
    points = [(count, _rate(found, _spent("measurement"), _megapixels)) for count, found in sorted(groups.items())]
    (few, low), (many, high) = points[0], points[-1]
    slope = (high - low) / (many - few) if many >= 2 * few else low / 2 / few
    slope = min(max(slope, 0.0), low / few)
    return low - slope * few, slope


def _memory(rows: Sequence[Row]) -> tuple[tuple[float, float], ...]:
    """Return the memory by the megapixels that were worked on at the same time, growing with them.

    What a run took is what the last of its images found: a process seldom gives back what the earlier ones took.
    """
    runs: dict[tuple[float, str], float] = {}
    for row in rows:
        key = row["network_pixels"] * _beside(row) / 1e6, row["run_id"]
        runs[key] = max(runs.get(key, 0.0), row["peak_memory_gb"] * 1e9)
    peaks: dict[float, list[float]] = {}
    for (size, _), peak in runs.items():
        peaks.setdefault(size, []).append(peak)
    points: list[tuple[float, float]] = []
    for size, found in sorted(peaks.items()):
        points.append((size, max(fmean(found), points[-1][1] if points else 0.0)))
    return tuple(points)


def _spent(stage: str) -> Callable[[Row], float]:
    """Return a function that gives a row's processor time of a stage."""
    return lambda row: float(row[f"{stage}_processor_time_s"])


def _finishing(row: Row) -> float:
    """Return the processor time of numbering and of writing masks."""
    return max(float(row["postprocessing_processor_time_s"] - row["labelling_processor_time_s"]), 0.0)


def _network_megapixels(row: Row) -> float:
    return float(row["network_pixels"] / 1e6)


def _megapixels(row: Row) -> float:
    return float(row["pixels_m"] / 1e6)
