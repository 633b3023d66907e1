"""The report of a dataset, brought up to date: pages of the images of a run, and the list of all images."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from cellscale.report.findings import Findings, look_from_json
from cellscale.report.html.listing import PER_PAGE, ListEntry, index_entry, index_page, listed, single_page
from cellscale.report.html.pages import image_page, page_version
from cellscale.report.image_record import ImageRecord, merged, record_from_json, record_to_json
from cellscale.report.written_pages import PageMark, is_as_written, marks_of, write_marks, write_page
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import Location, delete, exists, find, join, listing, make_folder, read_if_there
from cellscale.workspace.layout import INDEX, SINGLE, WorkspacePaths, index_name, look_name, page_name, run_name

__all__ = ["renew_pages", "update_report"]


def update_report(
    paths: WorkspacePaths,
    records: Iterable[ImageRecord],
    images: Collection[str],
    *,
    single_file: bool = False,
    workers: int = 1,
    advance: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda text: None,
) -> Location:
    """Write the pages of images and those of the list of all images, each only where there is anything new to tell.

    Parameters
    ----------
    paths
        Folders of the dataset.
    records
        What became of the images of a run.
    images
        Names of the images that the dataset has; others' earlier records are left out.
    single_file
        Write the whole report to one file as well; one that is there is kept up to date in any case.
    workers
        Pages that are written side by side.
    advance
        Called after each image of the run, from any thread.
    tell
        Is given a sentence for each page that somebody changed, which is written anew, from any thread.

    Returns
    -------
    Where the first page of the list is.

    Raises
    ------
    StorageError
        Something cannot be read or written.
    """
    kept = join(paths.jobs, "report")
    for folder in (kept, paths.reports):
        make_folder(folder)

    def update(record: ImageRecord) -> ImageRecord:
        updated = _updated(kept, paths.reports, record, tell)
        advance()
        return updated

    with ThreadPoolExecutor(workers, thread_name_prefix="cellscale-report") as pool:
        known = {record.image: record for record in pool.map(update, records)}
        others = [name for name in _recorded(kept) if name in images and name not in known]
        for earlier in pool.map(lambda name: _listed(kept, name), others):
            if earlier is not None:
                known[earlier.image] = earlier
    single_file = single_file or exists(join(paths.reports, SINGLE))
    every = [known[name] for name in sorted(known)]
    _write_list(kept, paths.reports, _title(paths.images), every, tell, single_file=single_file)
    return join(paths.reports, INDEX)


def renew_pages(paths: WorkspacePaths, tell: Callable[[str], None]) -> None:
    """Write those pages of the report again that are not as they were written, from what earlier runs told.

    Parameters
    ----------
    paths
        Folders of the dataset.
    tell
        As of `update_report`.

    Raises
    ------
    StorageError
        Something cannot be read or written.
    """
    kept = join(paths.jobs, "report")
    found = [_listed(kept, name) for name in _recorded(kept)]
    records = [replace(record, status="kept") for record in found if record is not None]
    single_file = SINGLE in marks_of(kept)
    update_report(paths, records, [record.image for record in records], single_file=single_file, tell=tell)


def _title(images: Location) -> str:
    """Return what the dataset is called: the folder of images and the one that it is in."""
    return "/".join(str(images).rstrip("/").replace("\\", "/").split("/")[-2:])


def _updated(kept: Location, reports: Location, record: ImageRecord, tell: Callable[[str], None]) -> ImageRecord:
    """Write an image's page if there is anything new to tell, and return what is known of the image."""
    before = read_if_there(join(kept, run_name(record.image)))
    earlier = None if before is None else record_from_json(before)
    record = merged(earlier, record)
    page = join(reports, page_name(record.image))
    mark = _mark(kept, record)
    written = None if earlier is None else earlier.file
    if earlier is not None and earlier.listed is not None and mark == earlier.page and is_as_written(page, written):
        record = replace(record, page=mark, file=written, listed=earlier.listed)
    else:
        look = _look(kept, record.image)
        file = write_page(page, [image_page(record, look)], written, tell)
        record = replace(record, page=mark, file=file, listed=listed(record, look))
    content = record_to_json(record)
    if content != before:
        write_bytes(join(kept, run_name(record.image)), content)
    return record


