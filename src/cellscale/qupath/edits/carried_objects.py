"""A data file with objects made anew, in which everything that a person did to the old ones is still there."""

import pickle
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import repeat
from typing import BinaryIO

import numpy as np

from cellscale.cells.object_batches import CellBatch
from cellscale.cells.selection import selected
from cellscale.qupath.data_file import DataFile
from cellscale.qupath.edits.edited_objects import Edited
from cellscale.qupath.edits.kept_objects import CHILDREN, Kept
from cellscale.qupath.edits.object_tally import ObjectTally
from cellscale.qupath.edits.region_objects import place_regions, placed_regions
from cellscale.qupath.java.java_reader import UnreadableError
from cellscale.qupath.java.java_stream import JavaStream, Sink
from cellscale.qupath.java.java_types import Content, Encoded, JavaArray, JavaObject, Several, Value
from cellscale.qupath.java.serial_classes import FLOAT_ARRAY, METADATA_MAP, OBJECT_ARRAY
from cellscale.qupath.objects.object_encoder import ObjectEncoder
from cellscale.qupath.objects.path_objects import array_list

__all__ = ["write_carried"]

_ENTRY = "PROJECT_ENTRY_ID"
_ROOT = 0
"""Stands for the place of the object that holds all others."""


def write_carried(
    file: Sink,
    facts: DataFile,
    batches: Iterable[CellBatch],
    edited: Edited,
    tally: ObjectTally,
    deleted: Collection[str],
) -> None:
    """Write a person's data file with new objects in place of the old ones.

    Parameters
    ----------
    file
        Takes the file.
    facts, batches
        As for ``write_data_file``.
    edited
        The person's file; is used up.
    tally
        Of all new objects.
    deleted
        Of those that the person deleted, which stay so.
    """
    with tempfile.TemporaryFile() as spool:
        stream = JavaStream(file)
        carrying = _Carrying(stream, facts, edited, frozenset(deleted), spool)
        stream.write(carrying.contents(batches, tally))


