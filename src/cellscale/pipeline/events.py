"""What the pipeline tells while it works; progress bars, logs and records listen, no stage prints."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from cellscale.pipeline.model import LIKE_MESMER, Interface
from cellscale.records.stage_cost import StageRecord
from cellscale.storage.uri import Location

if TYPE_CHECKING:
    from cellscale.images.info import ImageInfo

__all__ = [
    "Advanced",
    "Event",
    "ImageFinished",
    "ImageStarted",
    "ImagesSeen",
    "Listener",
    "Notice",
    "StageFinished",
    "StageStarted",
    "ignore",
]


@dataclass(frozen=True, slots=True)
class ImagesSeen:
    """The headers of a run's images were read, before work on the first one begins."""

    images: "tuple[tuple[str, ImageInfo, float | None], ...]"
    """Name, facts and µm/px of each image that can be opened; None for µm/px as the file says."""
    segment: bool
    measure: bool
    jobs: Location
    """Folder of the dataset's runs, with what they took."""
    network: str = "mesmer"
    """What records call the network."""
    interface: Interface = LIKE_MESMER
    """How it sees images."""
    image: str = ""
    """Empty: it is about the run as a whole."""


@dataclass(frozen=True, slots=True)
class ImageStarted:
    """Work on an image begins."""

    image: str
    position: int
    """From 1."""
    count: int
    """How many images the run has."""


@dataclass(frozen=True, slots=True)
class ImageFinished:
    """Work on an image is over."""

    image: str
    status: str
    """As of `cellscale.pipeline.outcome.ImageOutcome`."""


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage of an image begins."""

    image: str
    stage: str
    total: int
    """Units of work in the stage."""
    done: int = 0
    """Units found finished by an earlier run."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """Units of a stage are finished."""

    image: str
    stage: str
    units: int = 1
    cells: int | None = None
    """Cells (or nuclei, where only these are wanted) that the stage has found so far; None where it finds none."""


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage of an image is finished."""

    image: str
    record: StageRecord


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know about an image."""

    image: str
    """Empty for the run as a whole."""
    level: Literal["info", "warning", "error"]
    text: str
    happened: datetime | None = field(default=None, compare=False)
    """When, where it is told later; None: now."""


Event: TypeAlias = ImagesSeen | ImageStarted | ImageFinished | StageStarted | Advanced | StageFinished | Notice
Listener: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
