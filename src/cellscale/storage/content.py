"""What a file or folder holds, and whether it is the same as before: by its times first, then by its bytes."""

import hashlib
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from cellscale.storage.regular import open_regular
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Entry, Location, filesystem, find, listing, local_path

__all__ = ["WHOLE", "Check", "Content", "Kind", "beginning_of", "content_of", "glanced", "seen", "stamp_of"]

Kind: TypeAlias = Literal["whole", "sample"]
"""``whole``: a hash of all bytes; ``sample``: of the header, the end and blocks between."""

Check: TypeAlias = Literal["sample", "content"]
"""``sample``: size, times, inode, and where those differ the header, the end and blocks between; ``content``: all."""

WHOLE = " whole"
"""Ends the name of a part on record that holds the hash of all of a file, beside that of a sample."""
_CHUNK = 4 * 2**20
_WHOLE = 4 * 2**20
"""Bytes up to which a sample is all of a file."""
_ENDS = 256 * 1024
_BLOCKS, _BLOCK = 64, 16 * 1024
_SAMPLED_FILES = 16
"""Files of a folder that are read for a sample, besides those of its first two levels."""
_STAMPED_FILES = 1000
"""Files of a folder whose times are looked at: all of a mask, the beginning of an image of a million chunks."""
_METADATA = 2**20
"""Bytes up to which a file near the top of a folder is taken for metadata."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file or folder as it was seen."""

    size: int
    """Bytes; 0 for a folder."""

    stamp: str
    """Changes with nearly every change of the content, and with others: time, inode, time of the inode's change."""

    hash: str
    """Of the content: the same for the same bytes, wherever they lie. Empty where it was never read."""


def stamp_of(location: Location) -> str | None:
    """Return what is compared before any byte is read; None where there is nothing.

    Raises
    ------
    StorageError
        It cannot be known.
    """
    now = glanced(location)
    return None if now is None else now.stamp


