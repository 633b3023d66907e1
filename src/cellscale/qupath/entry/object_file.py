"""Replacing the objects of an image without losing what a person did to them."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cellscale.cells.object_batches import CellBatch
from cellscale.qupath.data_file import DataFile, contents_around, write_data_file
from cellscale.qupath.edits.carried_objects import write_carried
from cellscale.qupath.edits.carrying_words import not_carried, what_was_carried
from cellscale.qupath.edits.edited_objects import Edited, read_edited
from cellscale.qupath.edits.object_tally import ObjectTally
from cellscale.qupath.edits.region_objects import made_regions, placed_regions
from cellscale.qupath.edits.written_names import ours_in_all_forms
from cellscale.qupath.entry.data_bytes import HashingSink, copy_file, digest_of, in_place_of, mapped
from cellscale.qupath.entry.entry_check import is_still_of
from cellscale.qupath.entry.entry_record import EntryRecord
from cellscale.qupath.gson import JsonObject
from cellscale.qupath.java.java_reader import UnreadableError
from cellscale.qupath.java.java_types import JavaObject
from cellscale.qupath.java.serial_classes import ROOT
from cellscale.qupath.objects.path_objects import metadata_map
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Entry, Location, find, join, read_if_there

__all__ = ["Replaced", "replace_objects"]

_Item = TypeVar("_Item")
_DATA = "data.qpdata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What became of an image's data file."""

    changed: bool
    """Whether it is another one than before."""

    edited: Edited | None = None
    """What of a person's is in it, where that is not the whole file."""

    count: int | None = None
    """Number of our objects; None where it is that of all."""

    regions: Counter[str] = field(default_factory=Counter)
    """Number of annotations that were made of regions, by class."""

    notes: tuple[str, ...] = ()
    """What was taken over from a person's file."""

    warnings: tuple[str, ...] = ()
    """What could not be taken over, and where it is."""


def replace_objects(
    folder: Location,
    facts: DataFile,
    metadata: JsonObject,
    batches: Iterable[CellBatch],
    *,
    image: Location | None = None,
) -> Replaced:
    """Write the objects of an image in place of those there were.

    Parameters
    ----------
    folder
        Of the image in the project.
    facts, batches
        As for ``write_data_file``; may be gone through several times.
    metadata
        What the project will say of the image, to be remembered with the objects.
    image
        Where it is, by which a file of another image is known.

    Notes
    -----
    A file that is not as cellscale wrote it was edited in QuPath, or comes from there. If our objects are the same as
    when they were written, it stays. Else what a person did is taken over into the new file, and the old one is kept
    as ``data.qpdata.edited-`` and part of its hash. (A file named ``data.qpdata.bkp`` would be deleted by QuPath when
    it saves the next time.)
    """
    before = find(join(folder, _DATA))
    record, old = EntryRecord.read(folder), digest_of(join(folder, _DATA))
    record = replace(
        record,
        metadata=_newest(metadata, record.metadata or _metadata_before(folder, old, record)),
        measurements=tuple(dict.fromkeys((*facts.columns.names, *record.measurements))),
    )
    record_is_lost = not record.written and not record.carried
    if old is None or old in record.written or (record_is_lost and old == _would_be(facts, batches)):
        return _replaced(folder, facts, batches, record, old, before)
    tally = ObjectTally(facts.columns, facts.dialect, facts.regions, by_outline=True)
    for batch in batches:
        tally.add(batch)
    return _carried(folder, facts, batches, record, old, before, tally, image)


def _replaced(
    folder: Location,
    facts: DataFile,
    batches: Iterable[CellBatch],
    record: EntryRecord,
    old: str | None,
    before: Entry | None,
) -> Replaced:
    """Write our objects alone."""
    tally = ObjectTally(facts.columns, facts.dialect, facts.regions)
    with in_place_of(join(folder, _DATA), before) as writer:
        _write_ours(writer, facts, batches, tally)
        new = writer.digest()
        record = replace(record, written=_newest(new, record.written))
        record.before_objects().write(folder)
    record.with_objects(tally.digest, tally.which, tally.count).write(folder)
    return Replaced(changed=old != new, regions=_made(facts, _nothing_edited(facts)))


