"""What machines cost, roughly: a table that ships with cellscale, since Google's price list needs an account."""

from cellscale.engines.batch.compute import Compute, machine_of

__all__ = ["PRICES_OF", "disk_price", "hourly_price"]

PRICES_OF = "June 2025"
"""When the table was made."""

_PER_CORE_AND_GIB = {
    "n1": (0.031611, 0.004237), "n2": (0.031611, 0.004237), "n2d": (0.027502, 0.003686), "e2": (0.021812, 0.002924),
    "c2": (0.033982, 0.004550), "c2d": (0.029563, 0.003959), "c3": (0.033982, 0.004550), "t2d": (0.027502, 0.003686),
    "g2": (0.024988, 0.002927), "a2": (0.031611, 0.004237),
}  # fmt: skip
"""US dollars an hour in us-central1, by machine family: for a virtual CPU, and for a GiB of memory."""

_PER_MACHINE = {"e2-micro": 0.0084, "e2-small": 0.0168, "e2-medium": 0.0335, "g1-small": 0.0257}
"""US dollars an hour of machines that share cores."""

_PER_ACCELERATOR = {
    "nvidia-tesla-t4": 0.35, "nvidia-tesla-p4": 0.60, "nvidia-tesla-p100": 1.46, "nvidia-tesla-v100": 2.48,
    "nvidia-l4": 0.56, "nvidia-tesla-a100": 2.934,
}  # fmt: skip
"""US dollars an hour."""

_SPOT_SHARE = 0.4
"""What a spot machine costs of the list price, at most as a rule: Google says 9 to 40 percent, changing monthly."""

_DISK_PER_GB_MONTH = 0.10
_HOURS_PER_MONTH = 730


def hourly_price(compute: Compute) -> float | None:
    """Return US dollars an hour for a machine with its accelerators; None where the table does not know it."""
    base = _machine_price(compute.machine, compute.family)
    accelerators = _accelerator_price(compute)
    if base is None or accelerators is None:
        return None
    return (base + accelerators) * (_SPOT_SHARE if compute.provisioning == "SPOT" else 1)


def disk_price(gigabytes: float) -> float:
    """Return US dollars an hour for a balanced persistent disk."""
    return gigabytes * _DISK_PER_GB_MONTH / _HOURS_PER_MONTH


def _machine_price(name: str, family: str) -> float | None:
    if name in _PER_MACHINE:
        return _PER_MACHINE[name]
    machine, prices = machine_of(name), _PER_CORE_AND_GIB.get(family)
    if machine is None or prices is None:
        return None
    return machine.cores * prices[0] + machine.memory_gib * prices[1]


def _accelerator_price(compute: Compute) -> float | None:
    if not compute.card:
        return 0.0
    price = _PER_ACCELERATOR.get(compute.card)
    return None if price is None else price * compute.cards