class _Carrying:
    """Puts new objects where the old ones were."""

    def __init__(
        self, stream: JavaStream, facts: DataFile, edited: Edited, deleted: frozenset[str], spool: BinaryIO
    ) -> None:
        self._facts, self._edited, self._deleted = facts, edited, deleted
        self._encoder = ObjectEncoder(stream, facts.columns, facts.dialect)
        self._names: dict[tuple[str, ...], JavaObject] = {}
        self._regions: list[JavaObject] = []
        self._region_places: frozenset[int] = frozenset()
        self._spool = spool
        self._spooled: dict[int, list[int]] = defaultdict(list)

    def contents(self, batches: Iterable[CellBatch], tally: ObjectTally) -> Iterator[Content]:
        """Yield all contents of the file."""
        edited, facts = self._edited, self._facts
        placed = place_regions(edited, placed_regions(facts.regions, facts.staying, facts.root_id), facts.root_id)
        self._regions = placed[: len(facts.regions)]
        made = (thing for name, thing in edited.drawn.items() if name in edited.made)
        self._region_places = frozenset(map(id, (*self._regions, *made)))
        held = self._held(tally)
        parents = {id(parent): parent for parent in (*edited.parents.values(), *self._regions)}
        _put(edited.root, held.pop(_ROOT, 0), Several(self._of_root(batches)))
        for place, parent in parents.items():
            if held[place]:
                _put(parent, held[place], Several(self._of_parent(place)))
        yield edited.contents[0]
        yield self._facts.header
        for content in edited.contents[2:]:
            _enter(content, self._facts.entry)
            yield content

    def _held(self, tally: ObjectTally) -> Counter[int]:
        """Return the number of new objects that each object will hold, by its place."""
        if not tally.ids:  # nobody is known to have done anything to one of them
            return Counter({self._holder("", region): count for region, count in tally.by_region.items()})
        regions = tally.regions or repeat(-1)
        pairs = zip(tally.ids, regions, strict=bool(tally.regions))
        return Counter(self._holder(name, region) for name, region in pairs if name not in self._deleted)

    def _holder(self, name: str, region: int) -> int:
        """Return the place of what holds an object: its region, or else what a person put it into."""
        if region >= 0 and self._regions:
            return id(self._regions[region])
        parent = self._edited.parents.get(name)
        return _ROOT if parent is None or id(parent) in self._region_places else id(parent)

    def _of_root(self, batches: Iterable[CellBatch]) -> Iterator[Content]:
        """Yield the objects that no annotation holds; lay the others aside."""
        for batch in batches:
            names = [identity.decode("ascii") for identity in batch.ids.tolist()]
            regions = repeat(-1) if batch.regions is None else batch.regions.tolist()
            rows: dict[int, list[int]] = defaultdict(list)
            for row, (name, region) in enumerate(zip(names, regions, strict=False)):
                if name not in self._deleted:
                    rows[self._holder(name, region)].append(row)
            for place, members in rows.items():
                some = selected(batch, np.array(members))
                if place != _ROOT:
                    self._spooled[place].append(self._spool.seek(0, 2))
                    pickle.dump(some, self._spool)
                else:
                    yield from self._encoded(some)

    def _of_parent(self, place: int) -> Iterator[Content]:
        """Yield the objects that an annotation holds."""
        for start in self._spooled[place]:
            self._spool.seek(start)
            yield from self._encoded(pickle.load(self._spool))  # what this process wrote

    def _encoded(self, batch: CellBatch) -> Iterator[Content]:
        """Yield objects with what a person gave to them."""
        kept = [self._edited.kept.get(identity.decode("ascii")) for identity in batch.ids.tolist()]
        classes = [given.path_class if given is not None and given.is_class_alone else None for given in kept]
        rows = [row for row, given in enumerate(kept) if given is not None and not given.is_class_alone]
        start = 0
        for row, thing in zip(rows, self._encoder.single(batch, rows) if rows else (), strict=True):
            yield from self._together(batch, classes, start, row)
            given = kept[row]
            assert given is not None
            yield self._with(thing, given)
            start = row + 1
        yield from self._together(batch, classes, start, len(batch))

    def _together(
        self, batch: CellBatch, classes: Sequence[JavaObject | None], start: int, stop: int
    ) -> Iterator[Content]:
        """Yield objects to which a person gave a class at most."""
        if start < stop:
            some = batch if stop - start == len(batch) else selected(batch, np.arange(start, stop))
            yield from self._encoder.encode(some, classes[start:stop])

    def _with(self, thing: JavaObject, kept: Kept) -> JavaObject:
        """Return an object with what a person gave to it."""
        contents = list(thing.contents)
        contents[0], contents[1] = kept.name, kept.color
        contents[2] = _with_metadata(contents[2], kept)
        contents[3] = self._with_measurements(contents[3], kept)
        if kept.locked is not None:
            contents[CHILDREN] = kept.locked
        contents[CHILDREN + 1] = kept.path_class
        contents[CHILDREN + 3] = kept.probability or contents[CHILDREN + 3]
        contents[CHILDREN - 1 : CHILDREN] = [len(kept.children).to_bytes(4, "big"), *kept.children]
        return JavaObject(thing.java_class, contents=contents)

    def _with_measurements(self, content: Content, kept: Kept) -> Content:
        if not kept.measurements:
            return content
        assert isinstance(content, JavaObject)
        names, values = content.values["names"], content.values["values"]
        assert isinstance(names, JavaObject)
        assert isinstance(values, JavaArray)
        assert isinstance(values.values, Encoded)
        all_names = (*(name for name in names.contents if isinstance(name, str)), *kept.measurements)
        data = bytes(values.values.data[4:]) + np.array(list(kept.measurements.values()), ">f4").tobytes()
        shared = self._names.setdefault(all_names, array_list(all_names))
        array = JavaArray(FLOAT_ARRAY, Encoded(len(all_names).to_bytes(4, "big") + data))
        return JavaObject(content.java_class, {**content.values, "names": shared, "values": array})


def _with_metadata(content: Content, kept: Kept) -> Content:
    if not kept.metadata[0]:
        return content
    assert isinstance(content, JavaObject)
    version, keys, values = content.contents
    return JavaObject(
        METADATA_MAP, contents=(version, _before(keys, kept.metadata[0]), _before(values, kept.metadata[1]))
    )


def _before(array: Content, first: tuple[Value, ...]) -> JavaArray:
    assert isinstance(array, JavaArray)
    assert isinstance(array.values, tuple)
    return JavaArray(OBJECT_ARRAY, (*first, *array.values))


def _put(parent: JavaObject, count: int, children: Several) -> None:
    """Give children to an object, before those that it has."""
    contents = parent.contents
    if not isinstance(contents, list) or not isinstance(contents[CHILDREN - 1], bytes):
        raise UnreadableError(f"a {parent.java_class.name} has another layout")
    before, rest = contents[CHILDREN - 1][:4], contents[CHILDREN - 1][4:]
    total = int.from_bytes(before, "big") + count
    contents[CHILDREN - 1 : CHILDREN] = [total.to_bytes(4, "big"), children, *([rest] if rest else [])]


def _enter(content: Content, entry: str) -> None:
    """Bring QuPath's link to the project up to date."""
    if isinstance(content, JavaObject) and isinstance(content.contents, list) and _ENTRY in content.contents[1::2]:
        content.contents[content.contents[1::2].index(_ENTRY) * 2 + 2] = entry
