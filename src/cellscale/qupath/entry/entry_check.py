"""Whether the files of an image in a project are still of that image: not cut off, not another image's."""

import re

from cellscale.qupath.edits.edited_objects import is_whole
from cellscale.qupath.entry.data_bytes import mapped
from cellscale.qupath.entry.entry_record import ENTRY_RECORD
from cellscale.qupath.gson import Json
from cellscale.qupath.uris import file_name
from cellscale.storage.json_text import parsed_json
from cellscale.storage.places import folded
from cellscale.storage.ranges import open_ranges
from cellscale.storage.uri import Location, base_name, read_bytes

__all__ = ["ENTRY_FILES", "is_still_of", "is_whole_data"]

ENTRY_FILES = ("data.qpdata", "server.json", "summary.json", "thumbnail.jpg", ENTRY_RECORD)
"""What an image's folder has; QuPath writes all but the last again when a person saves."""

_BEGINNING, _END = b"\xac\xed\x00\x05", b"t\x00\x03EOF"
"""How a stream of Java objects begins, and QuPath's files of objects end."""
_HEADER = 2**20
_JPEG = b"\xff\xd8", b"\xff\xd9"


def is_still_of(location: Location, image: Location, shape: tuple[int, int] | None = None) -> bool:
    """Tell whether a file that was changed since cellscale wrote it can be what QuPath saved for the same image.

    Parameters
    ----------
    location
        One of `ENTRY_FILES` in an image's folder.
    image
        The image.
    shape
        Its rows and columns, where they are known.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    name = base_name(location)
    if name == ENTRY_RECORD:  # no other program writes it
        return False
    if name == "data.qpdata":
        return _is_data_of(location, folded(base_name(image)))
    content = read_bytes(location)
    if name == "thumbnail.jpg":
        return content.startswith(_JPEG[0]) and content.endswith(_JPEG[1])
    try:
        facts = parsed_json(content)
    except ValueError:
        return False
    if not isinstance(facts, dict):
        return False
    if name == "server.json":
        return _names(facts, folded(base_name(image)))
    server = facts.get("server")
    if not isinstance(server, dict) or not isinstance(facts.get("hierarchy"), dict):
        return False
    return shape is None or (server.get("height"), server.get("width")) == shape


def is_whole_data(location: Location) -> bool:
    """Tell whether a file of objects can be read; all of it is.

    Raises
    ------
    StorageError
        It cannot be known.
    """
    with mapped(location) as data:
        return data is not None and is_whole(data)


def _is_data_of(location: Location, image: str) -> bool:
    reader = open_ranges(location)
    try:
        if reader.size < len(_BEGINNING) + len(_END):
            return False
        header, end = reader.read([(0, min(_HEADER, reader.size)), (reader.size - len(_END), len(_END))])
    finally:
        reader.close()
    uris = re.findall(rb'"uri": *"([^"]+)"', header)
    return (
        header.startswith(_BEGINNING)
        and end == _END
        and (not uris or any(folded(file_name(uri.decode("utf-8", "replace"))) == image for uri in uris))
    )


def _names(value: Json, image: str) -> bool:
    """Tell whether a server builder, or one that it wraps (of a rotated image), opens an image of this name."""
    if isinstance(value, list):
        return any(_names(item, image) for item in value)
    if isinstance(value, dict):
        uri = value.get("uri")
        return (isinstance(uri, str) and folded(file_name(uri)) == image) or any(
            _names(item, image) for item in value.values()
        )
    return False
