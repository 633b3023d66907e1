"""Tables and outlines of one image's cells, from its masks: made, or kept."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from cellscale import __version__
from cellscale.cells.matching import Matching
from cellscale.cells.measure import measure
from cellscale.cells.measurement import Measurement
from cellscale.cells.scattered import scattered_texts
from cellscale.cells.text import Dialect
from cellscale.errors import MaskError, StorageError
from cellscale.images.channels import combined_reader
from cellscale.images.info import Image, PixelSize
from cellscale.images.masks import open_mask
from cellscale.images.pixel_size import one_side_text
from cellscale.images.sampled import sampled_pixels
from cellscale.pipeline.area import area_of, project_annotations, region_facts
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.measuring.mask_checks import compare_image, require_one_run, tell_of_lacking, unchanged
from cellscale.pipeline.measuring.table_names import report_outputs, tables_not_asked
from cellscale.pipeline.request import ChannelChoice, Measuring, Request
from cellscale.pipeline.resume import (
    asked,
    clear_leftovers,
    counts_mark,
    decided,
    earlier_measurement_mark,
    identity_of,
    measurement_mark,
    note_made,
    note_source,
    require_one_source,
    to_be_overwritten,
)
from cellscale.predict.heads import Compartment
from cellscale.storage.uri import Entry, Location, local_path
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image
from cellscale.workspace.layout import WorkspacePaths, mask_name
from cellscale.workspace.record import FORMATS, SUFFIXES, Ledger, Verdict, mask_of_record

__all__ = ["Report", "found_masks", "measure_image", "outline_image", "prepare_writing"]

IMAGE_CACHE = 128 * 2**20
"""Bytes of decoded pixels that are kept: a window of up to 15 channels that lie in the same chunks."""

MASK_CACHE = 16 * 2**20
"""Bytes of decoded labels that are kept of each mask: neighbouring windows share little."""


@dataclass(frozen=True, slots=True)
class Report:
    """An image's tables, made or kept."""

    made: bool
    """False where they were there before the run."""
    cells: int | None
    """Labels in the whole-cell mask; None where there is none, or where others made the tables."""
    nuclei: int | None
    """Labels in the nucleus mask."""
    unmatched_nuclei: int | None
    """Nuclei that belong to no cell."""
    outputs: tuple[Location, ...]


def measure_image(run: ImageRun, entry: ImageEntry, request: Request, *, masks_to_come: bool = False) -> Report:
    """Measure an image's cells, unless that is done already.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used.
    entry
        The image.
    request
        What to do.
    masks_to_come
        In a dry run, whether the masks would be made first.

    Raises
    ------
    ImageError
        There is no mask, or one does not fit the image.
    StorageError
        Something cannot be read or written.
    """
    if masks_to_come:
        return Report(
            True, None, None, None, report_outputs(request.paths, request.measuring, entry.name, request.compartments)
        )
    require_one_source(entry, request.paths, request.outputs)
    ledger = Ledger(request.paths.jobs, entry.name, run.fence)
    masks = _masks(run, request, ledger)
    outputs = report_outputs(request.paths, request.measuring, entry.name, masks)
    mark = measurement_mark(run, entry, request, ledger, masks)
    earlier = None  # version 0.2 knew no regions
    if not request.area.is_part:
        earlier = earlier_measurement_mark(entry, request.channels, request.measuring, masks)
    identity = identity_of(run, entry, request.images, ledger)
    compare_image(run, request.segment, ledger, identity, entry.name)
    verdict = decided(run, request, ledger, "measurement", mark, outputs, earlier=earlier)
    is_others = bool(verdict.persons) and not verdict.kept  # the project is theirs as well, or nobody knows
    if verdict.is_done and (is_others or _is_in_project(run, request, entry, ledger)):
        return _kept(run, request, entry, ledger, outputs, verdict)
    if request.dry_run:
        _check_opening(run, entry, request.segment, request.channels, masks)
        return Report(True, None, None, None, outputs)
    number = ledger.facts("project").get("entry", ledger.facts("measurement").get("project_entry"))
    note_source(entry, request.paths)
    check = unchanged(run, entry, identity, ledger, masks)
    run.give_back()
    with (
        _opened(run, entry, request.segment, request.channels) as image,
        _measured(run, image, request.paths, request.measuring, masks) as measurement,
        ThreadPoolExecutor(1, thread_name_prefix="cellscale-project") as beside,
    ):
        if (area := area_of(request, entry, image.info.shape)) is not None:
            measurement.assign_regions(area)
        run.give_back()
        # `prepare_writing` has loaded them while the image was measured.
        from cellscale.pipeline.measuring.project_entry import write_project_entry
        from cellscale.pipeline.measuring.project_files import entry_hashes, note_entry_files
        from cellscale.pipeline.measuring.write_tables import write_reports

        staying = project_annotations(request, entry)
        check()
        entries = entry_hashes(request.paths.project, ledger)
        ledger.begin("measurement", mark, verdict.to_make, asked(request))
        project_entry = beside.submit(
            write_project_entry, run, measurement, image, request.paths, request.measuring, check, number, staying
        )
        try:
            write_reports(run, measurement, entry, request.paths, request.measuring, masks, verdict.to_make, check)
            cells = len(measurement.cells.table) if "whole-cell" in masks else None
            nuclei = len(measurement.nuclei.table) if "nuclear" in masks else None
            unmatched = measurement.unmatched_nuclei
            facts: dict[str, Any] = {"cells": cells, "nuclei": nuclei, "unmatched_nuclei": unmatched}
            if area is not None:
                counted: Compartment = "whole-cell" if "whole-cell" in masks else "nuclear"
                facts["regions"] = region_facts(area, {counted: measurement.objects_by_region()})
                facts["of_masks"] = counts_mark(ledger.facts("segmentation"))
        finally:
            if not project_entry.done():
                # Its thread waits as well, and does not know that nothing else is done. If the image failed and kept
                # its workers, others would wait for them for ever that have their turn before it.
                run.wait_for_turn(idle=True)
        in_project = project_entry.result()
    clear_leftovers(run, ledger, "measurement", tables_not_asked(request.paths, request.measuring, ledger), mark)
    if request.paths.project is not None:
        note_entry_files(run, request.paths.project, ledger, mark, in_project, entries)
    facts |= {"project_entry": in_project, "version": __version__}
    ledger.finish("measurement", verdict.to_make, facts, run.placement.run)
    note_made(run, verdict)
    return Report(True, cells, nuclei, measurement.unmatched_nuclei, outputs)


