"""The images of a dataset as those who had them worked on chose them: in sub-folders, with names from a list."""

from typing import TypeAlias

from cellscale.errors import RequestError
from cellscale.images.info import ChannelAxis
from cellscale.pipeline.resume import asked_again
from cellscale.workspace.discovery import ImageEntry, discover
from cellscale.workspace.layout import WorkspacePaths
from cellscale.workspace.record import Ledger, Task

__all__ = ["ImagesOnRecord"]

_Choice: TypeAlias = tuple[str | None, ChannelAxis | None, bool]
"""List of the channels' names, axis of the channels, and whether images in sub-folders count."""


class ImagesOnRecord:
    """Finds images as an earlier run did; the folder of images is listed once for each way to list it.

    Parameters
    ----------
    paths
        Folders of the dataset.
    """

    def __init__(self, paths: WorkspacePaths) -> None:
        self._paths = paths
        self._listed: dict[_Choice, dict[str, ImageEntry]] = {}

    def find(self, ledger: Ledger, *tasks: Task) -> ImageEntry | None:
        """Return an image as the first of some tasks of whose run that is known took it; None where it is not there.

        Parameters
        ----------
        ledger
            The image's record.
        tasks
            Which tasks.

        Raises
        ------
        RequestError
            The folder of images or the list of channels' names cannot be read, or there is no image.
        """
        choice: _Choice = None, None, False
        for task in tasks:
            try:
                request = asked_again(ledger.tasks.get(task, {}).get("request"), self._paths)
            except RequestError:  # of another version
                continue
            choice = request.channels.names, request.channels.axis, request.images.recursive
            break
        if choice not in self._listed:
            names, axis, recursive = choice
            found = discover(self._paths, "", names, axis, recursive=recursive)
            self._listed[choice] = {entry.name: entry for entry in found}
        return self._listed[choice].get(ledger.image)
