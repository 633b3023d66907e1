"""The images of a dataset, of which few are open at a time."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from cellscale.viewer.files_of_record import files_of_record
from cellscale.viewer.open_image import ImageFiles, OpenImage
from cellscale.viewer.overview_cache import OverviewCache
from cellscale.viewer.planes.plane_overview import PlaneOverview
from cellscale.viewer.request_errors import NotFoundError
from cellscale.viewer.tuning import Tuner
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["Dataset"]

_OPEN = 2
"""Images that are held open, each with some hundred MB of what was decoded."""

_MAKERS = 2
"""Overviews that are made side by side."""


class Dataset:
    """Opens images when they are asked for, and closes the longest unused; any thread may ask.

    Parameters
    ----------
    entries
        The images.
    paths
        The dataset's folders.
    cache
        Where overviews are kept.
    tuner
        Finds cells of one of the images with other settings; None for looking only.
    """

    def __init__(
        self, entries: list[ImageEntry], paths: WorkspacePaths, cache: OverviewCache, tuner: Tuner | None = None
    ) -> None:
        self.entries = entries
        self.tuner = tuner
        self.paths = paths
        self._cache = cache
        self._opening = threading.Lock()
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._makers = ThreadPoolExecutor(_MAKERS, "overview")

    @contextmanager
    def image(self, number: int, *, fresh: bool = False) -> Iterator[OpenImage]:
        """Give an open image, which stays open for the ``with`` block.

        Parameters
        ----------
        number
            Its position in ``entries``.
        fresh
            Whether to look for files that were changed or added since it was opened.

        Raises
        ------
        NotFoundError
            There is no such image.
        ImageError, StorageError
            It cannot be opened.
        """
        if number >= len(self.entries):
            raise NotFoundError(f"image {number} asked for; {len(self.entries)} are there")
        files = files_of_record(self.paths, self.entries[number]) if fresh or number not in self._held else None
        held = self._use(number, files)
        try:
            yield held.image
        finally:
            held.release()

    def close(self) -> None:
        """Close all images."""
        with self._opening:
            while self._held:
                self._held.popitem()[1].drop()
        self._makers.shutdown()

    def _use(self, number: int, files: ImageFiles | None) -> "_Held":
        with self._opening:
            held = self._held.get(number)
            if held is not None and files is not None and held.image.files != files:
                self._held.pop(number).drop()
                held = None
            if held is None:
                held = _Held(files or files_of_record(self.paths, self.entries[number]), self._makers, self._cache)
                self._held[number] = held
            self._held.move_to_end(number)
            while len(self._held) > _OPEN:
                self._held.popitem(last=False)[1].drop()
            held.acquire()
            return held


class _Held:
    """An open image, closed when nobody uses it any more: no request, no overview in the making, no dataset."""

    def __init__(self, files: ImageFiles, makers: ThreadPoolExecutor, cache: OverviewCache) -> None:
        self._makers = makers
        self._cache = cache
        self._lock = threading.Lock()
        self._users = 1
        self.image = OpenImage(files, self._start)

    def acquire(self) -> None:
        """Keep the image open."""
        with self._lock:
            self._users += 1

    def release(self) -> None:
        """Need it no longer."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            self.image.close()

    def drop(self) -> None:
        """Have the image closed as soon as those who use it now are done."""
        self.image.stop()
        self.release()

    def _start(self, overview: PlaneOverview, identity: tuple[str, ...]) -> None:
        self.acquire()
        self._makers.submit(self._make, overview, identity)

    def _make(self, overview: PlaneOverview, identity: tuple[str, ...]) -> None:
        try:
            overview.make(self._cache, *identity)
        finally:
            self.release()
