"""The machines that an estimate is made for: this one, one's own, or rented ones."""

import re
from collections.abc import Iterable, Sequence

from cellscale.engines.batch.compute import MEASURE, SEGMENT, Compute, machine_of, parse_compute, seconds_to_start
from cellscale.errors import RequestError
from cellscale.pipeline.budget import SHARE, available_memory
from cellscale.planning.run_estimate import MachinePool
from cellscale.records.benchmark_table import Row
from cellscale.records.machine import Machine
from cellscale.records.rates import Rates
from cellscale.records.shipped_rates import card_seconds
from cellscale.weights.catalogue import MESMER

__all__ = ["CANDIDATES", "OPTION", "measuring_machine", "own_crew", "rented_crew"]

OPTION = "--machine"
CANDIDATES = tuple(
    parse_compute(text, OPTION)
    for text in (
        str(SEGMENT), "g2-standard-8:SPOT", "g2-standard-16:SPOT", "n1-standard-16:SPOT+nvidia-tesla-t4:1",
        "n2-standard-8:SPOT", "n2-standard-32:SPOT", "c2d-standard-16:SPOT", "t2d-standard-16:SPOT",
    )
)  # fmt: skip
"""Rented machines that are compared when none is named."""
SPOT_LOSSES = 0.05
"""How often an hour a spot machine is taken away: one in five within four hours. Google publishes no rate."""
SPOT_LOSS = 60.0
"""Seconds of work done again after that, besides the start of another machine: what the bucket did not have yet."""
_OWN = re.compile(r"(\d+)x(\d+(?:\.\d+)?)GB", re.IGNORECASE | re.ASCII)


def own_crew(
    text: str | None, machines: int, machine: Machine, rates: Rates, max_memory: int | None = None
) -> MachinePool:
    """Return machines that cost nothing: like this one, or as ``CORESxMEMORY``, for example ``64x256GB``.

    Raises
    ------
    RequestError
        The text has another form.
    """
    if text is None:
        memory = float(max_memory or available_memory() * SHARE)
        return MachinePool(
            machines=machines,
            cores=machine.cores,
            memory=memory,
            same_machine=(machine.cpu, machine.cores) == (rates.machine, rates.cores),
        )
    own = _OWN.fullmatch(text.strip())
    if own is not None and int(own[1]) > 0:
        cores, memory = int(own[1]), float(own[2]) * 1e9
    elif (kind := machine_of(text)) is not None:
        cores, memory = kind.cores, kind.memory_gib * 2**30
    else:
        raise RequestError(f"{OPTION} is {text!r}; expected cores and memory, as in 64x256GB, or a type of Google's")
    return MachinePool(machines=machines, cores=cores, memory=max_memory or memory * SHARE, same_machine=False)


def rented_crew(
    compute: Compute, machines: int, rows: Sequence[Row] = (), *, network: str | None = MESMER.name
) -> MachinePool:
    """Return machines that Google Cloud Batch rents.

    Parameters
    ----------
    compute
        The kind of machine.
    machines
        How many at once.
    rows
        Records, for the speed of cards.
    network
        The network that the machines compute with their cards; None where those have nothing to do.

    Raises
    ------
    RequestError
        Nothing is known of such a machine or card.
    """
    kind = machine_of(compute.machine)
    if kind is None:
        raise RequestError(f"{OPTION}: nothing is known of the cores and memory of {compute.machine}")
    seconds, measured = _cards(compute, rows, network) if network and compute.has_gpu else (None, True)
    is_spot = compute.provisioning == "SPOT"
    start = seconds_to_start(compute)
    return MachinePool(
        machines=machines,
        cores=kind.cores,
        memory=kind.memory_gib * 2**30 * SHARE,
        same_machine=False,
        compute=compute,
        tile_seconds=seconds,
        card_measured=measured,
        start=start,
        losses_per_hour=SPOT_LOSSES if is_spot else 0.0,
        loss=start + SPOT_LOSS,
    )


def measuring_machine(text: str | None) -> Compute:
    """Return the kind of machine that measures; Batch's usual one where none is named."""
    return MEASURE if text is None else parse_compute(text, "--measuring_machine")


def _cards(compute: Compute, rows: Iterable[Row], network: str) -> tuple[float, bool]:
    found = card_seconds(compute.card, rows, network)
    if found is None:
        raise RequestError(f"{OPTION}: nothing is known of the speed of {compute.card}; benchmark records would tell")
    return found[0] / max(compute.cards, 1), found[1]
