"""Files of this machine and objects of any store, by one set of names.

A *location* is a ``Path``, a path as text, or a URI such as ``gs://bucket/folder/image.ome.tiff``. Local files stay
``Path`` objects throughout; anything else goes through fsspec.
"""

import logging
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from cellscale.errors import StorageError
from cellscale.storage.credentials import opened_by, without_credentials
from cellscale.storage.group_rights import share_folder
from cellscale.storage.redaction import redacted
from cellscale.storage.regular import oddity, read_regular, require_regular
from cellscale.storage.storage_errors import explained, is_absent

__all__ = [
    "Entry",
    "Location",
    "base_name",
    "delete",
    "exists",
    "filesystem",
    "find",
    "is_uri",
    "join",
    "listing",
    "local_path",
    "make_folder",
    "objects_below",
    "read_bytes",
    "read_if_there",
]

Location: TypeAlias = Path | str
"""A path, or a URI as text."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+://")
_CONNECT_SECONDS, _SILENT_SECONDS = 30, 120
"""Time to wait for a connection, and for its next bytes, before a request is tried again."""

# What the clients raise they also log, with a traceback, which Python prints where nobody listens.
for _client in ("fsspec", "gcsfs", "s3fs"):
    logging.getLogger(_client).addHandler(logging.NullHandler())

_ARCHIVES = {"zip", "tar", "libarchive"}
"""What fsspec opens like a store, and what neither holds a dataset nor is written to file by file."""

_EXTRAS = {"gs": "gcp", "gcs": "gcp", "s3": "s3", "s3a": "s3"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder."""

    name: str
    """Last part of the location."""

    location: Location
    """Where it is: a path, or a URI."""

    size: int
    """Bytes; 0 for a folder."""

    marker: str
    """Changes whenever the content does: modification time, generation or entity tag; empty where there is none."""

    is_folder: bool

    problem: str | None = None
    """Why it is neither file nor folder, where it is something else, or a link to nothing."""


def is_uri(location: Location) -> bool:
    """Return whether the location is a URI rather than a path (a drive letter is no scheme)."""
    return isinstance(location, str) and _URI.match(location) is not None


def local_path(location: Location) -> Path | None:
    """Return the path of a location on this machine (``file:`` URIs are decoded); None for an object of a store."""
    if isinstance(location, Path):
        return location  # itself: a copy takes as long as all the rest, and paths never change
    if not is_uri(location):
        return Path(location)
    parts = urlsplit(str(location))
    if parts.scheme.lower() != "file":
        return None
    # '#' and '?' are cut off by urlsplit, but belong to the name where a program did not encode them.
    text = str(location)[len("file://") + len(parts.netloc) :]
    from urllib.request import url2pathname  # this takes as long as all the rest, and few need it

    return Path(url2pathname(text))


def filesystem(location: Location) -> tuple[Any, str]:
    """Return fsspec's file system of a URI, and the path inside it.

    Raises
    ------
    StorageError
        The scheme is unknown or an archive's, or its client is not installed.
    """
    # gcsfs asks for the bucket's storage layout otherwise, which needs a permission more than reading and writing do,
    # and waits up to a minute where nobody answers (an emulator). Who has a zonal bucket sets it to true.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    location = without_credentials(str(location))
    full = opened_by(location)
    scheme = location.partition("://")[0].lower()
    if scheme in _ARCHIVES:
        raise StorageError(f"cannot reach {location}: images are not read inside of archives: unpack it")
    import fsspec  # on first use: a run of local files does without

    try:
        kind = fsspec.get_filesystem_class(scheme)
        options = kind._get_kwargs_from_urls(full)
        options.pop("version_aware", None)  # a name that ends in '#12' is no old version of another
        if scheme in ("gs", "gcs"):
            options["requests_timeout"] = _google_timeout()
        return kind(**options), kind._strip_protocol(full)
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        advice = f"run pip install 'cellscale[{extra}]'" if extra else str(error)
        raise StorageError(f"cannot reach {location}: no client for {scheme}:// is installed: {advice}") from error
    except ValueError as error:
        said = redacted(str(error))
        raise StorageError(f"cannot reach {location}: {scheme}:// is no known kind of storage ({said})") from error


@cache
def _google_timeout() -> Any:
    """Return how long gcsfs, which waits for ever otherwise, is to wait for a connection and for its next bytes."""
    from aiohttp import ClientTimeout  # there wherever gcsfs is

    return ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENT_SECONDS)


def join(base: Location, *parts: str) -> Location:
    """Return the location of ``parts`` below a folder: a ``Path`` below a local folder, a URI below a URI."""
    folder = local_path(base)
    if folder is not None:
        return folder.joinpath(*parts)
    return "/".join([str(base).rstrip("/"), *parts])


def base_name(location: Location) -> str:
    """Return the last part of a location."""
    path = local_path(location)
    return path.name if path is not None else str(location).rstrip("/").rpartition("/")[2]


