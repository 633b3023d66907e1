"""What one image looks like, for people: facts for the report, and pictures on request."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import imagecodecs
import numpy as np

from cellscale.errors import StorageError
from cellscale.faults import failure_text
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.measuring.mask_checks import unchanged
from cellscale.pipeline.measuring.measure_image import found_masks
from cellscale.pipeline.picture_subject import open_subject
from cellscale.pipeline.request import ChannelChoice, ImageChoice, Outputs, Request
from cellscale.pipeline.resume import (
    clear_leftovers,
    decided,
    earlier_files,
    files_by_content,
    fingerprint,
    identity_of,
)
from cellscale.predict.heads import Compartment
from cellscale.preprocess.preprocessing import MODEL_MPP
from cellscale.report.examine import STEPS, Pictures, examine
from cellscale.report.findings import Findings, look_from_json, look_to_json
from cellscale.report.pictures import Picture
from cellscale.storage.atomic import atomic_write, write_bytes
from cellscale.storage.uri import Entry, Location, base_name, delete, join, local_path, make_folder, read_bytes
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import WorkspacePaths, look_name, picture_name
from cellscale.workspace.record import Ledger, Verdict

__all__ = ["Pictured", "look_location", "picture_image"]

VERSION = 4
"""Of what is looked at, and how; looks of other versions are made again."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """What was made for people to look at."""

    made: bool
    """False where all was there before the run, or nothing was asked for."""
    outputs: tuple[Location, ...] = ()
    """Pictures."""


def look_location(jobs: Location, image: str) -> Location:
    """Return where what was seen in an image is kept."""
    return join(jobs, "report", look_name(image))


def picture_image(run: ImageRun, entry: ImageEntry, request: Request, *, masks_to_come: bool = False) -> Pictured:
    """Look at an image and its masks, unless that is done already; tell what is wrong with them.

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
    CellscaleError
        Pictures are asked for and cannot be made. What is made for the report alone fails with a warning.
    """
    if not (request.outputs.visualize or request.outputs.report):
        return Pictured(False)
    if masks_to_come:
        return Pictured(True, _overviews(request.paths, entry.name) if request.outputs.visualize else ())
    if request.outputs.visualize:
        return _pictured(run, entry, request)
    try:
        return _pictured(run, entry, request)
    except Exception as error:  # whatever is wrong, masks and tables are finished
        run.notice(f"the report will not show this image: {failure_text(error)}", "warning")
        return Pictured(False)


def _pictured(run: ImageRun, entry: ImageEntry, request: Request) -> Pictured:
    ledger = Ledger(request.paths.jobs, entry.name, run.fence)
    masks = found_masks(request, ledger)
    marks = _marks(run, entry, request.images, request.channels, ledger, masks)
    look = None if request.outputs.overwrite else _kept_look(ledger, marks, request.paths, entry.name)
    seen = look
    outputs = _outputs(request.paths, request.outputs, entry.name, look)
    verdict = Verdict()
    if outputs:
        verdict = decided(run, request, ledger, "pictures", marks[0], outputs, earlier=marks[1])
    wanted = verdict.to_make
    missing = bool(wanted)
    if not request.dry_run and (look is None or missing):
        segmented = ledger.facts("segmentation")
        check = unchanged(run, entry, identity_of(run, entry, request.images, ledger), ledger, masks)
        run.give_back()
        with (
            run.stage("pictures", STEPS + missing) as advance,
            open_subject(
                entry,
                request.segment,
                request.channels,
                masks,
                masks_are_ours=bool(segmented),
                network_mpp=segmented.get("network_mpp", MODEL_MPP),
            ) as subject,
        ):

            def step_done() -> None:
                run.give_back()  # reading, counting and drawing each leave what the next cannot use
                advance()

            seen, pictures = examine(subject, run.budget.workers, step_done, local_path(request.paths.jobs))
            check()
            _write_look(ledger, marks[0], request.paths, entry.name, seen)
            if missing:
                kept = set(outputs) - set(wanted)
                outputs = _outputs(request.paths, request.outputs, entry.name, seen)
                made = dict(zip(outputs, _all(pictures), strict=True))
                _write_pictures(run, ledger, marks[0], request.paths, made, kept)
                run.note_fate("made again", verdict.stale)
                run.note_fate("made", set(made).difference(kept, verdict.stale))
                advance()
    if not request.dry_run:
        if not request.outputs.visualize:
            names = ledger.names("pictures")
            clear_leftovers(run, ledger, "pictures", [join(request.paths.reports, name) for name in names], marks[0])
        ledger.keep()
    for flag in seen.flags if seen is not None else ():
        run.notice(str(flag), "warning")
    return Pictured(look is None or missing or ledger.finished_in("pictures", run.placement.run), outputs)


def _kept_look(ledger: Ledger, marks: tuple[str, str], paths: WorkspacePaths, image: str) -> Findings | None:
    """Return what an earlier run saw; None where that was something else."""
    location = look_location(paths.jobs, image)
    if location not in ledger.judge("look", marks[0], [location], earlier=marks[1]).kept:
        return None
    try:
        return look_from_json(read_bytes(location))
    except StorageError:
        return None


def _marks(
    run: ImageRun,
    entry: ImageEntry,
    images: ImageChoice,
    channels: ChannelChoice,
    ledger: Ledger,
    masks: Mapping[Compartment, Entry],
) -> tuple[str, str]:
    """Return a hash of all that the pictures depend on, and the same as version 0.2 wrote it."""
    options = {
        "version": VERSION,
        "channels": [list(channels.nuclear), list(channels.membrane), channels.combine],
        "mpp": channels.mpp,
    }
    files = files_by_content(run, entry, images, ledger, masks)
    return fingerprint({**files, **options}), fingerprint({**earlier_files(entry, masks), **options})


def _write_look(ledger: Ledger, mark: str, paths: WorkspacePaths, image: str, look: Findings) -> None:
    location = look_location(paths.jobs, image)
    ledger.begin("look", mark, [location])
    make_folder(join(paths.jobs, "report"))
    write_bytes(location, look_to_json(look))
    ledger.finish("look", [location], {})


def _overviews(paths: WorkspacePaths, image: str) -> tuple[Location, ...]:
    return tuple(join(paths.reports, picture_name(image, what)) for what in ("input", "overlay"))


def _outputs(paths: WorkspacePaths, outputs: Outputs, image: str, look: Findings | None) -> tuple[Location, ...]:
    """Return where the pictures of an image go: overviews, then crops, as far as those are known."""
    if not outputs.visualize:
        return ()
    crops = [f"crop_{'-'.join(crop.whys)}_{crop.x}_{crop.y}" for crop in look.crops] if look is not None else []
    places = (join(paths.reports, picture_name(image, crop)) for crop in crops)
    return (*_overviews(paths, image), *places)


def _all(pictures: Pictures) -> Iterator[Picture]:
    """Yield the pictures in the order of `_outputs`."""
    yield pictures.overview.input
    yield pictures.overview.overlay
    yield from (crop.overlay for _, crop in pictures.crops)


def _write_pictures(
    run: ImageRun,
    ledger: Ledger,
    mark: str,
    paths: WorkspacePaths,
    pictures: Mapping[Location, Picture],
    kept: Collection[Location],
) -> None:
    """Write the pictures but those that are kept, and remove those that an earlier run made of other crops."""
    outputs = [output for output in pictures if output not in kept]
    names = {base_name(output) for output in pictures}
    make_folder(paths.reports)
    for name in set(ledger.names("pictures")) - names:
        stale = join(paths.reports, name)
        if ledger.made("pictures", stale):
            delete(stale)
            run.note_fate("removed", [stale])
    ledger.begin("pictures", mark, outputs)
    for location in outputs:
        picture = pictures[location]
        with atomic_write(location) as file:
            file.write(imagecodecs.png_encode(np.ascontiguousarray(picture)))
    ledger.finish("pictures", outputs, {}, run.placement.run)
