"""One image of a dataset, open: its channels, masks and table."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import CellscaleError
from cellscale.images.channels import GivenNames
from cellscale.images.info import ChannelAxis, Image
from cellscale.images.masks import Mask, open_mask
from cellscale.images.open import open_image, with_facts
from cellscale.predict.heads import Compartment
from cellscale.regions import Region
from cellscale.storage.uri import Entry
from cellscale.viewer.cell_places import find_label, pixel_lengths
from cellscale.viewer.class_column import CLASS, ClassColumn, read_classes
from cellscale.viewer.planes.contrast import Brightness, brightness
from cellscale.viewer.planes.grid import TilePosition, level_shape, tile_region
from cellscale.viewer.planes.plane import PlaneReader, Source, pyramid_of
from cellscale.viewer.planes.plane_overview import PlaneOverview
from cellscale.viewer.planes.reduction import mean_reduced, nearest_reduced
from cellscale.viewer.request_errors import NotFoundError
from cellscale.viewer.table import CellRow, CellTable

__all__ = ["FoundObject", "ImageFiles", "OpenImage", "Tile"]

_IMAGE_CACHE = 128 * 2**20
_MASK_CACHE = 96 * 2**20

_CLOSE = 0.01
"""Relative difference below which two lengths of a pixel are the same."""

Starter = Callable[[PlaneOverview, tuple[str, ...]], None]
"""Has an overview made in the background, and kept under a name."""


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """What belongs to one image, as it was when it was looked for."""

    image: Entry
    masks: dict[Compartment, Entry]
    """Those that are there."""

    table: Entry | None

    classes: Entry | None = None
    """Classes that a table gave to its cells."""

    channel_names: GivenNames | None = None
    """Names of its channels from a list."""

    channel_axis: ChannelAxis | None = None
    """The axis along which its channels are, where the user says so."""

    doubts: tuple[str, ...] = ()
    """What of them does not fit together, or is not as it was made."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Pixels of a tile."""

    pixels: NDArray[Any]
    complete: bool
    """Whether asking again would give the same."""


@dataclass(frozen=True, slots=True)
class FoundObject:
    """A cell or nucleus that was looked for."""

    row: CellRow | None
    """Its measurements; None where there is no table."""

    place: tuple[float, float] | None
    """x and y in pixels; None where it is not in the mask."""


