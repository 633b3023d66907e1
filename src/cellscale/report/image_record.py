"""What became of an image, kept as JSON so that every later report can tell of it."""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from cellscale.predict.heads import Compartment
from cellscale.records.machine import Machine
from cellscale.records.stage_cost import StageRecord
from cellscale.report.flags import Flag
from cellscale.report.plain_json import plain_json
from cellscale.storage.content import Content

if TYPE_CHECKING:  # who reads no earlier record does without
    from pydantic import TypeAdapter

__all__ = [
    "CertificateRecord",
    "ImageRecord",
    "Listed",
    "RegionRecord",
    "TissueRecord",
    "merged",
    "record_from_json",
    "record_to_json",
]


_FROM_THE_START = {"network", "labels"}
"""Stages of a run after which nothing that was made before is left."""
_SEES = {"measurement", "tables"}
"""Stages that warn anew of what they see in masks and images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """The proof that an image's labels are those of one run over the whole image."""

    blocks: int
    """Blocks that were labelled, each certain of its labels."""
    enlarged: int
    """Blocks whose surroundings had to grow for that."""
    largest_halo: int
    """Pixels of surroundings that the most demanding block needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRecord:
    """What was found in a region that somebody drew."""

    name: str
    pixels: float
    """Its size, without what is left out or lies in a region before it."""
    cells: int | None = None
    nuclei: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueRecord:
    """What was taken for tissue."""

    skipped: float
    """Share of the image that was taken for glass."""
    picture: str
    """The image with glass reddish, WebP, base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the list of images says of one."""

    counts: tuple[int | None, int | None] = (None, None)
    """Cells and nuclei."""
    row: tuple[str, ...] = ()
    """Its row of the table."""
    flags: tuple[Flag, ...] = ()
    density: float | None = None
    areas: tuple[float | None, float | None] = (None, None)
    """Median areas of cells and nuclei."""
    area_unit: str = ""
    """Empty where the image was not looked at."""


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
    network_license: str = ""
    """Name of the terms of its weights; blank where they are not known."""
    parameters: dict[Compartment, dict[str, int | float]] = field(default_factory=dict)
    """Of postprocessing."""
    certificates: dict[Compartment, CertificateRecord] = field(default_factory=dict)
    regions: tuple[RegionRecord, ...] = ()
    segmented_pixels: float | None = None
    """Size of the part of the image whose objects the masks have; None for all of it."""
    tissue: TissueRecord | None = None
    """None where glass was not told from tissue."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of cellscale and of what it computes with."""
    finished_utc: str = ""
    made_warnings: tuple[str, ...] = ()
    """Warnings of the run that made the outputs; later runs, which keep them, do not see what it saw."""
    page: str = ""
    """Hash of all that the image's page of the report was made from."""
    file: Content | None = None
    """What that page's file held when it was written; None where that is not known."""
    listed: Listed | None = None
    """What goes with that page into the list of images."""


def merged(earlier: ImageRecord | None, now: ImageRecord) -> ImageRecord:
    """Return what is to be known of an image after a run.

    A run that found everything done, or failed, tells nothing of how the outputs were made: that stays. One that made
    a part of them, such as pictures, adds what that took to what the others did.
    """
    if now.status == "done":
        now = replace(now, made_warnings=now.warnings)
        return now if earlier is None or _made_all(now) else _added(earlier, now)
    if earlier is None:
        return now
    if now.status == "kept" and earlier.error is None:  # that it was only looked at once more is nothing new
        now = replace(now, status=earlier.status, notes=earlier.notes)
    kept = earlier.made_warnings if now.error is None else ()
    told = replace(
        earlier,
        status=now.status,
        error=now.error,
        warnings=tuple(dict.fromkeys((*kept, *now.warnings))),
        notes=now.notes,
    )
    return _counted(told, earlier, now)


def _made_all(record: ImageRecord) -> bool:
    return any(stage.stage in _FROM_THE_START for stage in record.stages)


def _added(earlier: ImageRecord, now: ImageRecord) -> ImageRecord:
    """Return the record of a run that made some outputs beside those of an earlier run, or instead of some."""
    names = {stage.stage for stage in now.stages}
    again = [stage.seconds for stage in earlier.stages if stage.stage in names]
    stays = tuple(stage for stage in earlier.stages if stage.stage not in names)
    if not stays:
        return now
    if not names & _SEES:
        now = replace(now, made_warnings=tuple(dict.fromkeys((*earlier.made_warnings, *now.warnings))))
    added = replace(
        now,
        warnings=now.made_warnings,
        seconds=max(earlier.seconds - sum(again), 0.0) + sum(stage.seconds for stage in now.stages),
        peak_memory=max(earlier.peak_memory, now.peak_memory),
        stages=(*stays, *now.stages),
        machine=earlier.machine,
        network=now.network or earlier.network,
        versions=earlier.versions,
    )
    return _counted(added, earlier, now)


def _counted(record: ImageRecord, earlier: ImageRecord, now: ImageRecord) -> ImageRecord:
    """Return a record with the numbers of objects, those of the earlier run where this one did not count."""
    return replace(
        record,
        cells=earlier.cells if now.cells is None else now.cells,
        nuclei=earlier.nuclei if now.nuclei is None else now.nuclei,
        unmatched_nuclei=earlier.unmatched_nuclei if now.unmatched_nuclei is None else now.unmatched_nuclei,
    )


def record_to_json(record: ImageRecord) -> bytes:
    """Return a record as JSON."""
    return plain_json(record, indent=1) or _adapter().dump_json(record, indent=1)


def record_from_json(text: bytes) -> ImageRecord | None:
    """Return the record that `record_to_json` wrote; None where it is damaged or from another version."""
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(text)
    except ValidationError:
        return None


@cache
def _adapter() -> "TypeAdapter[ImageRecord]":
    from pydantic import TypeAdapter

    return TypeAdapter(ImageRecord)
