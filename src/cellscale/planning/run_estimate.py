"""What a run over a dataset will take on a machine, or on several: time, memory, disk and money."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cellscale.engines.batch.compute import BOOT_GB, Compute
from cellscale.engines.batch.prices import disk_price, hourly_price
from cellscale.pipeline.budget import FIXED, PER_WORKER, side_by_side
from cellscale.planning.peak_memory import peak_memory
from cellscale.predict.devices import DEVICES
from cellscale.predict.tiles import TILE
from cellscale.records.rates import ImageSize, Prediction, Rates

__all__ = ["ENDING", "LABEL_STATE", "PROGRAM", "TILE_STATE", "Estimate", "MachinePool", "PlannedWork", "estimate"]

TILE_STATE = TILE * TILE * 4 * 4
"""Bytes that the maps of a tile of Mesmer's take on disk until the blocks around it are labelled: four maps,
float32."""
LABEL_STATE = 2 * 4
"""Bytes a pixel that the labels of both compartments take meanwhile."""
_CELL_AREA = 62.5
"""Square micrometres a cell in crowded tissue."""
_CELL_STATE, _CHANNEL_STATE = 800, 96
"""Bytes that a cell's outlines and shape take until its tables are written, and those that each channel adds."""
PROGRAM = 2.0
"""Seconds until the program has loaded what it needs, and found what there is to do."""
ENDING = 0.06
"""Core-seconds an image for its page of the report and its place in the project, after all images; on no record."""
_SPREAD_OF_CARDS = 0.5
"""Relative error of a card that was not measured, by its data sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePool:
    """The machines that work side by side, each on an image of its own."""

    machines: int
    cores: int
    """Of each."""
    memory: float
    """Bytes of each that a run may use."""
    same_machine: bool
    """Whether they are of the kind that the rates were measured on."""
    compute: Compute | None = None
    """What is rented; None for machines of one's own."""
    tile_seconds: float | None = None
    """Seconds that a machine's cards take for as many pixels as a tile of Mesmer's has; None where the cores compute
    the network."""
    card_measured: bool = True
    start: float = 0.0
    """Seconds until a machine works."""
    losses_per_hour: float = 0.0
    """How often a machine is taken away, where it is a spot machine."""
    loss: float = 0.0
    """Seconds that this costs: another machine starts, and does again what had not been kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWork:
    """What is asked for."""

    segment: bool = True
    measure: bool = True
    workers: int | None = None
    batch_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will take."""

    crew: MachinePool
    time: Prediction
    """Seconds until the last image is done, if all machines are to be had at once."""
    machine_hours: Prediction
    memory: Prediction
    """Largest resident size of a process, in bytes."""
    scratch: float
    """Bytes of disk that the largest image takes on its machine while it is worked on."""
    outputs: float
    """Bytes of all outputs."""
    dollars: Prediction | None
    """None where nothing is rented, or the price is not known."""
    workers: int
    batch_size: int


def estimate(sizes: Sequence[ImageSize], rates: Rates, crew: MachinePool, work: PlannedWork) -> Estimate:
    """Predict a run.

    Parameters
    ----------
    sizes
        The images, at least one.
    rates
        What work costs.
    crew
        Who does it.
    work
        What is asked for.
    """
    each = [_seconds(size, rates, crew, work, len(sizes)) for size in sizes]
    loading = rates.loading if work.segment else 0.0
    total, longest = sum(each) + loading * min(crew.machines, len(each)), max(each) + loading
    # Machines that take the next image when they are done end together, but for the last image of each.
    busy = max(total / crew.machines, longest) if len(each) > crew.machines else longest
    losses = 1 + crew.losses_per_hour * crew.loss / 3600
    around = _around(rates, crew, len(each))
    elapsed = busy * losses + crew.start + around
    hours = (total * losses + crew.start * min(crew.machines, len(each)) + around) / 3600
    spread = _spread(rates, crew, len(sizes))
    scratch = max(map(_scratch, sizes))
    workers = _workers(crew, work)
    peak = max(peak_memory(size, rates, workers, _beside(size, crew, work, len(sizes))) for size in sizes)
    return Estimate(
        crew=crew,
        time=Prediction(elapsed, spread),
        machine_hours=Prediction(hours, spread),
        memory=Prediction(max(peak, FIXED / 2), rates.memory_spread),
        scratch=scratch,
        outputs=sum(size.pixels for size in sizes) * rates.output_bytes,
        dollars=_dollars(crew, hours, scratch, spread),
        workers=workers,
        batch_size=work.batch_size or DEVICES["cpu" if crew.tile_seconds is None else "cuda"].batch_size,
    )


def _seconds(size: ImageSize, rates: Rates, crew: MachinePool, work: PlannedWork, images: int) -> float:
    seconds = rates.start - rates.saved(size, _beside(size, crew, work, images), segment=work.segment)
    if work.segment:
        seconds += rates.segmenting(size, crew.cores, crew.tile_seconds)
    if work.measure:
        seconds += rates.measuring_time(size, crew.cores)
    return seconds


def _beside(size: ImageSize, crew: MachinePool, work: PlannedWork, images: int) -> int:
    """Return how many small images are worked on at the same time; a rented machine has one."""
    if crew.compute is not None or crew.tile_seconds is not None:
        return 1
    most = side_by_side(size.network_pixels if work.segment else size.pixels, _workers(crew, work))
    return min(most, math.ceil(images / crew.machines))


def _around(rates: Rates, crew: MachinePool, images: int) -> float:
    """Return seconds before the first image and after the last one, of a run of one's own."""
    if crew.compute is not None:  # the tasks of Batch are begun and ended by others
        return 0.0
    return PROGRAM + ENDING * images / (crew.cores * rates.share)


def _spread(rates: Rates, crew: MachinePool, images: int) -> float:
    """Return the relative error of the time.

    What is wrong with a rate is wrong for all images; only what differs from image to image evens out.
    """
    common = rates.spread_on(same_machine=crew.same_machine)
    if not crew.card_measured:
        common = math.hypot(common, _SPREAD_OF_CARDS)
    return math.hypot(common, rates.spread / math.sqrt(images))


def _workers(crew: MachinePool, work: PlannedWork) -> int:
    """Return blocks side by side, as `cellscale.pipeline.budget.Budget` will choose them."""
    affordable = int((crew.memory - FIXED) // PER_WORKER)
    return max(min(work.workers or crew.cores, affordable), 1)


def _scratch(size: ImageSize) -> float:
    maps = size.tiles * TILE_STATE if size.held_bytes is None else size.held_bytes
    segmenting = maps + size.network_pixels * LABEL_STATE
    cells = size.network_pixels * size.network_mpp**2 / _CELL_AREA
    measuring = cells * (_CELL_STATE + _CHANNEL_STATE * size.channels)
    return float(max(segmenting, measuring))


def _dollars(crew: MachinePool, hours: float, scratch: float, spread: float) -> Prediction | None:
    price = None if crew.compute is None else hourly_price(crew.compute)
    if price is None:
        return None
    return Prediction(hours * (price + disk_price(BOOT_GB + scratch / 1e9)), spread)
