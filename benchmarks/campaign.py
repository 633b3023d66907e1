"""A plan for very many images: the formula's rates, run through the simulation."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.simulation import Fleet, Job, Outcome, simulate
from benchmarks.traffic import Traffic, measuring_traffic, segmenting_traffic
from cellscale.engines.batch.prices import disk_price, hourly_price
from cellscale.planning.run_estimate import MachinePool, PlannedWork, estimate
from cellscale.records.rates import ImageSize, Rates

__all__ = ["DISK_GB", "Plan", "fleet_of", "jobs_of", "plan"]

DISK_GB = 20.0
"""Of a rented machine, besides what the image needs."""
KEPT_EVERY = 30.0
"""Seconds of work between two units that go to the store."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One part of a campaign: segmenting or measuring."""

    crew: MachinePool
    outcome: Outcome
    scratch: float
    """Bytes of disk that a machine needs for an image."""

    @property
    def dollars(self) -> float | None:
        """List price of the machines with their disks; None where nothing is rented or the price is not known."""
        price = None if self.crew.compute is None else hourly_price(self.crew.compute)
        if price is None:
            return None
        return self.outcome.machine_seconds / 3600 * (price + disk_price(DISK_GB + self.scratch / 1e9))


def plan(
    sizes: Sequence[ImageSize],
    rates: Rates,
    crew: MachinePool,
    work: PlannedWork,
    bandwidth: float = float("inf"),
    seed: int = 0,
) -> Plan:
    """Simulate a part of a campaign.

    Parameters
    ----------
    sizes
        The images.
    rates
        What work costs.
    crew
        Who does it.
    work
        Segmenting, measuring or both.
    bandwidth
        Bytes a second that all machines together can read.
    seed
        Of the chance by which machines are taken away.
    """
    outcome = simulate(jobs_of(sizes, rates, crew, work), fleet_of(crew, bandwidth), seed)
    return Plan(crew, outcome, estimate(sizes[:1], rates, crew, work).scratch)


def jobs_of(sizes: Sequence[ImageSize], rates: Rates, crew: MachinePool, work: PlannedWork) -> list[Job]:
    """Return the work of each image on a machine of a crew; images of one size share the computation."""
    known: dict[ImageSize, Job] = {}
    for size in sizes:
        if size not in known:
            known[size] = _job(size, rates, crew, work)
    return [known[size] for size in sizes]


def fleet_of(crew: MachinePool, bandwidth: float = float("inf")) -> Fleet:
    """Return a crew as the simulation sees it."""
    return Fleet(
        machines=crew.machines,
        start=crew.start,
        losses_per_hour=crew.losses_per_hour,
        kept_every=KEPT_EVERY,
        bandwidth=bandwidth,
    )


def _job(size: ImageSize, rates: Rates, crew: MachinePool, work: PlannedWork) -> Job:
    masks = size.pixels * rates.output_bytes / 2
    traffic = [segmenting_traffic(size, masks)] if work.segment else []
    traffic += [measuring_traffic(size, masks)] if work.measure else []
    seconds = rates.start
    seconds += rates.segmenting(size, crew.cores, crew.tile_seconds) if work.segment else 0.0
    seconds += rates.measuring_time(size, crew.cores) if work.measure else 0.0
    return _with_traffic(seconds, traffic)


def _with_traffic(seconds: float, traffic: Sequence[Traffic]) -> Job:
    return Job(
        seconds=seconds,
        read_bytes=sum(part.read_bytes for part in traffic),
        written_bytes=sum(part.written_bytes for part in traffic),
        reads=sum(part.reads for part in traffic),
        writes=sum(part.writes for part in traffic),
    )
