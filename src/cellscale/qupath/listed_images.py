"""Which image each entry of a project shows, as its file says."""

from cellscale.qupath.entry.entry_data import PROJECT_FILE
from cellscale.qupath.project_file import entries, parse_project
from cellscale.qupath.uris import are_one_file, java_uri, path_of_uri
from cellscale.storage.uri import Location, join, read_if_there

__all__ = ["listed_images", "same_image"]


def listed_images(folder: Location) -> dict[int, str | None]:
    """Return the URI of each entry's image by the entry's number; None for a part of an image, or a rotated one.

    Raises
    ------
    StorageError
        The project file is damaged or cannot be read.
    """
    location = join(folder, PROJECT_FILE)
    content = read_if_there(location)
    if content is None:
        return {}
    listed: dict[int, str | None] = {}
    for entry in entries(parse_project(content, location)):
        number, builder = entry.get("entryID"), entry.get("serverBuilder")
        if isinstance(number, int):
            uri = builder.get("uri") if isinstance(builder, dict) else None
            listed[number] = uri if isinstance(uri, str) else None
    return listed


def same_image(uri: str, image: Location) -> bool:
    """Tell whether an entry's URI, in any spelling, is an image's."""
    path, ours = path_of_uri(uri), java_uri(image)
    return (uri if path is None else java_uri(path)) == ours or are_one_file(uri, ours)
