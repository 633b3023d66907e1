"""The cost of one stage of one image."""

from dataclasses import dataclass

__all__ = ["StageRecord"]


@dataclass(frozen=True, slots=True)
class StageRecord:
    """Time and memory that a stage took."""

    stage: str
    seconds: float
    peak_memory: int
    """Largest resident size of the process while the stage ran, in bytes."""
    units: int
    """Units of work done, without those that an earlier run had finished."""