def seen(
    location: Location,
    known: Content | None,
    kind: Kind = "whole",
    *,
    like_known: bool = False,
    last: Content | None = None,
) -> Content | None:
    """Return what lies at a location; None where there is nothing.

    Parameters
    ----------
    location
        A file, object or folder.
    known
        As it was seen before: where size and stamp are the same, nothing is read.
    kind
        What is hashed where they are not.
    like_known
        Whether it is the same is all that is asked: of what has another size nothing is read, the hash stays empty.
    last
        As it was seen another time.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    now = glanced(location)
    if now is None:
        return None
    for earlier in (known, last):
        if earlier is not None and earlier.hash and now.stamp and _looks_like(now, earlier):
            return earlier
    if like_known and known is not None and now.size != known.size:
        return now
    return replace(now, hash=content_of(location, kind))


def glanced(location: Location) -> Content | None:
    """Return size and stamp of what lies at a location, of which nothing is read; None where there is nothing.

    Raises
    ------
    StorageError
        It cannot be known.
    """
    path = local_path(location)
    if path is not None:
        with suppress(OSError):  # the words are those of `find`
            facts = path.stat()
            if stat.S_ISREG(facts.st_mode):
                return Content(facts.st_size, f"{facts.st_mtime_ns} {facts.st_ino} {facts.st_ctime_ns}", "")
    found = find(location)
    return None if found is None else Content(0 if found.is_folder else found.size, _stamp(found), "")


def beginning_of(location: Location, count: int) -> bytes:
    """Return the first bytes of a file or object, as many as there are up to a number.

    Raises
    ------
    StorageError
        It is not there or cannot be read.
    """
    with explained("read", location), _opened(location) as file:
        return bytes(file.read(count))


def _looks_like(now: Content, earlier: Content) -> bool:
    return (now.size, now.stamp) == (earlier.size, earlier.stamp)


def content_of(location: Location, kind: Kind = "whole", found: Entry | None = None) -> str:
    """Return a hash of what lies at a location.

    Parameters
    ----------
    location
        A file, object or folder.
    kind
        What is hashed.
    found
        What a listing says of it, where that is known.

    Raises
    ------
    StorageError
        It is not there or cannot be read.
    """
    entry = found or find(location)
    if entry is None:
        with explained("read", location):
            raise FileNotFoundError(str(location))
    with explained("read", location):
        if entry.is_folder:
            return _folder(entry.location, kind)
        if kind == "whole" or entry.size <= _WHOLE:
            return f"sha256:{_digest(_chunks(location))}"
        return f"sample:{_digest(_sample(location, entry.size))}"


def _stamp(found: Entry) -> str:
    if found.is_folder:
        return f"{found.marker} {_folder_stamp(found.location)}"
    path = local_path(found.location)
    if path is None:
        return found.marker
    with explained("look for", path):
        facts = path.stat()
    return f"{facts.st_mtime_ns} {facts.st_ino} {facts.st_ctime_ns}"


def _folder_stamp(folder: Location) -> str:
    """Return a hash of the names, sizes and times of the first files of a folder, level by level."""
    start = len(str(folder))
    digest, waiting, looked = hashlib.sha256(), [folder], 0
    while waiting and looked < _STAMPED_FILES:
        for entry in listing(waiting.pop(0)):
            looked += 1
            digest.update(
                f"{str(entry.location)[start:]} {entry.size} {entry.marker}\n".encode("utf-8", "surrogateescape")
            )
            if entry.is_folder:
                waiting.append(entry.location)
    return digest.hexdigest()[:32]


def _digest(parts: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _chunks(location: Location) -> Iterator[bytes]:
    with _opened(location) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _opened(location: Location) -> Any:
    path = local_path(location)
    if path is not None:
        return open_regular(path)
    fs, key = filesystem(location)
    return fs.open(key, "rb", block_size=_CHUNK)


def _sample(location: Location, size: int) -> Iterator[bytes]:
    """Yield the size, both ends, and blocks between them at even distances."""
    yield f"{size} ".encode()
    step = (size - 2 * _ENDS) // _BLOCKS
    inner = [(_ENDS + number * step, _BLOCK) for number in range(_BLOCKS)]
    ranges = [(0, _ENDS), *inner, (size - _ENDS, _ENDS)]
    path = local_path(location)
    if path is None:
        fs, key = filesystem(location)
        starts, ends = [start for start, _ in ranges], [start + length for start, length in ranges]
        yield from fs.cat_ranges([key] * len(ranges), starts, ends)
        return
    with open_regular(path) as file:
        for start, length in ranges:
            file.seek(start)
            yield file.read(length)


def _folder(folder: Location, kind: Kind) -> str:
    files = list(_all_files(folder, "") if kind == "whole" else _sampled_files(folder))
    parts = (
        f"{name} {entry.size} {content_of(entry.location, kind, entry)}\n".encode("utf-8", "surrogateescape")
        for name, entry in files
    )
    return f"{kind} folder:{_digest(parts)}"


def _all_files(folder: Location, prefix: str) -> Iterator[tuple[str, Entry]]:
    for entry in listing(folder):
        if entry.is_folder:
            yield from _all_files(entry.location, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry


def _sampled_files(folder: Location) -> Iterator[tuple[str, Entry]]:
    """Yield the metadata near the top, and the files that even steps through each level of folders lead to."""
    folders: list[Entry] = []
    for entry in listing(folder):
        if entry.is_folder:
            folders.append(entry)
        elif entry.size <= _METADATA:
            yield entry.name, entry
    for upper in folders:
        below = listing(upper.location)
        for entry in below:
            if not entry.is_folder and entry.size <= _METADATA and entry.name.rpartition(".")[2] not in _DIGITS:
                yield f"{upper.name}/{entry.name}", entry
        for number in range(_SAMPLED_FILES):
            name, chosen = _descended(below, number / _SAMPLED_FILES, f"{upper.name}/")
            if chosen is not None:
                yield name, chosen


_DIGITS = frozenset(map(str, range(10_000)))
"""Last parts of the names of chunks."""


def _descended(entries: list[Entry], share: float, prefix: str) -> tuple[str, Entry | None]:
    """Return the file that lies at a share of the way through a folder, its folders likewise."""
    if not entries:
        return prefix, None
    place = share * len(entries)
    entry = entries[int(place)]
    if not entry.is_folder:
        return f"{prefix}{entry.name}", entry
    return _descended(listing(entry.location), place - int(place), f"{prefix}{entry.name}/")
