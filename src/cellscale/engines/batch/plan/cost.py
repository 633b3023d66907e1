"""What a run will cost, roughly."""

from dataclasses import dataclass

from cellscale.engines.batch.compute import BOOT_GB, CONDUCT, Compute, machine_of, seconds_to_start
from cellscale.engines.batch.plan.sizing import CONDUCTING, Need, Sizes
from cellscale.engines.batch.prices import PRICES_OF, disk_price, hourly_price
from cellscale.records.rates import ImageSize
from cellscale.records.shipped_rates import card_seconds, known_rates

__all__ = ["Cost", "CostedJob", "estimate_cost"]

_MEGAPIXEL = ImageSize(pixels=10**6, network_pixels=10**6, tiles=round(1e6 / 192**2), channels=8)
"""What the rates are asked for: the number of channels is not known here."""
_CARD_UNKNOWN = 0.02
"""Seconds for a tile on an accelerator that nothing is known of."""
_CORES_UNKNOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CostedJob:
    """One of a run's jobs, as far as its cost goes."""

    measuring: bool
    compute: Compute
    need: Need
    parallelism: int


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate; half or double is no surprise."""

    dollars: float | None
    """US dollars; None where a machine is not in the price table."""
    machine_hours: float
    elapsed_hours: float
    """Hours until the run is done, if Batch finds all machines at once."""

    def __str__(self) -> str:
        if self.dollars is None:
            price = "unknown: the machine is not in the price table"
        else:
            price = f"about ${self.dollars:,.2f}, by list prices of {PRICES_OF} in us-central1; storage not included"
        return f"{price}; {self.machine_hours:.1f} machine-hours, done in {self.elapsed_hours:.1f} h or more"


def estimate_cost(works: list[CostedJob], sizes: Sizes) -> Cost:
    """Return what a run will cost.

    Parameters
    ----------
    works
        Its jobs, one after another.
    sizes
        How much there is to do.
    """
    hours, elapsed, dollars = 0.0, 0.0, 0.0
    known = True
    for work in works:
        machines = min(work.parallelism, sizes.images)
        each = sizes.pixels / 1e6 * _seconds_per_megapixel(work) / machines + seconds_to_start(work.compute)
        # No image is shared by machines, so that the largest one is the least a job can take.
        longest = sizes.largest / 1e6 * _seconds_per_megapixel(work) + seconds_to_start(work.compute)
        price = hourly_price(work.compute)
        known = known and price is not None
        hours += machines * each / 3600
        elapsed += max(each, longest) / 3600
        dollars += machines * each / 3600 * ((price or 0) + disk_price(BOOT_GB + work.need.disk_gb))
    conducting = elapsed + seconds_to_start(CONDUCT) / 3600
    dollars += conducting * ((hourly_price(CONDUCT) or 0) + disk_price(BOOT_GB + CONDUCTING.disk_gb))
    return Cost(dollars if known else None, hours + conducting, conducting)


def _seconds_per_megapixel(work: CostedJob) -> float:
    machine = machine_of(work.compute.machine)
    cores = machine.cores if machine else _CORES_UNKNOWN
    rates = known_rates(None, None)
    if work.measuring:
        return rates.measuring_time(_MEGAPIXEL, cores)
    return rates.segmenting(_MEGAPIXEL, cores, _tile_seconds(work.compute) if work.compute.has_gpu else None)


def _tile_seconds(compute: Compute) -> float:
    known = card_seconds(compute.card)
    return (known[0] if known else _CARD_UNKNOWN) / max(compute.cards, 1)
