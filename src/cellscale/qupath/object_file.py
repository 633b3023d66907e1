"""Replacing the objects of an image without losing those that a person edited."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cellscale.cells.object_batches import CellBatch
from cellscale.qupath.data_file import DataFile, write_data_file
from cellscale.qupath.gson import to_json
from cellscale.qupath.java.java_stream import Sink
from cellscale.storage.atomic import atomic_write, write_bytes
from cellscale.storage.json_text import parsed_json
from cellscale.storage.ranges import open_ranges
from cellscale.storage.uri import Location, exists, join, read_bytes

__all__ = ["replace_objects"]

_DATA, _RECORD = "data.qpdata", "cellscale.json"
_CHUNK = 2**24


def replace_objects(folder: Location, facts: DataFile, batches: Iterable[CellBatch]) -> bool:
    """Write the objects of an image in place of those there were.

    Parameters
    ----------
    folder
        Of the image in the project.
    facts, batches
        As for ``write_data_file``.

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
        record = _Record.read(folder)
        if old is not None and old != new and old not in record.written:
            _copy(target, join(folder, f"{_DATA}.edited-{old[:12]}"))
        record.write(folder, new)
    return old != new


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


@dataclass(frozen=True, slots=True)
class _Record:
    """What cellscale remembers of the objects it wrote, to know them from those that a person edited."""

    written: tuple[str, ...]
    """BLAKE2b hash of the newest file and of the one before, which is still there if a run was stopped in between."""

    @classmethod
    def read(cls, folder: Location) -> "_Record":
        location = join(folder, _RECORD)
        if not exists(location):
            return cls(())
        try:
            found = parsed_json(read_bytes(location))
        except ValueError:
            # Without a record the objects count as edited and are kept, which is the safe side.
            return cls(())
        written = found.get("written") if isinstance(found, Mapping) else None
        return cls(tuple(map(str, written)) if isinstance(written, list) else ())

    def write(self, folder: Location, newest: str) -> None:
        """Remember one more file, before it takes its name."""
        if self.written[:1] != (newest,):
            text = to_json({"written": [newest, *self.written[:1]]}, pretty=True)
            write_bytes(join(folder, _RECORD), text.encode())


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
