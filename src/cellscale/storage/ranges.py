"""Reading parts of a file or object from any thread."""

import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Protocol

from cellscale.storage.regular import open_regular
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, filesystem, local_path

__all__ = ["LocalRanges", "RangeReader", "RemoteRanges", "open_ranges"]

_MAX_GAP = 64 * 1024
"""Bytes that are cheaper to fetch and drop than another request to an object store."""

_MAX_SPAN = 8 * 2**20
"""Bytes of one request; more are faster in several, side by side."""


class RangeReader(Protocol):
    """Reads byte ranges of one file, from any thread."""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each ``(offset, size)``; EOFError where the file ends before."""

    def close(self) -> None:
        """Release the file."""


def _whole(data: bytes, offset: int, size: int) -> bytes:
    if len(data) != size:
        raise EOFError(f"the file ends {size - len(data)} bytes before byte {offset + size}")
    return data


class LocalRanges:
    """Ranges of an open local file; positioned reads, so that threads never wait for each other where they exist."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._name = str(file.name)
        self._lock = threading.Lock()
        self._positioned = hasattr(os, "pread")
        self.size = os.fstat(file.fileno()).st_size

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each ``(offset, size)``."""
        with explained("read", self._name):
            return [_whole(self._read_one(offset, size), offset, size) for offset, size in ranges]

    def _read_one(self, offset: int, size: int) -> bytes:
        if not self._positioned:  # Windows
            with self._lock:
                self._file.seek(offset)
                return self._file.read(size)
        data = os.pread(self._file.fileno(), size, offset)
        while 0 < len(data) < size:  # Linux reads at most 2 GiB at once
            more = os.pread(self._file.fileno(), size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class RemoteRanges:
    """Ranges of an object, those of one call fetched side by side."""

    def __init__(self, fs: Any, key: str, location: Location) -> None:
        self._location = location
        self._fs = fs
        self._key = key
        self.size = int(fs.info(key)["size"])

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each ``(offset, size)``."""
        if any(offset + size > self.size for offset, size in ranges):
            raise EOFError(f"the object ends at byte {self.size}")
        spans = _spans(ranges)
        with explained("read", self._location):
            found = self._fs.cat_ranges(
                [self._key] * len(spans), [start for start, _ in spans], [end for _, end in spans], on_error="raise"
            )
            for data in found:
                if isinstance(data, Exception):  # older fsspec hands errors over as content
                    raise data
        return list(_cut(ranges, spans, found))

    def close(self) -> None:
        """Nothing is held open."""


def _spans(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge ranges that follow each other closely, in the given order, into starts and ends of requests."""
    spans: list[tuple[int, int]] = []
    for offset, size in ranges:
        if spans:
            start, end = spans[-1]
            if start <= offset <= end + _MAX_GAP and offset + size - start <= _MAX_SPAN:
                spans[-1] = start, max(end, offset + size)
                continue
        spans.append((offset, offset + size))
    return spans


def _cut(
    ranges: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]], found: Sequence[bytes]
) -> Iterator[bytes]:
    """Yield the bytes of each range from the requests they were merged into."""
    position = 0
    for offset, size in ranges:
        while not spans[position][0] <= offset <= offset + size <= spans[position][1]:
            position += 1
        start = offset - spans[position][0]
        yield _whole(bytes(found[position][start : start + size]), offset, size)


def open_ranges(location: Location) -> RangeReader:
    """Open a file or object for reading by range.

    Raises
    ------
    StorageError
        It is not there or may not be read.
    """
    path = local_path(location)
    with explained("read", location):
        if path is not None:
            return LocalRanges(open_regular(path))
        fs, key = filesystem(location)
        return RemoteRanges(fs, key, location)
