"""The bytes of an image's data file: read, hashed, kept, and written in place of those that were read."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from mmap import ACCESS_READ, mmap

from cellscale.errors import StorageError
from cellscale.qupath.java.java_stream import Sink
from cellscale.storage.atomic import atomic_write
from cellscale.storage.ranges import open_ranges
from cellscale.storage.scratch import scratch_file
from cellscale.storage.uri import Entry, Location, exists, find

__all__ = ["HashingSink", "chunks_of", "copy_file", "digest_of", "in_place_of", "mapped"]

_CHUNK = 2**24


@contextmanager
def in_place_of(target: Location, before: Entry | None) -> Iterator["HashingSink"]:
    """Write a file in place of one that was read, unless somebody saves that one meanwhile.

    Raises
    ------
    StorageError
        Somebody did, or it cannot be written.
    """
    with atomic_write(target, durable=False) as file:
        yield HashingSink(file)
        if find(target) != before:
            raise StorageError(
                f"{target} was saved by another program while the image was measured: run the same command again"
            )


class HashingSink:
    """Passes bytes on, to nowhere if there is no file, and hashes them."""

    def __init__(self, file: Sink | None = None) -> None:
        self._file = file
        self._hash = hashlib.blake2b(digest_size=32)

    def write(self, data: bytes | memoryview, /) -> None:
        """Take some bytes."""
        self._hash.update(data)
        if self._file is not None:
            self._file.write(data)

    def digest(self) -> str:
        """Return the BLAKE2b hash of all bytes so far."""
        return self._hash.hexdigest()


def chunks_of(location: Location) -> Iterator[bytes]:
    """Yield a file's content."""
    reader = open_ranges(location)
    try:
        for start in range(0, reader.size, _CHUNK):
            yield from reader.read([(start, min(_CHUNK, reader.size - start))])
    finally:
        reader.close()


@contextmanager
def mapped(location: Location) -> Iterator[mmap | None]:
    """Give a file's content as a copy that lies on this machine's disk, not in memory; None for an empty file."""
    with scratch_file(None, chunks_of(location)) as file:
        if not file.seek(0, os.SEEK_END):
            yield None
            return
        with closing(mmap(file.fileno(), 0, access=ACCESS_READ)) as data:
            yield data


def digest_of(location: Location) -> str | None:
    """Return a file's BLAKE2b hash, None if there is no file."""
    if not exists(location):
        return None
    found = hashlib.blake2b(digest_size=32)
    for chunk in chunks_of(location):
        found.update(chunk)
    return found.hexdigest()


def copy_file(source: Location, target: Location) -> None:
    """Copy a file."""
    with atomic_write(target) as file:
        for chunk in chunks_of(source):
            file.write(chunk)
