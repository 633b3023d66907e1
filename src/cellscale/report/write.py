"""The report of a dataset, brought up to date: pages of the images of a run, and the list of all images."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from cellscale.report.look import Look, look_from_json
from cellscale.report.pages import Entry, image_page, index_entry, index_page, page_version
from cellscale.report.record import ImageRecord, merged, record_from_json, record_to_json
from cellscale.storage.atomic import write_bytes, write_text
from cellscale.storage.uri import exists, join, listing, make_folder, read_if_there
from cellscale.workspace.layout import INDEX, WorkspacePaths, look_name, page_name, run_name

__all__ = ["update_report"]


def update_report(paths: WorkspacePaths, records: Iterable[ImageRecord], images: Collection[str]) -> Path | str:
    """Write the pages of images, where there is anything new to tell, and the page of all images.

    Images are taken one after another, so that memory does not grow with their number but for small pictures.

    Parameters
    ----------
    paths
        Folders of the dataset.
    records
        What became of the images of a run.
    images
        Names of the images that the dataset has; others' earlier records are left out.

    Returns
    -------
    Where the page of all images is.

    Raises
    ------
    StorageError
        Something cannot be read or written.
    """
    kept = join(paths.jobs, "report")
    for folder in (kept, paths.reports):
        make_folder(folder)
    entries = {}
    for record in records:
        entries[record.image] = _updated(kept, paths.reports, record)
    for name in _recorded(kept):
        if name in images and name not in entries:
            earlier = _earlier(kept, name)
            if earlier is not None:
                entries[name] = index_entry(earlier, _look(kept, name)[0])
    index = join(paths.reports, INDEX)
    write_text(index, index_page(_title(paths.images), [entries[name] for name in sorted(entries)]))
    return index


def _title(images: Path | str) -> str:
    """Return what the dataset is called: the folder of images and the one that it is in."""
    return "/".join(str(images).rstrip("/").replace("\\", "/").split("/")[-2:])


def _updated(kept: Path | str, reports: Path | str, record: ImageRecord) -> Entry:
    """Write an image's page if there is anything new to tell, and return its entry in the list."""
    look, text = _look(kept, record.image)
    record = merged(_earlier(kept, record.image), record)
    page = join(reports, page_name(record.image))
    mark = _mark(record, text)
    if mark != record.page or not exists(page):
        write_text(page, image_page(record, look))
    write_bytes(join(kept, run_name(record.image)), record_to_json(replace(record, page=mark)))
    return index_entry(record, look)


def _mark(record: ImageRecord, look: bytes) -> str:
    """Return a hash of all that a page is made from."""
    facts = record_to_json(replace(record, page=""))
    return hashlib.sha256(b"\0".join([page_version(), facts, look])).hexdigest()


def _look(kept: Path | str, image: str) -> tuple[Look | None, bytes]:
    """Return what was seen in an image, and the same as text; None where nothing was."""
    text = read_if_there(join(kept, look_name(image)))
    return (None, b"") if text is None else (look_from_json(text), text)


def _earlier(kept: Path | str, image: str) -> ImageRecord | None:
    text = read_if_there(join(kept, run_name(image)))
    return None if text is None else record_from_json(text)


def _recorded(kept: Path | str) -> list[str]:
    """Return the names of the images that earlier runs told of."""
    suffix = run_name("")
    return [entry.name.removesuffix(suffix) for entry in listing(kept) if entry.name.endswith(suffix)]
