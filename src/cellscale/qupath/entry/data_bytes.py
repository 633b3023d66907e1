"""The bytes of an image's data file: read, hashed, kept, and written in place of those that were read."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from cellscale.errors import StorageError
from cellscale.qupath.java.java_stream import Sink
from cellscale.storage.atomic import atomic_write
from cellscale.storage.ranges import open_ranges
from cellscale.storage.uri import Entry, Location, exists, find

__all__ = ["chunks_of", "copy_file", "digest_of", "in_place_of"]

_CHUNK = 2**24


@contextmanager
def in_place_of(target: Location, before: Entry | None) -> Iterator["_HashingSink"]:
    """Write a file in place of one that was read, unless somebody saves that one meanwhile.

    Raises
    ------
    StorageError
        Somebody did, or it cannot be written.
    """
    with atomic_write(target, durable=False) as file:
        yield _HashingSink(file)
        if find(target) != before:
            raise StorageError(
                f"{target} was saved by another program while the image was measured: run the same command again"
            )


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


def chunks_of(location: Location) -> Iterator[bytes]:
    """Yield a file's content."""
    reader = open_ranges(location)
    try:
        for start in range(0, reader.size, _CHUNK):
            yield from reader.read([(start, min(_CHUNK, reader.size - start))])
    finally:
        reader.close()


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
