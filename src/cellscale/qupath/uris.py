"""Locations as the URIs that Java programs write and compare."""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

from cellscale.storage.places import plain_path, same_place
from cellscale.storage.uri import Location, local_path

__all__ = ["are_one_file", "file_name", "java_uri", "path_of_uri", "rebased"]

_LEGAL = "/;:@&=+$,!*'()"
"""What java.net.URI leaves as it is in a path, besides letters, digits and ``-_.~``."""

_OPENED = frozenset({"http", "https", "ftp"})
"""Schemes that Java opens."""


def java_uri(location: Location) -> str:
    """Return the URI of a location: ``file:/folder/name`` for a local path, as ``java.io.File.toURI`` forms it.

    An object of a store has ``file:/bucket/folder/name``. QuPath opens no object, and has no cure for the scheme of a
    store; of a file that is missing it asks where it is, and finds it itself beside a project that came along.
    """
    path = local_path(location)
    if path is None:
        scheme, _, rest = str(location).partition("://")
        start = f"{scheme}://" if scheme.lower() in _OPENED else "file:/"
        return start + quote(rest, safe=_LEGAL)
    text = plain_path(path).as_posix()
    return "file:" + quote(os.fsencode(text if text.startswith("/") else f"/{text}"), safe=_LEGAL)


def path_of_uri(uri: str) -> Path | None:
    """Return the path of a ``file:`` URI in any of its spellings (``file:/x``, ``file:///x``), None for others."""
    if not uri.lower().startswith("file:"):
        return None
    text = "/" + uri[len("file:") :].lstrip("/")
    return local_path("file://" + text)


def are_one_file(one: str, other: str) -> bool:
    """Return whether two ``file:`` URIs are of one file, whatever their paths are."""
    paths = path_of_uri(one), path_of_uri(other)
    return paths[0] is not None and paths[1] is not None and same_place(paths[0], paths[1])


def file_name(uri: str) -> str:
    """Return the last part of a URI, decoded."""
    return unquote(uri.rstrip("/").rpartition("/")[2])


def rebased(uri: str, old_project: str, new_project: str) -> str:
    """Return the URI of a file that moved together with a project.

    Parameters
    ----------
    uri
        A file's URI.
    old_project, new_project
        URIs of the project's file before and after, each in its own folder inside the folder that moved.

    Returns
    -------
    The URI at the new place for a file that was beside the project's folder; any other URI as it is.
    """
    old_base, new_base = (re.sub(r"[^/]*/[^/]*$", "", project) for project in (old_project, new_project))
    if not uri.startswith(old_base):
        return uri
    return new_base + uri[len(old_base) :]