def _write_ours(writer: HashingSink, facts: DataFile, batches: Iterable[CellBatch], tally: ObjectTally) -> None:
    """Write the file of an image to which nobody did anything, and count its objects."""
    if not facts.regions and not facts.staying:
        write_data_file(writer, facts, tally.passing(batches))
        return
    for batch in batches:  # how many objects each region holds has to be known first
        tally.add(batch)
    write_carried(writer, facts, batches, _nothing_edited(facts), tally, ())


def _made(facts: DataFile, edited: Edited) -> Counter[str]:
    """Return the annotations that are not counted among a person's, by class."""
    placed = placed_regions(facts.regions, facts.staying, facts.root_id)
    return made_regions(placed, edited, facts.root_id)


def _nothing_edited(facts: DataFile) -> Edited:
    """Return a file without objects."""
    root = JavaObject(ROOT, contents=[None, None, metadata_map(facts.root_id), None, bytes(4)])
    return Edited(list(contents_around(facts, root)), root)


def _carried(
    folder: Location,
    facts: DataFile,
    batches: Iterable[CellBatch],
    record: EntryRecord,
    old: str,
    before: Entry | None,
    tally: ObjectTally,
    image: Location | None,
) -> Replaced:
    """Write our objects, unless they are the same, with what a person did to the old ones; keep the file as it was.

    A file of another image, put in the place of this one, has objects of ours of which none is here, and names it.
    """
    target, kept = join(folder, _DATA), join(folder, f"{_DATA}.edited-{old[:12]}")
    try:
        edited = _read(target, tally, ours_in_all_forms(record.measurements))
    except UnreadableError as error:
        copy_file(target, kept)
        warning = f"what was done in QuPath cannot be taken over, because {error}; it is kept as {kept}"
        return replace(_replaced(folder, facts, batches, record, old, before), warnings=(warning,))
    is_other_images = bool(edited.ours) and not edited.kept
    if is_other_images and image is not None and not is_still_of(target, image):
        copy_file(target, kept)
        warning = f"the objects in the QuPath project were those of another image; they are kept as {kept}"
        return replace(_replaced(folder, facts, batches, record, old, before), warnings=(warning,))
    if tally.digest == record.objects and not is_other_images:
        record.write(folder)
        return Replaced(changed=False)
    same = record.which == tally.which and not is_other_images
    deleted = [one for one in tally.ids if one not in edited.kept] if same else []
    lost = not_carried(edited, 0 if same else record.count - edited.ours)
    is_kept = bool(lost) or old not in record.carried
    if is_kept:
        copy_file(target, kept)
    with in_place_of(target, before) as writer:
        write_carried(writer, facts, batches, edited, tally, deleted)
        record = replace(record, carried=_newest(writer.digest(), record.carried))
        record.before_objects().write(folder)
    record.with_objects(tally.digest, tally.which, tally.count).write(folder)
    notes = what_was_carried(edited, len(deleted)) or (("the QuPath project has new objects",) if is_kept else ())
    return Replaced(
        changed=True,
        edited=edited,
        count=tally.count - len(deleted),
        regions=_made(facts, edited),
        notes=tuple(f"{text}; the file as it was is kept as {kept}" if is_kept else text for text in notes),
        warnings=tuple(f"{text}: it is in {kept}" for text in lost),
    )


def _read(target: Location, tally: ObjectTally, written: Collection[str]) -> Edited:
    """Read a person's file."""
    with mapped(target) as data:
        if data is None:
            raise UnreadableError("it is empty")
        return read_edited(data, frozenset(tally.ids), tally.outlines, written)


def _would_be(facts: DataFile, batches: Iterable[CellBatch]) -> str:
    """Return the hash of the file that is written where nobody did anything."""
    sink = HashingSink()
    _write_ours(sink, facts, batches, ObjectTally(facts.columns, facts.dialect, facts.regions))
    return sink.digest()


def _newest(new: _Item, before: Sequence[_Item]) -> tuple[_Item, ...]:
    """Return the newest of something and the one before."""
    return new, *[item for item in before if item != new][:1]


def _metadata_before(folder: Location, data: str | None, record: EntryRecord) -> tuple[JsonObject, ...]:
    """Return the metadata that a cellscale wrote that did not remember them: QuPath replaces both files together."""
    content = read_if_there(join(folder, "server.json")) if data in record.written else None
    if content is None:
        return ()
    with suppress(ValueError):
        server = parsed_json(content)
        found = server.get("metadata") if isinstance(server, dict) else None
        return (found,) if isinstance(found, dict) else ()
    return ()
