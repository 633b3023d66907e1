"""An image's place in the dataset's QuPath project, brought up to date as soon as the image is measured."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from cellscale.annotations import DrawnRegion
from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import CellBatch
from cellscale.cells.text import Dialect
from cellscale.images.info import Image, PixelSize
from cellscale.pipeline.entering import now_of
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.measuring.mask_checks import Unchanged
from cellscale.pipeline.measuring.project_files import enter, entry_number, has_entry_files, is_listed, taken_numbers
from cellscale.pipeline.request import ChannelChoice, Measuring, Request
from cellscale.qupath.entry import EntryData, not_shown_texts, thumbnail_jpeg, write_entry
from cellscale.qupath.project import entry_ids, place_images, update_project
from cellscale.qupath.project_image import ProjectImage
from cellscale.storage.credentials import has_credentials
from cellscale.storage.uri import Location
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image
from cellscale.workspace.layout import WorkspacePaths
from cellscale.workspace.record import Ledger

__all__ = ["is_in_project", "list_in_project", "write_project_entry"]

_NOT_IN_PROJECT = (
    "the QuPath project has the image's address without its user name, password or signature, which are written "
    "nowhere, so that QuPath may not be able to open it: download the image, and show it to QuPath when it asks"
)


def is_in_project(run: ImageRun, request: Request, entry: ImageEntry, ledger: Ledger) -> bool:
    """Tell whether the project has all that it is to have of an image; true where it is to have nothing.

    An image that needs nothing more lets the next one have its turn.
    """
    folder = request.paths.project
    if folder is None or entry.image is None:  # QuPath does not open NPZ files
        found = True
    else:
        run.wait_for_turn(idle=True)  # what is lost may be entered again, which must be in the images' order
        found = _has_all(run, request, folder, entry, ledger)
    if found:
        run.end_turn()
    return found


def _has_all(run: ImageRun, request: Request, folder: Location, entry: ImageEntry, ledger: Ledger) -> bool:
    """Tell whether the project in a folder has all that it is to have of an image."""
    entry_id = entry_number(ledger)
    if entry_id is None or not has_entry_files(run, request.dry_run, folder, entry, ledger):
        return False
    take = run.placement.enter_project
    if take is None:
        return is_listed(run, request, folder, entry, entry_id)
    if entry_id in entry_ids(folder):
        return True
    # A run that was killed before it wrote the list has left these objects. They stand for new ones if new ones would
    # get the same number: other machines are giving numbers at this time.
    place = _place_now(folder, entry, request.channels, run.placement.position)
    if place.entry_id == entry_id:
        take(place)
    return place.entry_id == entry_id


def _place_now(folder: Location, entry: ImageEntry, channels: ChannelChoice, position: int) -> ProjectImage:
    """Return the place that an image would get if it were measured again."""
    size = None if channels.mpp is None else PixelSize(channels.mpp, channels.mpp)
    with closing(open_entry_image(entry, pixel_size=size)) as opened:
        (place,) = place_images(folder, [opened.info], spare=position)
    return place


def write_project_entry(
    run: ImageRun,
    measurement: Measurement,
    image: Image,
    paths: WorkspacePaths,
    measuring: Measuring,
    check: Unchanged,
    number: int | None = None,
    staying: Sequence[DrawnRegion] = (),
) -> int | None:
    """Write an image's objects into the project, and the project's list of images.

    Parameters
    ----------
    run
        Who listens.
    measurement
        The objects.
    image
        Their image.
    paths
        Where the project is.
    measuring
        For which QuPath.
    check
        Is called when the objects' file is whole, before it takes its name.
    number
        Of the image's entry in earlier runs, which it gets again unless it is another image's now.
    staying
        Annotations that stay whether or not they are regions of this run.

    Returns
    -------
    The number of the image's entry; None where no project is asked for, or the image is one that QuPath cannot open.
    """
    folder = paths.project
    if folder is None:
        return None
    if str(image.info.uri).lower().endswith(".npz"):
        run.notice("not put into the QuPath project: QuPath does not open NPZ files; give the OME-TIFF as well")
        return None
    if has_credentials(str(image.info.uri)):
        run.notice(_NOT_IN_PROJECT, "warning")
    for text in not_shown_texts(image.info):
        run.notice(text, "warning")
    dialect = Dialect(measuring.qupath_version)
    with run.stage("project", max(len(measurement), 1)) as advance:
        thumbnail = thumbnail_jpeg(image)  # while others have their turn
        run.wait_for_turn()
        (place,) = place_images(
            folder, [image.info], spare=run.placement.position, number=number, taken=taken_numbers(run)
        )
        data = EntryData(
            image=place,
            kind=measurement.kind,
            count=len(measurement),
            root_id=measurement.root_id,
            columns=measurement.columns(dialect),
            dialect=dialect,
            regions=measurement.regions,
            staying=staying,
            thumbnail=thumbnail,
        )
        replaced = write_entry(folder, data, _Batches(measurement, advance, check), now_of(image.info.uri))
        if run.placement.enter_project is not None:
            run.placement.enter_project(place)
        else:
            enter(run, folder, place, dialect)
            run.end_turn()
    for text in replaced.notes:
        run.notice(text)
    for text in replaced.warnings:
        run.notice(text, "warning")
    return place.entry_id


class _Batches:
    """The objects, as often as they are needed; only the first time is progress, and each ends with a check."""

    def __init__(self, measurement: Measurement, advance: Callable[[int], None], check: Unchanged) -> None:
        self._measurement = measurement
        self._check = check
        self._advance = advance
        self._shown = False

    def __iter__(self) -> Iterator[CellBatch]:
        first, self._shown = not self._shown, True
        for batch in self._measurement.batches():
            yield batch
            if first:
                self._advance(len(batch))
        self._check()


def list_in_project(paths: WorkspacePaths, measuring: Measuring, places: Sequence[ProjectImage]) -> None:
    """Enter images into the project's list whose objects were written on other machines."""
    if paths.project is not None and places:
        now = now_of(places[0].info.uri)
        update_project(paths.project, places, Dialect(measuring.qupath_version), now)
