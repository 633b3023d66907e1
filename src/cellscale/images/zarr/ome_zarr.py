"""OME-Zarr images of versions 0.4 to 0.6, read by region."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from cellscale.errors import CodecError, ImageError
from cellscale.faults import one_line, told_apart
from cellscale.images.image_names import image_name
from cellscale.images.info import Channel, ChannelAxis, ImageInfo
from cellscale.images.lossy import Change
from cellscale.images.probes import zarr_probe
from cellscale.images.tiff.tiff_layout import READABLE_TYPES, widened
from cellscale.images.zarr.lossy_codecs import change_of_codecs
from cellscale.images.zarr.multiscales import Multiscales, parse_multiscales
from cellscale.images.zarr.plates import plate_text
from cellscale.images.zarr.zarr_claims import check_stored
from cellscale.images.zarr.zarr_store import is_unknown_codec, zarr_store
from cellscale.regions import Region
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, base_name, exists

__all__ = ["OmeZarrImage"]

_NAMES = ("omero", "channels_metadata")
"""Where names of channels are; the latter is SpatialData's before its version 0.1."""

_COUNTED = 100
"""Images of one folder that are looked for: each costs a request to a store."""


class OmeZarrImage:
    """An image in an OME-Zarr folder; of several (as bioformats2raw writes them), the first.

    Parameters
    ----------
    location
        Path or URI of the folder that has the ``multiscales`` metadata.
    types
        The types of pixel that are accepted, by numpy's names.
    channel_axis
        ``Z`` or ``T`` to take focal planes or time points for channels, where there are several.
    may_be_blank
        Chunks need not be there: in labels of nothing none is.

    Raises
    ------
    ImageError
        It is no OME-Zarr image of version 0.4 to 0.6, is damaged, or holds more than one plane a channel.
    StorageError
        It is not there or cannot be read.
    """

    def __init__(
        self,
        location: Location,
        *,
        types: frozenset[str] = READABLE_TYPES,
        channel_axis: ChannelAxis | None = None,
        may_be_blank: bool = False,
    ) -> None:
        self._name = base_name(location)
        self._stack = "" if channel_axis in (None, "C") else str(channel_axis).lower()
        with self._damage_explained():
            group, metadata, self._warnings = _image_group(location, self._name)
            scales = parse_multiscales(metadata, self._name)
            self._warnings += scales.warnings
            self._axes = scales.axes
            self._arrays = [_array(group, path, self._name) for path in scales.paths]
            if not may_be_blank:
                self._warnings += check_stored(location, self._arrays[0], self._name)
            self._info = self._describe(location, scales, metadata, types)

    @property
    def info(self) -> ImageInfo:
        """Facts of the image."""
        return self._info

    @property
    def change(self) -> tuple[Change, str]:
        """Whether a codec changed the numbers of the full resolution, and the name of the codec."""
        return change_of_codecs(self._arrays[0].metadata.to_dict())

    def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
        """Return the pixels as ``(len(channels), rows, columns)`` in the image's dtype, native byte order.

        Raises
        ------
        ImageError
            A chunk is damaged.
        RequestError
            The image does not have these pixels.
        """
        self._info.require(channels, region, level)
        result = np.empty((len(channels), *region.shape), self._info.dtype)
        rows, columns = region.slices
        places: dict[str, Any] = {"y": rows, "x": columns}
        count = self._sizes.get("c", 1)
        with self._damage_explained():
            for plane, channel in zip(result, channels, strict=True):
                step, place = divmod(channel, count)
                places |= {"c": place, self._stack: step}
                index = tuple(places.get(axis, 0) for axis in self._axes)
                plane[:] = self._arrays[level][index]
        return result

    def close(self) -> None:
        """Nothing is held open."""

    @contextmanager
    def _damage_explained(self) -> Iterator[None]:
        with explained("read", self._name), told_apart(self._name, self._damaged, zarr_probe):
            yield

    def _damaged(self, error: Exception) -> ImageError:
        if is_unknown_codec(error):
            return CodecError(
                f"{self._name}: its chunks are stored with a codec that is not installed here ({one_line(error)}): "
                "install the package that has it, or write the image again with Zstandard, Blosc or gzip"
            )
        return ImageError(f"{self._name}: the OME-Zarr is damaged ({one_line(error)})")

    def _describe(
        self, location: Location, scales: Multiscales, metadata: Mapping[str, Any], types: frozenset[str]
    ) -> ImageInfo:
        first = self._arrays[0]
        self._sizes = sizes = dict(zip(self._axes, first.shape, strict=True))
        _check(sizes, first.dtype, types, self._name, self._stack)
        cuts = dict(zip(self._axes, first.chunks, strict=True))
        for level, array in enumerate(self._arrays):
            if array.ndim != len(self._axes) or min(array.shape) < 1:
                raise ImageError(
                    f"{self._name}: resolution {level} has the shape {array.shape}; {len(self._axes)} axes "
                    f"({', '.join(self._axes)}) of one pixel or more expected: the OME-Zarr is damaged"
                )
        return ImageInfo(
            name=image_name(location),
            uri=str(location),
            height=sizes["y"],
            width=sizes["x"],
            dtype=widened(first.dtype),
            channels=_channels(metadata, sizes.get("c", 1), sizes.get(self._stack, 1)),
            pixel_size=scales.pixel_size,
            levels=tuple((array.shape[-2], array.shape[-1]) for array in self._arrays),
            chunk=(min(cuts["y"], sizes["y"]), min(cuts["x"], sizes["x"])),
            focal_planes=sizes.get("z", 1),
            time_points=sizes.get("t", 1),
            warnings=self._warnings,
        )


