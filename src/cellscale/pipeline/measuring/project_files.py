"""Whether the QuPath project has of an image what the record says; what is lost is made, or entered again."""

from collections.abc import Mapping
from contextlib import closing
from functools import lru_cache

from cellscale.cells.text import Dialect
from cellscale.images.info import PixelSize
from cellscale.pipeline.entering import now_of
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.outcome import Fate
from cellscale.pipeline.request import Request
from cellscale.qupath.entry import ENTRY_FILES, PROJECT_FILE, is_still_of, is_whole_data
from cellscale.qupath.listed_images import listed_images, same_image
from cellscale.qupath.project import place_images, update_project
from cellscale.qupath.project_image import ProjectImage
from cellscale.storage.content import Content, stamp_of
from cellscale.storage.uri import Location, base_name, delete, exists, join
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image
from cellscale.workspace.record import Ledger

__all__ = [
    "enter",
    "entry_hashes",
    "entry_number",
    "has_entry_files",
    "is_listed",
    "note_entry_files",
    "record_entry_files",
    "taken_numbers",
]


def entry_number(ledger: Ledger) -> int | None:
    """Return the number of an image's entry, as it is on record; None where it has none."""
    number = ledger.facts("project").get("entry", ledger.facts("measurement").get("project_entry"))
    return number if isinstance(number, int) and number > 0 else None


def entry_hashes(folder: Location | None, ledger: Ledger) -> dict[str, str]:
    """Return hashes of what an image's folder in the project holds now, by place.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    number = entry_number(ledger)
    if folder is None or number is None:
        return {}
    places = [join(folder, "data", str(number), name) for name in ENTRY_FILES]
    found = {str(place): ledger.look("project", place, hashed=True) for place in places}
    return {place: content.hash for place, content in found.items() if content is not None}


def note_entry_files(
    run: ImageRun, folder: Location, ledger: Ledger, mark: str, number: int | None, before: Mapping[str, str]
) -> None:
    """Put on record what an image's folder in the project holds now.

    Parameters
    ----------
    run
        Is told what became of the files.
    folder
        The project.
    ledger
        The image's record.
    mark
        What the objects were made from.
    number
        Of the image's entry; None where it has none.
    before
        What `entry_hashes` returned before the files were written.

    Raises
    ------
    StorageError
        They cannot be read.
    """
    for place in [] if number is None else record_entry_files(folder, ledger, mark, number):
        record, known = ledger.record("project", place), before.get(str(place))
        assert record is not None, "it was just put on record"
        remade: Fate = "kept" if known == record.content.hash else "made again"
        run.note_fate("made" if known is None else remade, [place])


def record_entry_files(folder: Location, ledger: Ledger, mark: str, number: int) -> list[Location]:
    """Put on record what an image's folder in the project holds now, and return its files.

    Parameters
    ----------
    folder, ledger, mark
        As of `note_entry_files`, and so are the errors.
    number
        Of the image's entry.
    """
    files = [place for name in ENTRY_FILES if exists(place := join(folder, "data", str(number), name))]
    ledger.forget("project", ENTRY_FILES)
    ledger.begin("project", mark, ())
    ledger.finish("project", files, {"entry": number})
    return files


def has_entry_files(run: ImageRun, dry_run: bool, folder: Location, entry: ImageEntry, ledger: Ledger) -> bool:
    """Tell whether an image's folder in the project has all that was written there, or what QuPath saved for it.

    Raises
    ------
    StorageError
        It cannot be known.
    """
    number = entry_number(ledger)
    if number is None or entry.image is None:
        return False
    known = ledger.names("project") or ENTRY_FILES[:3]
    places = {name: join(folder, "data", str(number), name) for name in known}
    before = dict(ledger.inputs)
    contents = {name: ledger.look("project", place) for name, place in places.items()}
    if None in contents.values():
        return False
    ours = [name for name in known if _is_ours(ledger, places[name], contents[name])]
    for name in known:
        place, is_new = places[name], before.get(name) != contents[name]
        if name in ours or _is_persons(place, entry.image, with_data="data.qpdata" not in ours, is_new=is_new):
            continue
        run.notice(f"{place} is damaged, or another image's: it is made again", "warning")
        if name in ("summary.json", ENTRY_FILES[-1]) and not dry_run:
            delete(place)  # a summary that is there stays: QuPath counts what a person drew
        return False
    run.note_fate("kept", [places[name] for name in ours])
    run.note_fate("left as a person's", [places[name] for name in known if name not in ours])
    return True


def _is_ours(ledger: Ledger, place: Location, now: Content | None) -> bool:
    record = ledger.record("project", place)
    return record is None or (now is not None and record.explains(now))


def _is_persons(place: Location, image: Location, *, with_data: bool, is_new: bool) -> bool:
    """Tell whether a file that was changed can be what QuPath saved.

    Parameters
    ----------
    place
        Of the file.
    image
        That it is to be of.
    with_data
        Whether the objects were changed as well, with which QuPath saves the summary.
    is_new
        Whether it was not looked at before as it is now: all of the objects is read once.
    """
    name = base_name(place)
    if name == "summary.json" and not with_data:
        return False
    return is_still_of(place, image) and (name != "data.qpdata" or not is_new or is_whole_data(place))


def is_listed(run: ImageRun, request: Request, folder: Location, entry: ImageEntry, number: int) -> bool:
    """Tell whether the project lists an image under its number.

    One whose files are there is entered again, and one that shows the image of the dataset that this one is a copy of
    shows the copy's own from now on.

    Raises
    ------
    StorageError
        The project file is damaged, or cannot be read or written.
    """
    assert entry.image is not None, "NPZ files are in no project"
    listed = _listed(folder)
    if number in listed and ((uri := listed[number]) is None or same_image(uri, entry.image)):
        return True
    if request.dry_run:
        return False
    size = None if request.channels.mpp is None else PixelSize(request.channels.mpp, request.channels.mpp)
    with closing(open_entry_image(entry, pixel_size=size)) as image:
        (place,) = place_images(folder, [image.info], number=number, taken=taken_numbers(run))
    if place.entry_id != number:
        return False
    enter(run, folder, place, Dialect(request.measuring.qupath_version))
    return True


def taken_numbers(run: ImageRun) -> frozenset[int]:
    """Return the numbers of entries that images of this run have and that the project does not list yet."""
    entering = run.placement.entering
    return frozenset() if entering is None else entering.numbers


def enter(run: ImageRun, folder: Location, place: ProjectImage, dialect: Dialect) -> None:
    """Enter an image into the project's list, together with others where it can wait for them."""
    if run.placement.entering is not None:
        run.placement.entering.enter(run.image, place)
    else:
        update_project(folder, [place], dialect, now_of(place.info.uri))


def _listed(folder: Location) -> dict[int, str | None]:
    """Return the images that a project lists, read once as long as its file is the same."""
    stamp = stamp_of(join(folder, PROJECT_FILE))
    return listed_images(folder) if not stamp else _known(str(folder), stamp)


@lru_cache(maxsize=4)
def _known(folder: str, stamp: str) -> dict[int, str | None]:
    return listed_images(folder)
