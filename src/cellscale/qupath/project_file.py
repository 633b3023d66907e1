"""The document ``project.qpproj``, with all that cellscale does not know of it."""

from collections.abc import Callable, Iterator
from copy import deepcopy

from cellscale.errors import StorageError
from cellscale.qupath.gson import Json, JsonObject
from cellscale.qupath.uris import are_one_file, path_of_uri, rebased
from cellscale.storage.json_text import parsed_json

__all__ = ["entries", "new_project", "parse_project", "with_location"]

_UNREADABLE = ("v0.2.0-m1", "v0.2.0-m2")
"""Versions whose projects QuPath itself refuses."""


def new_project(uri: str, version: str, now: int) -> JsonObject:
    """Return a project without images.

    Parameters
    ----------
    uri
        Where its file is.
    version
        Of QuPath.
    now
        Milliseconds since 1970.
    """
    return {
        "version": version,
        "createTimestamp": now,
        "modifyTimestamp": now,
        "uri": uri,
        "lastID": 0,
        "images": [],
    }


def parse_project(content: bytes, where: object) -> JsonObject:
    """Return an existing project.

    Parameters
    ----------
    content
        Of the file.
    where
        The file, for messages.

    Raises
    ------
    StorageError
        QuPath could not open it either.
    """
    try:
        project = parsed_json(content)
    except ValueError as error:
        raise _damaged(where, f"not JSON: {error}") from error
    if not isinstance(project, dict):
        raise _damaged(where, f"a {type(project).__name__} instead of an object with the images")
    images = project.get("images")
    if not isinstance(images, list) or not all(isinstance(entry, dict) for entry in images):
        raise _damaged(where, "no list of images")
    if project.get("version") in _UNREADABLE:
        raise _damaged(where, f"made by QuPath {project['version']}, which later versions cannot read")
    return project


def entries(project: JsonObject) -> Iterator[JsonObject]:
    """Yield the entries of the images."""
    images = project["images"]
    if isinstance(images, list):
        yield from (entry for entry in images if isinstance(entry, dict))


def with_location(project: JsonObject, uri: str) -> JsonObject:
    """Return a project as of the place where it is now: images that moved along are looked for beside it.

    Parameters
    ----------
    project
        A project.
    uri
        Where its file is now. Images that are not there beside it and are still where they were stay there.
    """
    old = project.get("uri")
    if old == uri or (isinstance(old, str) and are_one_file(old, uri)):
        return project
    moved: JsonObject = deepcopy(project) | {"uri": uri}
    if isinstance(old, str):
        for entry in entries(moved):
            _replace_uris(entry.get("serverBuilder"), lambda found: _followed(found, old, uri))
    return moved


def _followed(uri: str, old_project: str, new_project_uri: str) -> str:
    beside = rebased(uri, old_project, new_project_uri)
    places = [path_of_uri(place) for place in (beside, uri)]
    # Of a dataset that was copied, the image of the copy: the original is another dataset's.
    return uri if places[1] is not None and places[1].exists() and not (places[0] and places[0].exists()) else beside


def _replace_uris(value: Json, replace: Callable[[str], str]) -> None:
    """Replace the URIs in a server builder and in those that it wraps (rotated images, cropped ones)."""
    if isinstance(value, list):
        for item in value:
            _replace_uris(item, replace)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "uri" and isinstance(item, str):
                value[key] = replace(item)
            else:
                _replace_uris(item, replace)


def _damaged(where: object, reason: str) -> StorageError:
    return StorageError(
        f"{where} is no QuPath project that can be extended ({reason}). It was left as it is: repair it, or restore "
        f"the version before from project.qpproj.backup, or move it away to start a new project"
    )