def prepare_writing() -> None:
    """Load what writes the tables and the project; from a thread, it is there when an image is measured."""
    import cellscale.cells.tables
    import cellscale.pipeline.measuring.project_entry
    import cellscale.pipeline.measuring.write_tables  # noqa: F401


def outline_image(run: ImageRun, entry: ImageEntry, request: Request) -> tuple[Location, ...]:
    """Write the outlines of an image's cells alone, of which `measure_image` makes the same again.

    Returns
    -------
    The files, also where they are kept because the image is measured already, or because others made them.

    Raises
    ------
    ImageError
        There is no mask, or one does not fit the image.
    StorageError
        Something cannot be read or written.
    """
    ledger = Ledger(request.paths.jobs, entry.name, run.fence)
    masks = _masks(run, request, ledger)
    outputs = report_outputs(request.paths, request.measuring, entry.name, masks)
    files = outputs[-len(masks) :]
    mark = measurement_mark(run, entry, request, ledger, masks)
    judged = ledger.judge(
        "measurement",
        mark,
        outputs,
        earlier=earlier_measurement_mark(entry, request.channels, request.measuring, masks),
    )
    verdict = to_be_overwritten(judged, request.outputs)
    to_make = [file for file in files if file in verdict.to_make]
    if not to_make:
        return files
    check = unchanged(run, entry, identity_of(run, entry, request.images, ledger), ledger, masks)
    with (
        _opened(run, entry, request.segment, request.channels) as image,
        _measured(run, image, request.paths, request.measuring, masks, intensities=False) as measurement,
        run.stage("outlines", len(masks)) as advance,
    ):
        from cellscale.pipeline.measuring.write_tables import write_outlines

        check()
        ledger.begin("measurement", mark, verdict.to_make)
        write_outlines(measurement, entry, request.paths, masks, to_make, check)
        advance(len(masks))
    return files


def found_masks(request: Request, ledger: Ledger) -> dict[Compartment, Entry]:
    """Return an image's masks that are there, by compartment: those of its record, else any with a usual ending.

    Raises
    ------
    MaskError
        There is none, or they may be of different runs.
    """
    wanted = FORMATS[request.segmenting.mask_format if request.segment else "both"]
    suffixes = sorted(SUFFIXES, key=lambda suffix: suffix not in wanted)
    found: dict[Compartment, Entry] = {}
    for compartment in request.compartments:
        mask = mask_of_record(request.paths.segmasks, ledger, compartment, suffixes)
        if mask is not None:
            found[compartment] = mask
    if not found:
        names = " or ".join(mask_name(ledger.image, compartment) for compartment in request.compartments)
        raise MaskError(f"there is no mask {names} in {request.paths.segmasks}; make it first with cellscale segment")
    require_one_run(ledger, found)
    return found


