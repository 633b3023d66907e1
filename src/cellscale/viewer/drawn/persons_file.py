"""A file of a person's, which is replaced only by who has seen what it holds."""

import hashlib

from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import Location, join, local_path, make_folder, read_if_there
from cellscale.viewer.request_errors import BadRequestError
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["dataset_folder", "read_marked", "replace_marked"]

_NONE = ""
"""Mark of a file that is not there."""


def dataset_folder(paths: WorkspacePaths) -> Location:
    """Return the folder that holds a dataset's others: that of its runs lies in it."""
    path = local_path(paths.jobs)
    return str(paths.jobs).rstrip("/").rpartition("/")[0] if path is None else path.parent


def read_marked(location: Location) -> tuple[bytes, str]:
    """Return a file's content and its mark; nothing where it is not there."""
    content = read_if_there(location)
    return (b"", _NONE) if content is None else (content, hashlib.sha256(content).hexdigest())


def replace_marked(folder: Location, name: str, content: bytes, known: str) -> str:
    """Write a file, whole or not at all, and return its new mark.

    Raises
    ------
    BadRequestError
        It is another one than that of the mark ``known``.
    StorageError
        It cannot be written.
    """
    location = join(folder, name)
    if read_marked(location)[1] != known:
        raise BadRequestError(f"{location} was changed meanwhile; reload the page, and draw again")
    make_folder(folder)
    write_bytes(location, content)
    return read_marked(location)[1]
