"""Kinds of rented machines beside each other."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cellscale.engines.batch.compute import Compute
from cellscale.planning.crews import measuring_machine, rented_crew
from cellscale.planning.run_estimate import Estimate, PlannedWork, estimate
from cellscale.records.benchmark_table import Row
from cellscale.records.rates import ImageSize, Prediction, Rates
from cellscale.weights.catalogue import MESMER

__all__ = ["Option", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A run on Batch: one kind of machine segments, then another measures."""

    compute: Compute
    measuring: Compute
    machines: int
    """At once, of each."""
    time: Prediction
    """Seconds."""
    machine_hours: float
    memory: Prediction
    disk: float
    """Bytes of scratch that the larger of both takes."""
    dollars: Prediction | None


def compare(
    sizes: Sequence[ImageSize],
    rates: Rates,
    candidates: Iterable[Compute],
    measuring: str | None,
    machines: int,
    rows: Sequence[Row] = (),
    network: str | None = MESMER.name,
) -> list[Option]:
    """Return what a run takes with each kind of segmenting machine, the cheapest first.

    Parameters
    ----------
    sizes
        The images.
    rates
        What work costs.
    candidates
        Kinds of machines to segment on.
    measuring
        The kind to measure on; None for Batch's usual one.
    machines
        How many at once.
    rows
        Records, for the speed of cards.
    network
        The network that is computed with cards; None where it runs on processors alone.
    """
    several = min(machines, len(sizes))
    measurer = measuring_machine(measuring)
    after = estimate(sizes, rates, rented_crew(measurer, several, network=None), PlannedWork(segment=False))
    options = [
        _option(
            compute,
            measurer,
            estimate(sizes, rates, rented_crew(compute, several, rows, network=network), PlannedWork(measure=False)),
            after,
        )
        for compute in candidates
    ]
    return sorted(options, key=lambda option: math.inf if option.dollars is None else option.dollars.value)


def _option(compute: Compute, measuring: Compute, first: Estimate, after: Estimate) -> Option:
    dollars = None
    if first.dollars is not None and after.dollars is not None:
        dollars = _sum(first.dollars, after.dollars)
    return Option(
        compute=compute,
        measuring=measuring,
        machines=first.crew.machines,
        time=_sum(first.time, after.time),
        machine_hours=first.machine_hours.value + after.machine_hours.value,
        memory=max(first.memory, after.memory, key=lambda memory: memory.value),
        disk=max(first.scratch, after.scratch),
        dollars=dollars,
    )


def _sum(one: Prediction, other: Prediction) -> Prediction:
    """Return the sum of two numbers whose errors go the same way."""
    total = one.value + other.value
    return Prediction(total, (one.value * one.spread + other.value * other.spread) / total)
