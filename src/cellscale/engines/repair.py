"""Making again what is missing or damaged in a finished dataset, as it was asked for."""

from collections.abc import Iterator
from dataclasses import replace

from cellscale.engines.preflight import choose_model
from cellscale.errors import RequestError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.dataset_check import Finding, verified_image, verified_pages
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.image import process_image
from cellscale.pipeline.images_on_record import ImagesOnRecord
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import asked_again
from cellscale.pipeline.run_context import Placement
from cellscale.qupath.entry import PROJECT_FILE
from cellscale.report.write import renew_pages
from cellscale.storage.atomic import write_bytes
from cellscale.storage.content import content_of
from cellscale.storage.uri import base_name, delete, join, local_path, read_bytes
from cellscale.workspace.layout import WorkspacePaths
from cellscale.workspace.locking import dataset_lock
from cellscale.workspace.record import Ledger, Task, recorded_images

__all__ = ["repair"]

_STEPS: tuple[Task, ...] = ("segmentation", "measurement")
_REPAIRED = ("missing", "unfinished", "changed")


def repair(paths: WorkspacePaths, listener: Listener) -> None:
    """Make the missing, unfinished and changed outputs of all images again; what was changed is put aside first.

    Files of the QuPath project that a person may have saved are left to them.

    Parameters
    ----------
    paths
        Folders of the dataset.
    listener
        Is told of progress.

    Raises
    ------
    RunInProgressError
        A run is at work on the dataset.
    StorageError
        Something cannot be read or written.
    """
    budget = Budget.choose()
    images = ImagesOnRecord(paths)
    with dataset_lock(paths, tables=True) as claim:
        for name in recorded_images(paths.jobs):
            try:
                _repair_image(Ledger(paths.jobs, name), images, paths, budget, listener, Placement(claim=claim))
            except RequestError as error:
                listener(Notice(name, "error", str(error)))
        if any(finding.state in _REPAIRED for finding in verified_pages(paths)):
            renew_pages(paths, tell=lambda text: listener(Notice("", "warning", text)))


def _repair_image(
    ledger: Ledger,
    images: ImagesOnRecord,
    paths: WorkspacePaths,
    budget: Budget,
    listener: Listener,
    placement: Placement,
) -> None:
    entry = images.find(ledger, *_STEPS)
    findings = [one for one in verified_image(paths, ledger, entry) if one.state in _REPAIRED]
    if not findings:
        return
    if entry is None:
        listener(Notice(ledger.image, "warning", "its image is not there; nothing of it can be made again"))
        return
    for finding in findings:
        if finding.state == "changed" and finding.place not in (entry.image, entry.npz, ledger.location):
            _put_aside(finding, listener)
    for task, request in _requests(ledger, paths):
        entry = images.find(ledger, task)
        assert entry is not None, "it was just there"
        process_image(entry, request, choose_model(request), budget, listener, placement)


def _requests(ledger: Ledger, paths: WorkspacePaths) -> Iterator[tuple[Task, Request]]:
    """Yield what was asked for an image, step by step."""
    for task in _STEPS:
        facts = ledger.tasks.get(task)
        if facts is not None:
            request = asked_again(facts.get("request"), paths)
            step = replace(
                request,
                segment=task == "segmentation",
                measure=task == "measurement",
                dry_run=False,
                outputs=replace(request.outputs, overwrite=False),
            )
            yield task, step


def _put_aside(finding: Finding, listener: Listener) -> None:
    place = finding.place
    name = base_name(place)
    if finding.task == "project" and name != PROJECT_FILE:  # the run knows damage from what a person saved
        return
    if finding.task == "relabelling":  # the run keeps it beside, and needs it where there is no other mask
        return
    path = local_path(place)
    aside = f"{name}.changed-{content_of(place).rpartition(':')[2][:12]}"
    if path is not None:
        path.rename(path.with_name(aside))
    else:
        write_bytes(join(str(place)[: -len(name) - 1], aside), read_bytes(place))
        delete(place)
    listener(Notice(finding.image, "warning", f"{place} was changed; it is kept as {aside}, and made again"))