def _image_group(location: Location, name: str) -> tuple[zarr.Group, Mapping[str, Any], tuple[str, ...]]:
    """Return the group of the image, its OME metadata, and a warning where there are other images beside it."""
    if not exists(location):
        raise FileNotFoundError(location)
    try:
        group = zarr.open_group(zarr_store(location, read_only=True), mode="r")
    except (FileNotFoundError, ValueError) as error:
        raise ImageError(f"{name}: a Zarr group of version 2 or 3 expected, none found ({error})") from error
    metadata = _ome(group)
    warnings: tuple[str, ...] = ()
    if "bioformats2raw.layout" in metadata and "multiscales" not in metadata:
        warnings = _passed_over(group, name)
        group = _subgroup(group, "0", name)
        metadata = _ome(group)
    if "plate" in metadata or "well" in metadata:
        raise ImageError(plate_text(group, metadata, name))
    if not metadata.get("multiscales"):
        raise ImageError(
            f"{name}: a Zarr group without OME 'multiscales' found; an OME-Zarr image of version 0.4 to 0.6 expected"
        )
    return group, metadata, warnings


def _passed_over(group: zarr.Group, name: str) -> tuple[str, ...]:
    """Return a warning where bioformats2raw wrote more images than the first one."""
    count = 1
    while count < _COUNTED and str(count) in group:
        count += 1
    if count == 1:
        return ()
    found = count if count < _COUNTED else f"{count} or more"
    return (
        f"the folder holds {found} images; only image 1 (in {name}/0) is worked on: move the others' "
        "folders (1, 2, ...) beside it, each with a name that ends in .ome.zarr",
    )


def _ome(group: zarr.Group) -> Mapping[str, Any]:
    attributes = dict(group.attrs)
    inner = attributes.get("ome", attributes)  # 0.5 has a place of its own, 0.4 the top
    if not isinstance(inner, Mapping):
        return {}
    # Some writers of 0.5 leave the names of the channels at the top.
    return {**{key: attributes[key] for key in _NAMES if key in attributes}, **inner}


def _subgroup(group: zarr.Group, path: str, name: str) -> zarr.Group:
    found = group[path]
    if not isinstance(found, zarr.Group):
        raise ImageError(f"{name}: {path} is an array; an image's group expected")
    return found


def _array(group: zarr.Group, path: str, name: str) -> "zarr.Array[Any]":
    found = group[path]
    if not isinstance(found, zarr.Array):
        raise ImageError(f"{name}: {path} is a group; a resolution's array expected")
    return found


def _check(sizes: Mapping[str, int], dtype: np.dtype[Any], types: frozenset[str], name: str, stack: str) -> None:
    for axis, what in (("z", "focal planes (Z)"), ("t", "time points (T)")):
        if sizes.get(axis, 1) > 1 and axis != stack:
            raise ImageError(
                f"{name}: {sizes[axis]} {what} found, one expected: cellscale reads two-dimensional images with "
                f"channels; save one of them, or a projection, as an image of its own; if they are its channels, "
                f"give --channel_axis {axis.upper()}"
            )
    if min(sizes.values()) < 1:
        raise ImageError(f"{name}: an image without pixels found: {dict(sizes)}")
    if dtype.newbyteorder("=").name not in types:
        raise ImageError(f"{name}: pixels of type {dtype} found; one of {', '.join(sorted(types))} expected")


def _channels(metadata: Mapping[str, Any], count: int, steps: int) -> tuple[Channel, ...]:
    """Return the channels; of a stack of one channel the name is not that of its planes."""
    holders = (holder for key in _NAMES if isinstance(holder := metadata.get(key), Mapping))
    found = (holder.get("channels") for holder in holders)
    listed: Sequence[Any] = next((channels for channels in found if isinstance(channels, list)), ())
    facts = [one if isinstance(one, Mapping) else {} for one in listed[:count]]
    facts += [{}] * (count - len(facts))
    facts = [{}] * steps if count == 1 < steps else facts * steps
    return tuple(
        Channel(index, _name(one) or f"Channel {index + 1}", _color(one.get("color")))
        for index, one in enumerate(facts)
    )


def _name(facts: Mapping[str, Any]) -> str:
    return _label(facts.get("label")) or _label(facts.get("name"))


def _label(given: object) -> str:
    """Return a channel's name; SpatialData numbers channels that have none, and what is no name gives none."""
    is_name = isinstance(given, (str, int, float)) and not isinstance(given, bool)
    return str(given) if is_name else ""


def _color(text: object) -> int | None:
    """Convert ``RRGGBB`` to OME's signed RGBA integer."""
    digits = str(text).lstrip("#")[:6]
    if not re.fullmatch("[0-9a-fA-F]{1,6}", digits):
        return None
    rgb = int(digits, 16)
    rgba = (rgb << 8) | 0xFF
    return rgba - 2**32 if rgba >= 2**31 else rgba
