"""The files of a report's pages: whether they are as they were written, and what of somebody else's is put aside."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cellscale.report.image_record import record_from_json
from cellscale.storage.atomic import atomic_write, write_bytes, write_text
from cellscale.storage.content import Content, seen
from cellscale.storage.uri import Location, base_name, exists, join, listing, read_bytes, read_if_there
from cellscale.workspace.layout import SINGLE, WorkspacePaths, index_name, page_name, run_name

__all__ = ["PageMark", "is_as_written", "marks_of", "pages_on_record", "write_marks", "write_page"]

_MARKS = "index.json"
"""File with what the pages of the list were made from."""


@dataclass(frozen=True, slots=True)
class PageMark:
    """A page of the list of images as it was written."""

    made_from: str
    """Hash of all that it was made from."""
    file: Content | None = None
    """What its file held; None where that is not known."""


def is_as_written(page: Location, written: Content | None) -> bool:
    """Tell whether a page is there, and holds what was written; of one that is not known, whether it is there.

    Raises
    ------
    StorageError
        It cannot be known.
    """
    now = seen(page, written, like_known=True)
    return now is not None and (written is None or now.hash == written.hash)


def write_page(
    page: Location, pieces: Iterable[str], written: Content | None, tell: Callable[[str], None]
) -> Content:
    """Write a page; what somebody made of the one before is kept beside it.

    Parameters
    ----------
    page
        Where.
    pieces
        HTML, one piece after the other.
    written
        What the page before held; None where it is not known.
    tell
        Is given a sentence if something was put aside.

    Returns
    -------
    What its file holds now.

    Raises
    ------
    StorageError
        Something cannot be read or written.
    """
    now = seen(page, written)
    if now is not None and written is not None and now.hash != written.hash and now.size:
        aside = f"{base_name(page)}.changed-{now.hash.rpartition(':')[2][:12]}"
        beside = page.with_name(aside) if isinstance(page, Path) else f"{page[: -len(base_name(page))]}{aside}"
        write_bytes(beside, read_bytes(page))
        tell(f"{page} was changed; it is kept as {aside}, and made again")
    with atomic_write(page) as target:
        for piece in pieces:
            target.write(piece.encode())
    file = seen(page, None)
    assert file is not None, "it was just written"
    return file


def marks_of(kept: Location) -> dict[str, PageMark]:
    """Return what the pages of the list were made from, and what they held; damaged facts are as none.

    Raises
    ------
    StorageError
        They cannot be read.
    """
    try:
        marks = json.loads(read_if_there(join(kept, _MARKS)) or b"{}")
    except (ValueError, RecursionError):
        return {}
    # What is not a name that we give is never deleted.
    known = marks if isinstance(marks, dict) else {}
    names = [SINGLE, *(index_name(number) for number in range(1, len(known) + 1))]
    return {name: _mark(known[name]) for name in names if name in known}


def write_marks(kept: Location, marks: Mapping[str, PageMark]) -> None:
    """Keep what the pages of the list were made from, and what they hold.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    facts = {name: asdict(mark) for name, mark in marks.items()}
    write_text(join(kept, _MARKS), json.dumps(facts, indent=1) + "\n")


def pages_on_record(paths: WorkspacePaths) -> Iterator[tuple[str, Location, Content]]:
    """Yield image, place and content of the pages of a report as they were written; no image for those of the list.

    Raises
    ------
    StorageError
        Something is there and cannot be read.
    """
    kept, suffix = join(paths.jobs, "report"), run_name("")
    for name, mark in marks_of(kept).items():
        if mark.file is not None:
            yield "", join(paths.reports, name), mark.file
    for entry in listing(kept) if exists(kept) else ():
        record = record_from_json(read_bytes(entry.location)) if entry.name.endswith(suffix) else None
        if record is not None and record.file is not None:
            yield record.image, join(paths.reports, page_name(record.image)), record.file


def _mark(facts: object) -> PageMark:
    """Return a mark from what was read; there were times when it was a hash alone."""
    if isinstance(facts, str):
        return PageMark(facts)
    made_from, file = (facts.get("made_from"), facts.get("file")) if isinstance(facts, dict) else (None, None)
    if not isinstance(made_from, str):
        return PageMark("")
    known = (file.get("size"), file.get("stamp"), file.get("hash")) if isinstance(file, dict) else ()
    match known:
        case (int(size), str(stamp), str(digest)) if digest:
            return PageMark(made_from, Content(size, stamp, digest))
    return PageMark(made_from)