def _masks(run: ImageRun, request: Request, ledger: Ledger) -> dict[Compartment, Entry]:
    """Return the masks to measure."""
    masks = found_masks(request, ledger)
    tell_of_lacking(run, request, ledger, masks)
    if not request.measuring.relabel or request.dry_run:
        return masks
    from cellscale.pipeline.measuring.relabel import relabelled  # who does not ask for it need not compile it

    return relabelled(run, request.paths, ledger, masks)


def _is_in_project(run: ImageRun, request: Request, entry: ImageEntry, ledger: Ledger) -> bool:
    """Tell whether the project has all that it is to have of an image."""
    from cellscale.pipeline.measuring.project_entry import is_in_project

    return is_in_project(run, request, entry, ledger)


def _kept(
    run: ImageRun,
    request: Request,
    entry: ImageEntry,
    ledger: Ledger,
    outputs: tuple[Location, ...],
    verdict: Verdict,
) -> Report:
    if not request.dry_run:
        ledger.keep()
        with suppress(StorageError):  # a finished dataset may be read-only
            note_source(entry, request.paths)
    if verdict.persons:
        return Report(False, None, None, None, outputs)
    facts = ledger.facts("measurement")
    made = ledger.finished_in("measurement", run.placement.run)
    return Report(made, facts.get("cells"), facts.get("nuclei"), facts.get("unmatched_nuclei"), outputs)


@contextmanager
def _opened(run: ImageRun, entry: ImageEntry, segment: bool, channels: ChannelChoice) -> Iterator[Image]:
    """Open the image with the pixel size that areas are given in; without one they are given in pixels."""
    given = None if channels.mpp is None else PixelSize(channels.mpp, channels.mpp)
    with closing(open_entry_image(entry, pixel_size=given, cache_bytes=IMAGE_CACHE)) as image:
        if image.info.pixel_size is None and not segment:
            run.notice("the file does not say how large a pixel is; measured in pixels (--image_mpp)", "warning")
        if image.info.pixel_size is not None and image.info.pixel_size.one_side and not segment:
            run.notice(one_side_text(image.info.pixel_size), "warning")
        run.learn_image(image.info)
        run.budget.require_room(image.info)
        yield image


def _check_opening(
    run: ImageRun, entry: ImageEntry, segment: bool, channels: ChannelChoice, masks: Mapping[Compartment, Entry]
) -> None:
    """Open what would be measured, so that what cannot be read is told before anything is done."""
    with _opened(run, entry, segment, channels) as image:
        for mask in masks.values():
            with open_mask(mask.location, expect_shape=image.info.shape, cache_bytes=MASK_CACHE) as opened:
                run.budget.require_room(opened.info)


@contextmanager
def _measured(
    run: ImageRun,
    image: Image,
    paths: WorkspacePaths,
    measuring: Measuring,
    masks: Mapping[Compartment, Entry],
    *,
    intensities: bool = True,
) -> Iterator[Measurement]:
    """Measure the objects of the masks over all channels of the image, or their shapes alone."""
    channels = image.info.channels if intensities else ()
    with ExitStack() as stack:
        shape = image.info.shape
        opened = {
            compartment: stack.enter_context(open_mask(mask.location, expect_shape=shape, cache_bytes=MASK_CACHE))
            for compartment, mask in masks.items()
        }
        for mask in opened.values():
            run.budget.require_room(mask.info)
            for text in mask.warnings:
                run.notice(text, "warning")
        readers = {compartment: mask.read for compartment, mask in opened.items()}
        with run.stage("measurement", 1, reading=run.reading) as advance:
            measurement = measure(
                cells=readers.get("whole-cell"),
                nuclei=readers.get("nuclear"),
                channels=[run.reading.around(combined_reader(image, (channel.index,))) for channel in channels],
                channel_names=[channel.name for channel in channels],
                shape=shape,
                image_name=run.image,
                image_pixels=sampled_pixels(image),
                pixel_size=image.info.pixel_size,
                matching=Matching(measuring.matching),
                nucleus_margin=Dialect(measuring.qupath_version).conventions.nucleus_margin,
                workers=run.budget.workers,
                chunk=_bounded(image.info.chunk),
                mask_chunk=_bounded(max((mask.info.chunk for mask in opened.values()), key=itemgetter(1))),
                scratch=local_path(paths.jobs),
                memory=run.budget.memory,
            )
            stack.enter_context(measurement)
            advance()
        for text in scattered_texts(measurement):
            run.notice(text, "warning")
        yield measurement


def _bounded(chunk: tuple[int, int]) -> tuple[int, int]:
    """Return the size of chunks, of which very high ones are read in part."""
    return min(chunk[0], 1024), chunk[1]
