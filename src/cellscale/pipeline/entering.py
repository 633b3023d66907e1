"""How images enter the QuPath project's list: several at a time, so that one more costs the same whatever there is.

The list is one file. Written after every image, it would be written as often as there are images, and each time as
long as there are images.
"""

import time
from contextlib import suppress

from cellscale.cells.text import Dialect
from cellscale.qupath.project_image import ProjectImage
from cellscale.storage.uri import Location, filesystem, local_path

__all__ = ["Entering", "now_of"]

_SHARE = 8
"""The list is written when it grows by one part in so many: after each image at first."""


class Entering:
    """The images of one run that are measured and that the project is yet to list.

    A run that is killed leaves some of them with their objects and without an entry; the next one enters them.

    Parameters
    ----------
    folder
        Of the project; None where none is asked for.
    dialect
        Of the QuPath version that a new project and new entries follow.
    """

    def __init__(self, folder: Location | None, dialect: Dialect) -> None:
        self._folder = folder
        self._dialect = dialect
        self._waiting: dict[str, ProjectImage] = {}
        self._listed = 0

    @property
    def images(self) -> tuple[str, ...]:
        """Names of those that wait."""
        return tuple(self._waiting)

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of their entries, which no other image may get."""
        return frozenset(place.entry_id for place in self._waiting.values())

    def enter(self, image: str, place: ProjectImage) -> None:
        """Take an image's place, and write the list if enough wait; errors as of `write`."""
        self._waiting[image] = place
        if len(self._waiting) * _SHARE > self._listed:
            self.write()

    def write(self) -> None:
        """Write the list with those that wait.

        Raises
        ------
        StorageError
            The project file is damaged, cannot be read or written, or lists other images under their numbers.
        """
        if self._folder is None or not self._waiting:
            return
        from cellscale.qupath.project import entry_ids, update_project  # heavy: a dry run needs none

        places = list(self._waiting.values())
        update_project(self._folder, places, self._dialect, now_of(places[0].info.uri))
        self._waiting.clear()
        self._listed = len(entry_ids(self._folder))


def now_of(uri: str | None) -> int:
    """Return the time to write into the project: the image's own, so that the same input gives the same bytes."""
    path = local_path(uri) if uri is not None else None
    if path is not None:
        return int(path.stat().st_mtime * 1000)
    with suppress(Exception):  # not every store knows, and each says so in its own way
        assert uri is not None, "there is no file whose time could be known"
        fs, key = filesystem(uri)
        return int(fs.modified(key).timestamp() * 1000)
    return int(time.time() * 1000)
