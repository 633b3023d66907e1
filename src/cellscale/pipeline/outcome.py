"""What became of each image of a run."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from cellscale.records.image_facts import ImageFacts
from cellscale.records.machine import Machine
from cellscale.records.stage_cost import StageRecord

__all__ = ["Fate", "ImageOutcome", "OutputFate", "RunOutcome", "Status"]

Fate: TypeAlias = Literal["made", "made again", "kept", "removed", "left as a person's"]
Status: TypeAlias = Literal["done", "kept", "planned", "waiting", "failed"]


@dataclass(frozen=True, slots=True)
class OutputFate:
    """What became of one output."""

    place: str
    """Path or URI."""
    fate: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutcome:
    """What became of one image."""

    image: str
    status: Status
    """``kept``: all outputs were there already; ``planned``: a dry run; ``waiting``: not done yet."""
    cells: int | None = None
    """Labels in the whole-cell mask; None where there is none."""
    nuclei: int | None = None
    """Labels in the nucleus mask; None where there is none."""
    unmatched_nuclei: int | None = None
    """Nuclei that belong to no cell; None where it is not known."""
    seconds: float = 0.0
    processor_seconds: float = 0.0
    """Processor time of the whole process while it worked on the image."""
    peak_memory: int = 0
    """Largest resident size of the process while it worked on the image, in bytes."""
    outputs: tuple[str, ...] = ()
    """Paths or URIs of the image's outputs."""
    fates: tuple[OutputFate, ...] = ()
    """What became of each output, those that are no longer asked for included."""
    notes: tuple[str, ...] = ()
    """What was chosen and why (channels, µm/px), or in a dry run what would be done."""
    warnings: tuple[str, ...] = ()
    error: str | None = None
    """Why it failed."""
    stages: tuple[StageRecord, ...] = ()
    facts: ImageFacts = field(default_factory=ImageFacts)
    """What the costs depend on."""
    machine: Machine = field(default_factory=Machine)
    """Where it was worked on."""
    run: str = ""
    """Name of the run whose record tells what the image cost; empty for the one that closes it."""
    untold: bool = False
    """Whether some of it was done by an earlier run, which did not come to tell of it."""
    finished_utc: str = ""
    """When the work ended: ISO 8601 in UTC, without an offset."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What became of a run."""

    images: tuple[ImageOutcome, ...]
    outputs: tuple[str, ...] = ()
    """Outputs of the run as a whole: the QuPath project."""
    notes: tuple[str, ...] = ()
    """What a person should know of the run as a whole, a line each."""
    error: str | None = None
    """What went wrong with the run as a whole, whatever became of its images."""

    @property
    def failed(self) -> tuple[ImageOutcome, ...]:
        """The images that could not be finished."""
        return tuple(outcome for outcome in self.images if outcome.status == "failed")

    @property
    def exit_code(self) -> int:
        """0 if every image is done, 1 if some failed or the run as a whole did."""
        return 1 if self.failed or self.error is not None else 0
