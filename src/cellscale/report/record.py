"""What became of an image, kept as JSON so that every later report can tell of it."""

from dataclasses import dataclass, field, replace
from functools import cache

from pydantic import TypeAdapter, ValidationError

from cellscale.predict.heads import Compartment
from cellscale.records.machine import Machine
from cellscale.records.stage import StageRecord

__all__ = ["Certificate", "ImageRecord", "merged", "record_from_json", "record_to_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The proof that an image's labels are those of one run over the whole image."""

    blocks: int
    """Blocks that were labelled, each certain of its labels."""
    enlarged: int
    """Blocks whose surroundings had to grow for that."""
    largest_halo: int
    """Pixels of surroundings that the most demanding block needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image's way through a run."""

    image: str
    status: str
    """``done``, ``kept`` or ``failed``."""
    error: str | None = None
    cells: int | None = None
    nuclei: int | None = None
    unmatched_nuclei: int | None = None
    """Nuclei without a cell, by the run's rule of matching."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    peak_memory: int = 0
    """Bytes."""
    stages: tuple[StageRecord, ...] = ()
    machine: Machine = field(default_factory=Machine)
    network: str = ""
    """Name of the network."""
    network_sha256: str = ""
    parameters: dict[Compartment, dict[str, float]] = field(default_factory=dict)
    """Of postprocessing."""
    certificates: dict[Compartment, Certificate] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """Of cellscale and of what it computes with."""
    finished_utc: str = ""
    page: str = ""
    """Hash of all that the image's page of the report was made from."""


def merged(earlier: ImageRecord | None, now: ImageRecord) -> ImageRecord:
    """Return what is to be known of an image after a run.

    A run that found everything done, or failed, tells nothing of how the outputs were made: that stays.
    """
    if earlier is None or now.status == "done":
        return now
    return replace(
        earlier,
        status=now.status,
        error=now.error,
        warnings=now.warnings,
        notes=now.notes,
        cells=earlier.cells if now.cells is None else now.cells,
        nuclei=earlier.nuclei if now.nuclei is None else now.nuclei,
        unmatched_nuclei=earlier.unmatched_nuclei if now.unmatched_nuclei is None else now.unmatched_nuclei,
    )


def record_to_json(record: ImageRecord) -> bytes:
    """Return a record as JSON."""
    return _adapter().dump_json(record, indent=1)


def record_from_json(text: bytes) -> ImageRecord | None:
    """Return the record that `record_to_json` wrote; None where it is damaged or from another version."""
    try:
        return _adapter().validate_json(text)
    except ValidationError:
        return None


@cache
def _adapter() -> TypeAdapter[ImageRecord]:
    return TypeAdapter(ImageRecord)
