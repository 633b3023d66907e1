"""Machines to rent, as ``machine:SPOT|STANDARD+accelerator:count``."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from cellscale.errors import RequestError

__all__ = [
    "BOOT_GB",
    "CONDUCT",
    "MEASURE",
    "SEGMENT",
    "Compute",
    "MachineType",
    "Provisioning",
    "machine_of",
    "parse_compute",
    "seconds_to_start",
]

Provisioning: TypeAlias = Literal["SPOT", "STANDARD"]

_FORM = re.compile(
    r"(?P<machine>[^:+]*)(:(?P<provisioning>[^:+]*))?(\+(?P<accelerator>[^:+]*)(:(?P<count>[^:+]*))?)?"
)
_MACHINE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_ACCELERATOR = re.compile(r"[a-z][a-z0-9-]*")

_WITH_GPU = {"a2": "nvidia-tesla-a100", "a3": "nvidia-h100-80gb", "g2": "nvidia-l4"}
"""Machine families that come with an accelerator, and its usual kind."""
_OWN_CARDS = {
    ("g2", 24): 2,
    ("g2", 48): 4,
    ("g2", 96): 8,
    ("a2", 24): 2,
    ("a2", 48): 4,
    ("a2", 96): 8,
    ("a3", 208): 8,
}
"""How many a machine of a family and so many cores comes with, where it is not one."""
_FOR_N1 = {"nvidia-tesla-t4", "nvidia-tesla-p4", "nvidia-tesla-p100", "nvidia-tesla-v100"}
"""Accelerators that only machines of the family n1 can have."""
_COUNTS = {1, 2, 4, 8, 16}

_GIB_PER_CORE = {
    ("n1", "standard"): 3.75, ("n1", "highmem"): 6.5, ("n1", "highcpu"): 0.9,
    ("c2d", "highcpu"): 2.0, ("c3", "highcpu"): 2.0, ("a2", "highgpu"): 85 / 12, ("a2", "ultragpu"): 170 / 12,
}  # fmt: skip
_GIB_PER_CORE_OF_ALL = {"standard": 4.0, "highmem": 8.0, "highcpu": 1.0}
_SHARED_CORE = {"e2-micro": (2, 1.0), "e2-small": (2, 2.0), "e2-medium": (2, 4.0), "g1-small": (1, 1.7)}


BOOT_GB = 30
"""Gigabytes that the system and the container take of a rented machine's disk."""
_START = 180.0
"""Seconds until a machine works: it is rented, starts, and fetches its container."""
_START_OF_CARDS = 120.0
"""Seconds more, in which drivers are installed."""


@dataclass(frozen=True, slots=True)
class MachineType:
    """What a machine type has."""

    cores: int
    """Virtual CPUs."""
    memory_gib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """A kind of machine to rent."""

    machine: str = "n1-standard-8"
    provisioning: Provisioning = "SPOT"
    accelerator: str = ""
    """Kind of accelerator to attach; blank for none."""
    count: int = 0
    """Accelerators a machine."""

    @property
    def family(self) -> str:
        """First part of the machine type's name."""
        return self.machine.partition("-")[0]

    @property
    def has_gpu(self) -> bool:
        """Whether the machine has an accelerator, attached or its own."""
        return bool(self.accelerator) or self.family in _WITH_GPU

    @property
    def card(self) -> str:
        """Kind of accelerator that the machine has, attached or its own; blank for none."""
        return self.accelerator or _WITH_GPU.get(self.family, "")

    @property
    def cards(self) -> int:
        """How many accelerators the machine has, attached or its own."""
        if self.accelerator or not self.has_gpu:
            return self.count
        machine = machine_of(self.machine)
        return _OWN_CARDS.get((self.family, machine.cores), 1) if machine else 1

    def __str__(self) -> str:
        accelerator = f"+{self.accelerator}:{self.count}" if self.accelerator else ""
        return f"{self.machine}:{self.provisioning}{accelerator}"


