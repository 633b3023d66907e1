"""What pages say of an image in words and numbers, from what was seen and what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from cellscale.records.machine import Machine
from cellscale.report.findings import CompartmentLook, Findings
from cellscale.report.html.words import count, number, percent
from cellscale.report.image_record import ImageRecord

__all__ = [
    "COLUMNS",
    "Fact",
    "counts",
    "density",
    "extent",
    "image_facts",
    "made_facts",
    "median_area",
    "region_rows",
    "row",
    "unit",
]

COLUMNS = (
    "cells",
    "nuclei",
    "nuclei without a cell",
    "at the border",
    "per mm²",
    "median cell",
    "median nucleus",
    "time to make",
    "peak memory",
)
"""Of the table of images."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with its name."""

    name: str
    value: str
    more: str = ""
    """What explains it."""


def unit(look: Findings) -> str:
    """Return the unit of areas."""
    return "pixels" if look.pixel_size is None else "µm²"


def extent(look: Findings) -> str:
    """Return the size of an image in mm; empty where µm/px are not known."""
    if look.pixel_size is None:
        return ""
    width, height = look.shape[1] * look.pixel_size[0] / 1e3, look.shape[0] * look.pixel_size[1] / 1e3
    return f"{number(width)} x {number(height)} mm"


def area_mm2(record: ImageRecord, look: Findings) -> float | None:
    """Return the area of what was segmented, of all the image or of its regions; None where µm/px are not known."""
    if look.pixel_size is None:
        return None
    pixels = look.shape[0] * look.shape[1] if record.segmented_pixels is None else record.segmented_pixels
    return pixels * look.pixel_size[0] * look.pixel_size[1] / 1e6


def density(record: ImageRecord, look: Findings) -> float | None:
    """Return objects a mm² of what was segmented: cells, or nuclei where there is no mask of cells."""
    counted = look.compartments.get("whole-cell") or look.compartments.get("nuclear")
    area = area_mm2(record, look)
    return counted.count / area if counted is not None and area else None


def median_area(found: CompartmentLook | None) -> float | None:
    """Return the median area of a mask's objects."""
    return found.areas.quartiles[1] if found is not None and found.areas is not None else None


def counts(record: ImageRecord, look: Findings | None) -> tuple[int | None, int | None]:
    """Return the numbers of cells and nuclei: those seen in the masks, for a run that kept tables counted none."""
    cells = look.compartments.get("whole-cell") if look is not None else None
    nuclei = look.compartments.get("nuclear") if look is not None else None
    return cells.count if cells else record.cells, nuclei.count if nuclei else record.nuclei


def image_facts(record: ImageRecord, look: Findings | None) -> Iterator[Fact]:
    """Yield the numbers at the head of an image's page."""
    cells = look.compartments.get("whole-cell") if look is not None else None
    nuclei = look.compartments.get("nuclear") if look is not None else None
    counted = counts(record, look)
    yield Fact("cells", count(counted[0]))
    yield Fact("nuclei", count(counted[1]))
    if look is None:
        return
    if cells is not None and cells.alone is not None:
        yield Fact("cells without a nucleus", count(cells.alone), _share(cells.alone, cells.count))
    if nuclei is not None and (alone := _unmatched(record, nuclei)) is not None:
        yield Fact("nuclei without a cell", count(alone), _share(alone, nuclei.count))
    if cells is not None or nuclei is not None:
        border = cells or nuclei
        assert border is not None, "one of them is there"
        yield Fact("touching the border", count(border.at_border), _share(border.at_border, border.count))
    if (dense := density(record, look)) is not None:
        area = f"on {number(area_mm2(record, look) or 0)} mm²"
        yield Fact("cells per mm²" if cells else "nuclei per mm²", number(dense), area)
    for word, found in (("cell", cells), ("nucleus", nuclei)):
        if found is not None and found.areas is not None:
            lower, median, upper = found.areas.quartiles
            more = f"{unit(look)}, half of them {number(lower)} to {number(upper)}"
            yield Fact(f"median {word}", number(median), more)


