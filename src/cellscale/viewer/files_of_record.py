"""Which files of a dataset belong to an image, by its record; what does not fit together is told."""

from collections.abc import Iterator, Mapping

from cellscale.errors import ImageError
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.storage.uri import Entry, find, join
from cellscale.viewer.open_image import ImageFiles
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import WorkspacePaths, classes_name, report_name
from cellscale.workspace.record import Ledger, Task, mask_of_record

__all__ = ["files_of_record"]


def files_of_record(paths: WorkspacePaths, entry: ImageEntry) -> ImageFiles:
    """Look for what belongs to an image.

    Parameters
    ----------
    paths
        Folders of the dataset.
    entry
        The image.

    Raises
    ------
    ImageError
        The image is not there, or cannot be one.
    StorageError
        It cannot be known.
    """
    location = entry.image or entry.npz
    image = None if location is None else find(location)
    if entry.problem is not None or image is None:
        raise ImageError(entry.problem or f"{entry.name}: {location} is no longer there")
    ledger = Ledger(paths.jobs, entry.name)
    masks: dict[Compartment, Entry] = {}
    for compartment in COMPARTMENTS:
        mask = mask_of_record(paths.segmasks, ledger, compartment)
        if mask is not None:
            masks[compartment] = mask
    table = find(join(paths.reports, report_name(entry.name, ".parquet")))
    return ImageFiles(
        image=image,
        masks=masks,
        table=table,
        classes=find(join(paths.reports, classes_name(entry.name))),
        channel_names=None if entry.image is None else entry.channel_names,
        channel_axis=entry.channel_axis,
        doubts=tuple(_doubts(ledger, masks, table)),
    )


def _doubts(ledger: Ledger, masks: Mapping[Compartment, Entry], table: Entry | None) -> Iterator[str]:
    """Yield what a person should know before believing what is shown."""
    unfinished = set(ledger.unfinished("segmentation"))
    for mask in masks.values():
        if mask.name in unfinished and not ledger.made("segmentation", mask.location):
            yield f"{mask.location} is of a segmentation that was stopped: it may not belong to the other mask"
        elif _was_changed(ledger, "segmentation", mask):
            yield f"{mask.location} is not as it was made: it was changed since"
    if table is not None and _was_changed(ledger, "measurement", table):
        yield f"{table.location} is not the table that was measured here: it was changed since, or is another image's"


def _was_changed(ledger: Ledger, task: Task, entry: Entry) -> bool:
    return ledger.record(task, entry.location) is not None and not ledger.made(task, entry.location)