SEGMENT = Compute(accelerator="nvidia-tesla-t4", count=1)
"""Segments unless the user says otherwise."""

MEASURE = Compute()
"""Measures unless the user says otherwise."""

CONDUCT = Compute(machine="e2-medium", provisioning="STANDARD")
"""Conducts a run: small and not preempted, since the run stands still without it."""


def parse_compute(text: str, option: str) -> Compute:
    """Read a kind of machine as the original system writes it.

    Parameters
    ----------
    text
        ``machine:SPOT|STANDARD+accelerator:count``. Every part may be left out: n1-standard-8, SPOT, no accelerator
        and a count of 1 hold then.
    option
        The option it was given with, for messages.

    Raises
    ------
    RequestError
        It has another form, or there is no such machine.
    """
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise RequestError(
            f"{option} is {text!r}; expected machine:SPOT|STANDARD+accelerator:count, for example {SEGMENT}"
        )
    compute = Compute(
        machine=form["machine"] or MEASURE.machine,
        provisioning=_provisioning(form["provisioning"] or "SPOT", option),
        accelerator=form["accelerator"] or "",
        count=_count(form["count"], form["accelerator"], option),
    )
    _check(compute, option)
    return compute


def machine_of(name: str) -> MachineType | None:
    """Return what a machine type has, going by its name; None where the name does not tell."""
    if name in _SHARED_CORE:
        return MachineType(*_SHARED_CORE[name])
    family, _, rest = name.partition("-")
    kind, _, size = rest.partition("-")
    if kind == "custom" and (numbers := re.fullmatch(r"(\d+)-(\d+)(-ext)?", size)):
        return MachineType(int(numbers[1]), int(numbers[2]) / 1024)
    if number := re.fullmatch(r"(\d+)(g?)", size):
        cores = int(number[1]) * (12 if number[2] else 1)
        per_core = _GIB_PER_CORE.get((family, kind)) or _GIB_PER_CORE_OF_ALL.get(kind)
        return MachineType(cores, cores * per_core) if per_core else None
    return None


def _provisioning(word: str, option: str) -> Provisioning:
    if word.upper() not in ("SPOT", "STANDARD"):
        raise RequestError(f"{option}: {word!r} is no way to rent a machine; expected SPOT or STANDARD")
    return cast(Provisioning, word.upper())


def _count(word: str | None, accelerator: str | None, option: str) -> int:
    if not accelerator:
        if word:
            raise RequestError(f"{option}: {word!r} accelerators of no kind; expected for example +nvidia-tesla-t4:1")
        return 0
    if not word:
        return 1
    if not word.isdecimal() or int(word) not in _COUNTS:
        raise RequestError(f"{option}: a machine cannot have {word!r} accelerators; expected 1, 2, 4, 8 or 16")
    return int(word)


def _check(compute: Compute, option: str) -> None:
    if not _MACHINE.fullmatch(compute.machine):
        raise RequestError(f"{option}: {compute.machine!r} is no machine type; expected for example n1-standard-8")
    if not compute.accelerator:
        return
    if not _ACCELERATOR.fullmatch(compute.accelerator):
        raise RequestError(
            f"{option}: {compute.accelerator!r} is no accelerator; expected for example nvidia-tesla-t4"
        )
    if compute.accelerator in _FOR_N1 and compute.family != "n1":
        raise RequestError(
            f"{option}: a machine {compute.machine} cannot have {compute.accelerator}; it goes with n1 machines, "
            "for example n1-standard-8"
        )
    if compute.family != "n1" and compute.family not in _WITH_GPU:
        raise RequestError(
            f"{option}: no accelerator can be attached to {compute.machine}; take an n1 machine, or one that has "
            f"its own ({', '.join(_WITH_GPU)})"
        )


def seconds_to_start(compute: Compute) -> float:
    """Return how long a rented machine takes until it works."""
    return _START + (_START_OF_CARDS if compute.has_gpu else 0.0)
