"""What is asked of one engine alone, beside a request that all of them understand."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["BatchOptions", "DaskOptions", "Stages"]

Stages: TypeAlias = Literal["fused", "separate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskOptions:
    """Which Dask cluster does the work."""

    scheduler: str | None = None
    """Address of the scheduler whose workers do the work; None: processes of this machine, for the run."""

    workers: int | None = None
    """Processes of this machine, where no scheduler is given; None: as many as cores and memory allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """Which machines are rented, and how the work is spread over them."""

    env_config_uri: str | None = None
    """Path or URI of the description of the cloud environment."""

    segmentation_compute_config: str | None = None
    """Machine that segments; None for the usual one."""

    measurement_compute_config: str | None = None
    """Machine that measures; None for the usual one."""

    parallelism: int | None = None
    """Images worked on at the same time; None: as many as Batch allows."""

    stages: Stages = "fused"
    """Whether a machine works on an image in one process or in one for each stage."""

    wait: bool = False
    """Wait until the work is done, rather than leave it."""