def _mark(kept: Location, record: ImageRecord) -> str:
    """Return a hash of all that a page is made from; what was seen changes with its file, which need not be read."""
    # A page does not say whether its image was made or kept by the last run.
    told = replace(record, page="", file=None, listed=None, status="", notes=(), made_warnings=())
    look = find(join(kept, look_name(record.image)))
    seen = "" if look is None else f"{look.size} {look.marker}"
    return hashlib.sha256(b"\0".join([page_version(), record_to_json(told), seen.encode()])).hexdigest()


def _write_list(
    kept: Location,
    reports: Location,
    title: str,
    records: Sequence[ImageRecord],
    tell: Callable[[str], None],
    *,
    single_file: bool,
) -> None:
    """Write those pages of the list that say anything new, and remove those of images that are gone."""
    before = marks_of(kept)
    entries = [index_entry(record, None) for record in records]
    marks: dict[str, PageMark] = {}
    for number, start in enumerate(range(0, max(len(entries), 1), PER_PAGE), 1):
        name, mine = index_name(number), slice(start, start + PER_PAGE)
        mark, page = _list_mark(title, records, records if number == 1 else records[mine]), join(reports, name)
        earlier = before.get(name, PageMark(""))
        if mark == earlier.made_from and is_as_written(page, earlier.file):
            marks[name] = earlier
            continue
        pictured = [index_entry(record, _look(kept, record.image)) for record in records[mine]]
        told: list[ListEntry] = [*entries[:start], *pictured, *entries[start + PER_PAGE :]]
        marks[name] = PageMark(mark, write_page(page, [index_page(title, told, number)], earlier.file, tell))
    if single_file:
        if before | marks != before:
            # Where the largest page cannot be written, the others are not taken for changed by somebody.
            write_marks(kept, before | marks)
        mark, page, earlier = (
            _list_mark(title, records, records),
            join(reports, SINGLE),
            before.get(SINGLE, PageMark("")),
        )
        if mark == earlier.made_from and is_as_written(page, earlier.file):
            marks[SINGLE] = earlier
        else:
            marks[SINGLE] = PageMark(mark, write_page(page, _single(kept, title, records), earlier.file, tell))
    for name in before.keys() - marks.keys():
        delete(join(reports, name))
    if marks != before:
        write_marks(kept, marks)


def _single(kept: Location, title: str, records: Sequence[ImageRecord]) -> Iterator[str]:
    """Yield the list and the pages of all images as one page; what was seen is read again, image by image."""
    entries = [
        index_entry(record, _look(kept, record.image), f"image-{number}") for number, record in enumerate(records, 1)
    ]
    yield from single_page(title, entries, ((record, _look(kept, record.image)) for record in records))


def _list_mark(title: str, records: Sequence[ImageRecord], told: Iterable[ImageRecord]) -> str:
    """Return a hash of all that a page of the list is made from: how many pages there are, and what it tells."""
    facts = [title, str(len(records)), *(f"{record.image}\0{record.page}" for record in told)]
    return hashlib.sha256(b"\0".join([page_version(), *(fact.encode() for fact in facts)])).hexdigest()


def _listed(kept: Location, image: str) -> ImageRecord | None:
    """Return what earlier runs told of an image; None where that is damaged."""
    text = read_if_there(join(kept, run_name(image)))
    record = None if text is None else record_from_json(text)
    if record is None or record.listed is not None:
        return record
    return replace(record, listed=listed(record, _look(kept, image)))


def _look(kept: Location, image: str) -> Findings | None:
    """Return what was seen in an image; None where nothing was."""
    text = read_if_there(join(kept, look_name(image)))
    return None if text is None else look_from_json(text)


def _recorded(kept: Location) -> list[str]:
    """Return the names of the images that earlier runs told of."""
    suffix = run_name("")
    return [entry.name.removesuffix(suffix) for entry in listing(kept) if entry.name.endswith(suffix)]
