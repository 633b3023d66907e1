"""Whether a finished dataset is what its records say: every byte of every output."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cellscale.errors import RequestError, StorageError
from cellscale.pipeline.images_on_record import ImagesOnRecord
from cellscale.qupath.entry import PROJECT_FILE
from cellscale.qupath.listed_images import listed_images
from cellscale.report.written_pages import pages_on_record
from cellscale.storage.content import content_of
from cellscale.storage.uri import Location, find, join
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.identity import identify
from cellscale.workspace.layout import WorkspacePaths
from cellscale.workspace.record import Ledger, OutputRecord, Task, place_of, recorded_images

__all__ = ["Finding", "State", "verified", "verified_image", "verified_pages"]

State: TypeAlias = Literal["ok", "missing", "changed", "unfinished", "of another run"]

_TASKS: tuple[Task, ...] = (
    "segmentation",
    "intermediates",
    "relabelling",
    "measurement",
    "project",
    "pictures",
    "look",
    "classes",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One file of a dataset."""

    image: str
    task: Task
    """Which makes the file; for the image itself the segmentation, which is of another image then."""
    place: Location
    state: State
    """``changed``: other bytes than were written; ``unfinished``: of a run that did not end; ``of another run``: as
    written, for other options or another image than the task's last run."""


def verified(paths: WorkspacePaths) -> Iterator[Finding]:
    """Look at all that the records of a dataset name.

    Parameters
    ----------
    paths
        Folders of the dataset.

    Raises
    ------
    RequestError
        The dataset has no records.
    StorageError
        Something is there and cannot be read.
    """
    try:
        names = recorded_images(paths.jobs)
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        names = []
    if not names:
        raise RequestError(f"there are no records in {paths.jobs}; a run of cellscale on this dataset makes them")
    images = ImagesOnRecord(paths)
    for name in names:
        ledger, entry = Ledger(paths.jobs, name), None
        with suppress(RequestError):  # outputs may be looked at without their images
            entry = images.find(ledger, "segmentation", "measurement")
        yield from verified_image(paths, ledger, entry)
    yield from verified_pages(paths)


def verified_pages(paths: WorkspacePaths) -> Iterator[Finding]:
    """Look at the pages of the report; none where there is no report.

    Parameters
    ----------
    paths
        Folders of the dataset.

    Raises
    ------
    StorageError
        Something is there and cannot be read.
    """
    for image, place, content in pages_on_record(paths):
        yield Finding(image or "report", "look", place, _state(place, OutputRecord(content, ""), unfinished=False))


def verified_image(paths: WorkspacePaths, ledger: Ledger, entry: ImageEntry | None) -> Iterator[Finding]:
    """Look at all that the record of one image names; errors as of `verified`.

    Parameters
    ----------
    paths
        Folders of the dataset.
    ledger
        The image's record.
    entry
        The image; None where it is not there.
    """
    if ledger.is_damaged:
        yield Finding(ledger.image, "segmentation", ledger.location, "changed")
    yield from _image(ledger, entry)
    for task in _TASKS:
        unfinished = set(ledger.unfinished(task))
        for name in sorted({*ledger.names(task), *unfinished}):
            place = place_of(paths, ledger, task, name)
            if place is None:
                continue
            record = ledger.record(task, place)
            is_last = ledger.is_newest(task, place)
            state = _state(place, record, unfinished=name in unfinished)
            if state == "ok" and not is_last:
                state = "of another run"
            if state != "missing" or is_last or name in unfinished:  # what an earlier run made may be cleared away
                yield Finding(ledger.image, task, place, state)
    yield from _listed(paths, ledger)


def _state(place: Location, record: OutputRecord | None, *, unfinished: bool) -> State:
    found = find(place)
    if found is None:
        return "missing"
    if record is None:
        return "unfinished"
    digest = record.content.hash
    same = content_of(place) == digest if digest else found.size in (record.content.size, 0)
    if same:
        return "ok"
    return "unfinished" if unfinished else "changed"


def _image(ledger: Ledger, entry: ImageEntry | None) -> Iterator[Finding]:
    """Yield the image where the masks were made from another one."""
    made_of = ledger.facts("segmentation").get("image")
    if entry is None or entry.problem is not None or made_of is None:
        return
    place = entry.image or entry.npz
    assert place is not None, "an entry has an image or an NPZ file"
    identity = identify(entry, ledger.inputs, "content" if ledger.has_whole_inputs else "sample")
    yield Finding(ledger.image, "segmentation", place, "ok" if identity.facts == made_of else "changed")


def _listed(paths: WorkspacePaths, ledger: Ledger) -> Iterator[Finding]:
    """Yield the project's list where it does not have the image."""
    number = ledger.facts("project").get("entry")
    if paths.project is None or number is None:
        return
    place = join(paths.project, PROJECT_FILE)
    try:
        listed = listed_images(paths.project)
    except StorageError:
        yield Finding(ledger.image, "project", place, "changed")
        return
    yield Finding(ledger.image, "project", place, "ok" if number in listed else "missing")
