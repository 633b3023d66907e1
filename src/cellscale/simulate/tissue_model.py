"""A simulated tissue that answers for any region, and small ones as arrays."""

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cellscale.errors import RequestError
from cellscale.regions import Region, blocks
from cellscale.simulate.anatomy import Zone, zones
from cellscale.simulate.cell_numbers import Numbering
from cellscale.simulate.cell_placement import Settlement
from cellscale.simulate.drawing import draw, outline, weave
from cellscale.simulate.marker_panel import DEFAULT_CHANNELS, choose_markers
from cellscale.simulate.noise import key_of
from cellscale.simulate.optics import MARGIN, Camera, expose, haze

__all__ = ["MAX_SIDE", "PIXEL_SIZE", "SimulatedTissue", "TissueModel", "tissue"]

PIXEL_SIZE = 0.5
"""Micrometres a pixel."""

MAX_SIDE = 1 << 20
"""Most rows or columns of an image."""

_BLOCK = 512
_NAMESPACE = uuid.UUID("6f3f0a52-5c0e-4d53-9d0b-0f4f3a7b8f11")
_FIELDS_TRIED = 64


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTissue:
    """An image with its truth."""

    image: NDArray[Any]
    """Counts, (channels, rows, columns)."""

    whole_cell: NDArray[np.int32]
    """Label of the cell at each pixel, 0 for none."""

    nucleus: NDArray[np.int32]
    """The same where the pixel lies in the cell's nucleus."""

    channel_names: tuple[str, ...]


class TissueModel:
    """A tissue of known truth, made region by region; its pixels depend on the arguments alone.

    Safe to use from several threads.

    Parameters
    ----------
    shape
        Rows and columns, in pixels of 0.5 µm.
    seed
        Any integer from 0.
    channels
        Names of markers, or how many of the catalogue.
    index
        Number of the image in its series: each shows another field.
    dtype
        uint8 or uint16.

    Raises
    ------
    RequestError
        If an argument is out of its range or a marker is not known.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        *,
        seed: int = 0,
        channels: tuple[str, ...] | int = DEFAULT_CHANNELS,
        index: int = 0,
        dtype: DTypeLike = np.uint16,
    ) -> None:
        _require_arguments(shape, seed, index, np.dtype(dtype))
        self.shape = shape
        self.markers = choose_markers(channels)
        self.dtype = np.dtype(dtype)
        self.identity = uuid.uuid5(_NAMESPACE, repr((shape, seed, index, self.channel_names, self.dtype.name)))
        """The same for the same image."""
        self._key = _choose_field(shape, seed, index)
        self._textures = weave(self._key)
        self._settlement = Settlement(self._key)
        self._numbering: Numbering | None = None

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels, in order."""
        return tuple(marker.name for marker in self.markers)

    @property
    def settlement(self) -> Settlement:
        """The cells behind the image."""
        return self._settlement

    @property
    def numbering(self) -> Numbering:
        """The label numbers of the cells; made at first use, which visits every patch."""
        if self._numbering is None:
            self._numbering = Numbering(self._settlement, self.shape, self._owners)
        return self._numbering

    def block(self, region: Region) -> NDArray[Any]:
        """Return the picture of a region of the image, (channels, rows, columns)."""
        self._require_inside(region)
        around = Region(region.top - MARGIN, region.left - MARGIN, region.bottom + MARGIN, region.right + MARGIN)
        cells = self._settlement.near(around)
        drawing = draw(cells, around, self._textures)
        ground = haze(self._key, region, self._textures)
        camera = Camera.of(self.dtype)
        picture = np.empty((len(self.markers), *region.shape), self.dtype)
        for counts, marker in zip(picture, self.markers, strict=True):
            counts[:] = expose(marker, cells, drawing, ground, region, seed=self._key, camera=camera)
        return picture

    def labels(self, region: Region) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the truth of a region: labels of whole cells and of nuclei, each (rows, columns).

        A cell has the same number in both and in every region; numbers run from 1 to ``numbering.total``.
        """
        self._require_inside(region)
        owner, nuclear = self._outline(region)
        patches = self._settlement.patches_near(region)
        numbers = np.concatenate([np.zeros(0, np.int32), *(self.numbering.of_patch(*patch) for patch in patches)])
        whole = np.append(numbers, np.int32(0))[owner]
        return whole, np.where(nuclear > 0, whole, np.int32(0))

    def _outline(self, region: Region) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return outline(self._settlement.near(region), region, self._textures)

    def _owners(self, region: Region) -> NDArray[np.int32]:
        return self._outline(region)[0]

    def _require_inside(self, region: Region) -> None:
        if region != region.grown(0, self.shape) or region.height < 1 or region.width < 1:
            raise RequestError(f"{region} is not inside the image of {self.shape[0]} x {self.shape[1]} pixels")


def tissue(
    shape: tuple[int, int],
    seed: int = 0,
    channels: tuple[str, ...] | int = DEFAULT_CHANNELS,
    *,
    index: int = 0,
    dtype: DTypeLike = np.uint16,
) -> SimulatedTissue:
    """Simulate an image that fits in memory; the arguments and errors are those of :class:`TissueModel`."""
    model = TissueModel(shape, seed=seed, channels=channels, index=index, dtype=dtype)
    image = np.empty((len(model.markers), *shape), model.dtype)
    whole, nucleus = np.empty(shape, np.int32), np.empty(shape, np.int32)
    for region in blocks(shape, (_BLOCK, _BLOCK)):
        image[:, *region.slices] = model.block(region)
        whole[region.slices], nucleus[region.slices] = model.labels(region)
    return SimulatedTissue(image, whole, nucleus, model.channel_names)


def _choose_field(shape: tuple[int, int], seed: int, index: int) -> np.uint64:
    """Return the key of a tissue whose image shows some epithelium, some stroma and not too much glass.

    A person at a microscope looks for such a field too; large images nearly always are one at once.
    """
    for attempt in range(_FIELDS_TRIED):
        key = key_of(seed, index, attempt)
        step = max(max(shape) // 16, 1)
        seen = zones(key, (0, 0), step, (-(-shape[0] // step), -(-shape[1] // step)))
        share = np.bincount(seen.ravel(), minlength=len(Zone)) / seen.size
        epithelium = share[Zone.NEST] + share[Zone.GLAND]
        if share[Zone.EMPTY] < 0.3 and 0.2 < epithelium < 0.8:
            break
    return key


def _require_arguments(shape: tuple[int, int], seed: int, index: int, dtype: np.dtype[Any]) -> None:
    if not all(1 <= side <= MAX_SIDE for side in shape):
        raise RequestError(
            f"an image of {shape[0]} x {shape[1]} pixels cannot be simulated; give sides of 1 to {MAX_SIDE}"
        )
    if seed < 0 or index < 0:
        raise RequestError(f"seed {seed} and image number {index} must not be negative")
    if dtype not in (np.uint8, np.uint16):
        raise RequestError(f"images of {dtype} cannot be simulated; choose uint8 or uint16")
