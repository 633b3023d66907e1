"""Replacing the objects of an image without losing those that a person edited."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from cellscale.cells.object_batches import CellBatch
from cellscale.qupath.data_file import DataFile, write_data_file
from cellscale.qupath.entry_record import EntryRecord
from cellscale.qupath.gson import JsonObject
from cellscale.qupath.java.java_stream import Sink
from cellscale.storage.atomic import atomic_write
from cellscale.storage.json_text import parsed_json
from cellscale.storage.ranges import open_ranges
from cellscale.storage.uri import Location, exists, join, read_if_there

__all__ = ["replace_objects"]

_Item = TypeVar("_Item")
_DATA = "data.qpdata"
_CHUNK = 2**24


def replace_objects(folder: Location, facts: DataFile, metadata: JsonObject, batches: Iterable[CellBatch]) -> bool:
    """Write the objects of an image in place of those there were.

    Parameters
    ----------
    folder
        Of the image in the project.
    facts, batches
        As for ``write_data_file``.
    metadata
        What the project will say of the image, to be remembered with the objects.

    Returns
    -------
    Whether the file has changed.

    Notes
    -----
    A file that is not as cellscale wrote it was edited in QuPath: it is kept as ``data.qpdata.edited-`` and part of
    its hash. (A file named ``data.qpdata.bkp`` would be deleted by QuPath when it saves the next time.)
    """
    target = join(folder, _DATA)
    with atomic_write(target, durable=False) as file:
        writer = _HashingSink(file)
        write_data_file(writer, facts, batches)
        new, old = writer.digest(), _digest(target)
        record = EntryRecord.read(folder)
        if old is not None and old != new and old not in record.written:
            _copy(target, join(folder, f"{_DATA}.edited-{old[:12]}"))
        replace(
            record,
            written=_newest(new, record.written),
            metadata=_newest(metadata, record.metadata or _metadata_before(folder, old, record)),
        ).write(folder)
    return old != new


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


class _HashingSink:
    """Passes bytes on and hashes them."""

    def __init__(self, file: Sink) -> None:
        self._file = file
        self._hash = hashlib.blake2b(digest_size=32)

    def write(self, data: bytes | memoryview, /) -> None:
        self._hash.update(data)
        self._file.write(data)

    def digest(self) -> str:
        return self._hash.hexdigest()


def _chunks(location: Location) -> Iterator[bytes]:
    """Yield a file's content."""
    reader = open_ranges(location)
    try:
        for start in range(0, reader.size, _CHUNK):
            yield from reader.read([(start, min(_CHUNK, reader.size - start))])
    finally:
        reader.close()


def _digest(location: Location) -> str | None:
    """Return a file's BLAKE2b hash, None if there is no file."""
    if not exists(location):
        return None
    found = hashlib.blake2b(digest_size=32)
    for chunk in _chunks(location):
        found.update(chunk)
    return found.hexdigest()


def _copy(source: Location, target: Location) -> None:
    with atomic_write(target) as file:
        for chunk in _chunks(source):
            file.write(chunk)
