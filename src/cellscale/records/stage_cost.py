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
    busy_seconds: float
    """Processor time of the workers together, without waiting; 0 where a stage has no workers of its own. Stages that
    run at the same time can be told apart by it."""
    read_seconds: float = 0.0
    """Time that all threads together spent on reading input; part of it may have run beside other work."""
    write_seconds: float = 0.0
    """Time that all threads together spent on writing output."""
    earlier_units: int = 0
    """Units that an earlier run had finished."""
    processor_seconds: float = 0.0
    """Processor time of the whole process while the stage ran, other stages at the same time included."""