def exists(location: Location) -> bool:
    """Return whether a file, object or folder is there.

    Raises
    ------
    StorageError
        It cannot be known: no permission, no network.
    """
    path = local_path(location)
    with explained("look for", location):
        if path is not None:
            return path.exists()
        if str(location).partition("://")[0].lower() not in _EXTRAS:
            return find(location) is not None  # other clients take every failure for absence
        fs, key = filesystem(location)
        fs.invalidate_cache()
        return bool(fs.exists(key))


def find(location: Location) -> Entry | None:
    """Return what a listing would say of one file, object or folder; None where there is none.

    Raises
    ------
    StorageError
        It cannot be known: no permission, no network, a link to nothing.
    """
    path = local_path(location)
    with explained("look for", location):
        try:
            if path is not None:
                facts = path.stat()
                return Entry(path.name, path, facts.st_size, str(facts.st_mtime_ns), path.is_dir())
            fs, key = filesystem(location)
            fs.invalidate_cache()
            item = fs.info(key)
        except FileNotFoundError as error:
            if path is not None:
                require_regular(path)  # a link to nothing is there, and not what is looked for
            elif not is_absent(error):
                raise
            return None
        is_folder = item["type"] == "directory"
        return Entry(base_name(location), str(location), int(item.get("size") or 0), _marker(item), is_folder)


def read_bytes(location: Location) -> bytes:
    """Return a whole file or object.

    Raises
    ------
    StorageError
        It is not there or cannot be read.
    """
    path = local_path(location)
    with explained("read", location):
        if path is not None:
            return read_regular(path)
        fs, key = filesystem(location)
        content: bytes = fs.cat_file(key)
        return content


def read_if_there(location: Location) -> bytes | None:
    """Return a whole file or object; None where there is none.

    Raises
    ------
    StorageError
        It cannot be known, or read: what is there must not be taken for missing.
    """
    try:
        return read_bytes(location)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def delete(location: Location) -> None:
    """Delete a file or object; nothing happens where there is none.

    Raises
    ------
    StorageError
        It is there and cannot be deleted.
    """
    path = local_path(location)
    with explained("delete", location):
        if path is not None:
            path.unlink(missing_ok=True)
            return
        fs, key = filesystem(location)
        try:
            fs.rm_file(key)
        except FileNotFoundError:
            return


def make_folder(location: Location) -> None:
    """Make a folder and those above it; object stores need none.

    Raises
    ------
    StorageError
        It cannot be made.
    """
    path = local_path(location)
    if path is not None:
        with explained("make the folder", location):
            missing = [folder for folder in (path, *path.parents) if not folder.exists()]
            path.mkdir(parents=True, exist_ok=True)
            for folder in reversed(missing):
                share_folder(folder)


def listing(folder: Location) -> list[Entry]:
    """Return what a folder holds, by name; one request to an object store.

    Raises
    ------
    StorageError
        The folder is not there or cannot be read.
    """
    path = local_path(folder)
    with explained("list", folder):
        entries = _local_entries(path) if path is not None else _remote_entries(str(folder))
    return sorted(entries, key=lambda entry: entry.name)


def objects_below(uri: str) -> list[str]:
    """Return the names of all objects below a folder of an object store, from there; one request a thousand.

    Raises
    ------
    StorageError
        The store cannot be listed.
    """
    fs, key = filesystem(uri)
    with explained("list", uri):
        fs.invalidate_cache()
        try:
            found = fs.find(key)
        except FileNotFoundError:
            return []
    root = key.rstrip("/") + "/"
    return [name.removeprefix(root) for name in found if name.startswith(root)]


def _local_entries(folder: Path) -> list[Entry]:
    entries = []
    with os.scandir(folder) as found:
        for item in found:
            if entry := _local_entry(folder, item):
                entries.append(entry)
    return entries


def _local_entry(folder: Path, item: os.DirEntry[str]) -> Entry | None:
    """Return one name of a folder; None where it was deleted meanwhile."""
    path = folder / item.name
    try:
        problem = oddity(path)
        facts = item.stat(follow_symlinks=problem is None)
        is_folder = problem is None and item.is_dir()
    except FileNotFoundError:
        return None
    except OSError as error:  # no permission, or a share that is away: others in the folder are no worse for it
        return Entry(item.name, path, 0, "", is_folder=False, problem=f"it cannot be looked at: {error.strerror}")
    return Entry(item.name, path, 0 if is_folder else facts.st_size, str(facts.st_mtime_ns), is_folder, problem)


def _remote_entries(folder: str) -> list[Entry]:
    fs, key = filesystem(folder)
    fs.invalidate_cache()
    entries = []
    for item in fs.ls(key, detail=True):
        path = item["name"].rstrip("/")
        if path == key.rstrip("/"):  # some stores keep an empty object as the folder
            continue
        name = path.rpartition("/")[2]
        size = int(item.get("size") or 0)
        entries.append(Entry(name, join(folder, name), size, _marker(item), item["type"] == "directory"))
    return entries


def _marker(item: dict[str, Any]) -> str:
    for key in ("generation", "ETag", "etag", "md5Hash", "LastModified", "updated", "mtime", "created"):
        if item.get(key) is not None:
            return str(item[key])
    return ""