def region_rows(record: ImageRecord, look: Findings | None) -> tuple[str, list[tuple[str, ...]]]:
    """Return the unit of areas, and of each region: name, cells, nuclei, area, and objects a unit of area."""
    size = None if look is None else look.pixel_size
    scale = 1e-6 if size is None else size[0] * size[1] / 1e6
    rows: list[tuple[str, ...]] = []
    for region in record.regions:
        area = region.pixels * scale
        found = region.nuclei if region.cells is None else region.cells
        dense = number(found / area) if found is not None and area else count(None)
        rows.append((region.name, count(region.cells), count(region.nuclei), number(area), dense))
    return "million pixels" if size is None else "mm²", rows


def made_facts(record: ImageRecord, look: Findings | None) -> Iterator[tuple[str, str]]:
    """Yield how an image's outputs were made: what was chosen and why, with what, and where."""
    if look is not None:
        yield "nucleus", look.nucleus
        yield "membrane", look.membrane
        size = look.pixel_size
        yield "µm/px", "not known" if size is None else f"{_sides(size)} ({look.pixel_size_source})"
        yield "image", f"{look.shape[1]:,} x {look.shape[0]:,} pixels, {len(look.channels)} channels, {look.dtype}"
        if look.focus.parts:
            yield "focus", f"{look.focus.blurred} of {look.focus.parts} parts looked at are out of focus"
    for compartment, certificate in record.certificates.items():
        yield (
            f"certificate, {compartment}",
            f"each block (there are {certificate.blocks:,}) proved that its labels are those of the whole image; "
            f"{certificate.enlarged:,} had to look further around, at most {certificate.largest_halo:,} pixels",
        )
    yield from _circumstances(record)


def row(record: ImageRecord, look: Findings | None) -> tuple[str, ...]:
    """Return an image's row of the table, in the order of `COLUMNS`."""
    cells = look.compartments.get("whole-cell") if look is not None else None
    nuclei = look.compartments.get("nuclear") if look is not None else None
    border = cells or nuclei
    areas = [median_area(found) for found in (cells, nuclei)]
    dense = density(record, look) if look is not None else None
    sized = "" if look is None else f" {unit(look)}"
    return (
        *map(count, counts(record, look)),
        count(_unmatched(record, nuclei)),
        count(border.at_border if border else None),
        count(None) if dense is None else number(dense),
        *(count(None) if area is None else f"{number(area)}{sized}" for area in areas),
        f"{record.seconds:,.1f} s" if record.seconds else count(None),
        f"{record.peak_memory / 1e9:.2f} GB" if record.peak_memory else count(None),
    )


def _unmatched(record: ImageRecord, nuclei: CompartmentLook | None) -> int | None:
    """Return how many nuclei have no cell: by the rule of the tables where those were made."""
    if record.unmatched_nuclei is not None:
        return record.unmatched_nuclei
    return nuclei.alone if nuclei is not None else None


def _circumstances(record: ImageRecord) -> Iterator[tuple[str, str]]:
    if record.network:
        yield "network", record.network
    if record.network_license:
        yield "licence of the weights", record.network_license
    if record.network_sha256:
        yield "weights, SHA-256", record.network_sha256
    if record.seconds:
        made = f", finished on {record.finished_utc[:10]}" if record.finished_utc else ""
        took = f"{record.seconds:,.1f} s, at most {record.peak_memory / 1e9:.2f} GB"
        yield "time and memory", f"{took}, for making it{made}; runs that keep it take next to none"
    if record.machine != Machine():
        machine = record.machine
        graphics = f", {machine.num_gpus} x {machine.gpu_type}" if machine.num_gpus else ""
        yield "machine", f"{machine.cpu}, {machine.cores} cores, {machine.memory / 1e9:.0f} GB{graphics}"
    if record.versions:
        yield "versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())
    if record.finished_utc:
        yield "finished", f"{record.finished_utc[:19].replace('T', ' ')} UTC"


def _share(part: int, whole: int) -> str:
    return percent(part / whole) if whole else ""


def _sides(size: tuple[float, float]) -> str:
    return f"{size[0]:g}" if size[0] == size[1] else f"{size[0]:g} x {size[1]:g}"
