"""Places are compared as what they are, by whatever path they are reached."""

import os
import sys
import unicodedata
from pathlib import Path

from cellscale.storage.uri import Location, local_path

__all__ = ["folded", "plain_path", "same_place"]

_SCHEMES = {"gcs": "gs", "s3a": "s3"}
"""Names of stores that have two."""


def plain_path(path: Path) -> Path:
    """Return the absolute path of a file or folder, without ``..`` and without a second slash at its beginning.

    Links stay as they are, except where the path goes back out of one.
    """
    found = path.absolute()
    if sys.platform != "win32" and found.anchor == "//":  # a host, for Java; for this system the same as one slash
        found = Path("/", *found.parts[1:])
    return found.resolve() if ".." in found.parts else found


def same_place(one: Location, other: Location) -> bool:
    """Tell whether two locations are one file, folder or object: also by a link, or in other letters of one disk."""
    paths = local_path(one), local_path(other)
    if paths[0] is None or paths[1] is None:
        return paths == (None, None) and _spelled(str(one)) == _spelled(str(other))
    first, second = plain_path(paths[0]), plain_path(paths[1])
    if first == second:
        return True
    try:
        # Other names of the same content are other files: hard links.
        return folded(first.resolve().name) == folded(second.resolve().name) and first.samefile(second)
    except (OSError, RuntimeError, ValueError):
        return os.path.realpath(first) == os.path.realpath(second)


def folded(name: str) -> str:
    """Return a name as disks compare it that do not tell upper from lower case, or forms of Unicode."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _spelled(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    scheme = scheme.lower()
    host, slash, path = rest.partition("/")
    return f"{_SCHEMES.get(scheme, scheme)}://{host.lower()}{slash}{path}".rstrip("/")
