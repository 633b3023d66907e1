"""What a run will cost, roughly."""

from dataclasses import dataclass

from cellscale.engines.batch.compute import BOOT_GB, CONDUCT, Compute, machine_of, seconds_to_start
from cellscale.engines.batch.plan.sizing import CONDUCTING, Need, Sizes
from cellscale.engines.batch.prices import PRICES_OF, disk_price, hourly_price
from cellscale.pipeline.model import LIKE_MESMER, Interface
from cellscale.pipeline.segmenting import grid_of
from cellscale.records.rates import ImageSize, Rates
from cellscale.records.shipped_rates import SHIPPED, card_seconds, known_rates
from cellscale.weights.catalogue import MESMER

__all__ = ["Cost", "CostedJob", "estimate_cost"]

_CHANNELS = 8
"""Of an image; how many there are is not known here."""
_SIDE = 4096
"""Pixels a side of the image whose tiles say how many a megapixel has."""
_USUAL_MPP = 0.5
"""Micrometres a pixel of images, which are not known here either."""
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
    stand_in: str = ""
    """The network that is reckoned as Mesmer, there being no records of it; blank where there are."""

    def __str__(self) -> str:
        if self.dollars is None:
            price = "unknown: the machine is not in the price table"
        else:
            price = f"about ${self.dollars:,.2f}, by list prices of {PRICES_OF} in us-central1; storage not included"
        guess = f" ({self.stand_in}, which has no records, is reckoned as Mesmer)" if self.stand_in else ""
        return f"{price}; {self.machine_hours:.1f} machine-hours, done in {self.elapsed_hours:.1f} h or more{guess}"


def estimate_cost(
    works: list[CostedJob], sizes: Sizes, network: str = MESMER.name, interface: Interface = LIKE_MESMER
) -> Cost:
    """Return what a run will cost.

    Parameters
    ----------
    works
        Its jobs, one after another.
    sizes
        How much there is to do.
    network
        What records call the network.
    interface
        How it sees images.
    """
    rates = known_rates(None, None, (), network, grid_of(interface))
    megapixel = _megapixel(interface)
    hours, elapsed, dollars = 0.0, 0.0, 0.0
    known = True
    for work in works:
        machines = min(work.parallelism, sizes.images)
        pace = _seconds_per_megapixel(work, rates, megapixel, network if interface.kind != "seeds" else None)
        each = sizes.pixels / 1e6 * pace / machines + seconds_to_start(work.compute)
        # No image is shared by machines, so that the largest one is the least a job can take.
        longest = sizes.largest / 1e6 * pace + seconds_to_start(work.compute)
        price = hourly_price(work.compute)
        known = known and price is not None
        hours += machines * each / 3600
        elapsed += max(each, longest) / 3600
        dollars += machines * each / 3600 * ((price or 0) + disk_price(BOOT_GB + work.need.disk_gb))
    conducting = elapsed + seconds_to_start(CONDUCT) / 3600
    dollars += conducting * ((hourly_price(CONDUCT) or 0) + disk_price(BOOT_GB + CONDUCTING.disk_gb))
    is_known = network == MESMER.name or rates.source != SHIPPED or all(work.measuring for work in works)
    stand_in = "" if is_known else network
    return Cost(dollars if known else None, hours + conducting, conducting, stand_in)


def _megapixel(interface: Interface) -> ImageSize:
    """Return what a megapixel of an image is for a network."""
    factor = _USUAL_MPP / interface.input_format.mpp
    grid = grid_of(interface)((round(_SIDE * factor), round(_SIDE * factor)))
    return ImageSize(
        pixels=10**6,
        network_pixels=round(1e6 * factor**2),
        tiles=1,
        tile_pixels=grid.computed_pixels * 1e6 / _SIDE**2,
        channels=_CHANNELS,
    )


def _seconds_per_megapixel(work: CostedJob, rates: Rates, megapixel: ImageSize, on_cards: str | None) -> float:
    machine = machine_of(work.compute.machine)
    cores = machine.cores if machine else _CORES_UNKNOWN
    if work.measuring:
        return rates.measuring_time(megapixel, cores)
    cards = _tile_seconds(work.compute, on_cards) if on_cards and work.compute.has_gpu else None
    return rates.segmenting(megapixel, cores, cards)


def _tile_seconds(compute: Compute, network: str) -> float:
    known = card_seconds(compute.card, network=network)
    return (known[0] if known else _CARD_UNKNOWN) / max(compute.cards, 1)