class OpenImage:
    """An image with its masks and its table; any thread may ask.

    Parameters
    ----------
    files
        Where they are. A mask or table that cannot be used is left out, and told of in ``problems``.
    start
        Has overviews made in the background.

    Raises
    ------
    ImageError
        The image itself cannot be opened.
    StorageError
        It cannot be read.
    """

    def __init__(self, files: ImageFiles, start: Starter) -> None:
        self.files = files
        self.problems = list(files.doubts)
        self.masks: dict[Compartment, Mask] = {}
        self.table: CellTable | None = None
        self.classes: ClassColumn | None = None
        self._start = start
        self._lock = Lock()
        self._brightness: dict[int, Brightness] = {}
        self._lengths: dict[Compartment, tuple[float, float] | None] = {}
        with ExitStack() as opened:
            self.image: Image = open_image(
                files.image.location,
                channel_names=files.channel_names,
                channel_axis=files.channel_axis,
                cache_bytes=_IMAGE_CACHE,
            )
            opened.callback(self.image.close)
            for compartment in files.masks:
                self._open_mask(compartment, opened)
            self._open_table(opened)
            self._read_classes()
            if self.table is not None and len(self.table.channels) == len(self.image.info.channels):
                self.image = with_facts(self.image, channel_names=self.table.channels)
            self._channels = [self._channel(number) for number in range(len(self.image.info.channels))]
            self._labels = {compartment: self._label_plane(compartment) for compartment in self.masks}
            self._opened = opened.pop_all()

    def stop(self) -> None:
        """Give up what is being made in the background."""
        for plane in (*self._channels, *self._labels.values()):
            plane.stop()

    def close(self) -> None:
        """Release the files."""
        self._opened.close()

    def brightness(self, channel: int) -> Brightness:
        """Return what a sample of a channel's pixels says."""
        self._known(channel)
        if channel not in self._brightness:  # looked at twice where two threads ask at once
            self._brightness[channel] = brightness(self.image, channel)
        return self._brightness[channel]

    def channel_tile(self, channel: int, place: TilePosition) -> Tile:
        """Return a tile of a channel as uint16, (rows, columns)."""
        scale = self.brightness(channel).scale
        pixels, complete = self._channels[channel].read(place.level, tile_region(self.image.info.shape, place))
        return Tile(scale.encoded(pixels), complete)

    def label_tile(self, compartment: Compartment, place: TilePosition) -> Tile:
        """Return a tile of a mask as uint32 with one more pixel on every side, 0 outside of the image."""
        plane = self._plane(compartment)
        region = tile_region(plane.shape, place)
        shape = level_shape(plane.shape, place.level)
        grown = region.grown(1, shape)
        pixels, complete = plane.read(place.level, grown)
        framed = np.zeros((region.height + 2, region.width + 2), "<u4")
        framed[grown.within(Region(region.top - 1, region.left - 1, region.bottom + 1, region.right + 1))] = pixels
        return Tile(framed, complete)

    def find(self, compartment: Compartment, label: int) -> FoundObject | None:
        """Look for an object by its label in a mask; None if neither the table nor the mask has it."""
        mask = self.masks.get(compartment)
        row = None if self.table is None else self.table.row(compartment, label)
        if row is not None and self.classes is not None:
            given = self.classes.by_id.get(row.object_id, "")
            row = replace(row, values=((CLASS, given), *row.values))
        lengths = None if row is None else self._pixel_lengths(compartment)
        if row is not None and lengths is not None:
            return FoundObject(row, (row.centroid[0] / lengths[0], row.centroid[1] / lengths[1]))
        place = None if mask is None or label < 1 else find_label(mask, label)
        return None if row is None and place is None else FoundObject(row, place)

    def measured(self, number: int) -> NDArray[np.float32]:
        """Return a measurement of every object of the table; after the last one, the places of their classes.

        Raises
        ------
        NotFoundError
            There is no table, or no such measurement.
        """
        if self.table is None:
            raise NotFoundError(f"{self.image.info.name} has no table of cells")
        if self.classes is not None and number == len(self.table.measurements):
            return self.classes.codes
        return self.table.column(number)

    def _pixel_lengths(self, compartment: Compartment) -> tuple[float, float] | None:
        with self._lock:
            if compartment not in self._lengths and self.table is not None and compartment in self.masks:
                labels = self.table.labels(compartment)
                lengths = pixel_lengths(self.masks[compartment], labels, self.table.centroids())
                self._lengths[compartment] = lengths and self._as_in_file(lengths)
            return self._lengths.get(compartment)

    def _as_in_file(self, lengths: tuple[float, float]) -> tuple[float, float]:
        """Return the file's own, exact lengths where the table was obviously made with them."""
        size = self.image.info.pixel_size
        if size is not None and abs(lengths[0] / size.x - 1) < _CLOSE and abs(lengths[1] / size.y - 1) < _CLOSE:
            return size.x, size.y
        return lengths

    def _plane(self, compartment: Compartment) -> PlaneReader:
        if compartment not in self._labels:
            raise NotFoundError(f"{self.image.info.name} has no {compartment} mask")
        return self._labels[compartment]

    def _known(self, channel: int) -> None:
        if channel >= len(self._channels):
            raise NotFoundError(f"channel {channel} asked for; {len(self._channels)} are there")

    def _open_mask(self, compartment: Compartment, opened: ExitStack) -> None:
        location = self.files.masks[compartment].location
        try:
            mask = open_mask(location, expect_shape=self.image.info.shape, cache_bytes=_MASK_CACHE)
        except CellscaleError as error:
            self.problems.append(str(error))
            return
        opened.callback(mask.close)
        self.masks[compartment] = mask

    def _open_table(self, opened: ExitStack) -> None:
        if self.files.table is None:
            return
        try:
            self.table = CellTable(self.files.table.location)
        except CellscaleError as error:
            self.problems.append(str(error))
            return
        opened.callback(self.table.close)

    def _read_classes(self) -> None:
        if self.files.classes is None or self.table is None:
            return
        try:
            self.classes = read_classes(self.files.classes.location, self.table)
        except CellscaleError as error:
            self.problems.append(str(error))

    def _channel(self, number: int) -> PlaneReader:
        def read(region: Region, level: int) -> NDArray[Any]:
            plane: NDArray[Any] = self.image.read((number,), region, level)[0]
            return plane

        info = self.image.info
        source = Source(info, read, pyramid_of(info))
        return PlaneReader(source, mean_reduced, partial(self._begin, self.files.image, f"channel {number}"))

    def _label_plane(self, compartment: Compartment) -> PlaneReader:
        mask = self.masks[compartment]
        source = Source(mask.info, lambda region, _: mask.read(region), {0: 0})
        start = partial(self._begin, self.files.masks[compartment], "labels")
        return PlaneReader(source, nearest_reduced, start, labels=True)

    def _begin(self, entry: Entry, what: str, overview: PlaneOverview) -> None:
        self._start(overview, (str(entry.location), entry.marker, what))
