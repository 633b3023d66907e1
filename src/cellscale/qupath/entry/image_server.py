"""How a project describes an image: the server that reads it, and the metadata it reads."""

import math
from types import MappingProxyType

import numpy as np

from cellscale.images.info import Channel, ImageInfo
from cellscale.qupath.gson import Json, JsonObject
from cellscale.qupath.uris import java_uri
from cellscale.storage.uri import base_name

__all__ = [
    "argb_color",
    "entry_name",
    "server_builder",
    "server_channels",
    "server_id",
    "server_metadata",
    "shown_name",
]

_PROVIDER = "qupath.lib.images.servers.bioformats.BioFormatsServerBuilder"
_PRIMARIES = (0xFF0000, 0x00FF00, 0x0000FF, 0xFFE000, 0x00E0E0, 0xFF00E0)
_WHITE = -1
_PIXEL_TYPES = MappingProxyType(
    {"u1": "UINT8", "i1": "INT8", "u2": "UINT16", "i2": "INT16", "u4": "UINT32", "i4": "INT32"}
    | {"f4": "FLOAT32", "f8": "FLOAT64"}
)
_STRIP_BYTES = 2**20
"""Bio-Formats cuts an image that is not tiled into pieces of at most so many bytes."""

_SMALLEST_TILE = 32


def entry_name(info: ImageInfo) -> str:
    """Return the name of an image in a project: its file's name."""
    return base_name(info.uri) if info.uri is not None else info.name


def server_builder(info: ImageInfo) -> JsonObject:
    """Return what a project needs to open an image.

    Parameters
    ----------
    info
        Facts of the image, which must be a file or object.
    """
    if info.uri is None:
        raise ValueError(f"{info.name} is an array: a QuPath project refers to files")
    return {
        "builderType": "uri",
        "providerClassName": _PROVIDER,
        "uri": java_uri(info.uri),
        "args": ["--series", str(info.series)],
        "metadata": server_metadata(info),
    }


def server_id(builder: JsonObject) -> str:
    """Return QuPath's identifier of an open image."""
    return f"BioFormatsImageServer: {builder['uri']}[{', '.join(map(str, _items(builder['args'])))}]"


def server_metadata(info: ImageInfo) -> JsonObject:
    """Return an image's metadata as Bio-Formats would read them from its file."""
    channels = server_channels(info)
    width, height = _tile_size(info)
    size = info.pixel_size
    unit = "px" if size is None else "µm"
    x, y = (1.0, 1.0) if size is None else (float(size.x), float(size.y))
    return {
        "name": entry_name(info),
        "width": info.width,
        "height": info.height,
        "sizeZ": info.focal_planes,
        "sizeT": info.time_points,
        "channelType": "DEFAULT",
        "isRGB": False,
        "pixelType": _PIXEL_TYPES[info.dtype.str[1:]],
        "levels": [_level(info, rows, columns) for rows, columns in info.levels or (info.shape,)],
        "channels": [_channel(channel, len(channels)) for channel in channels],
        **_value_range(info),
        "pixelCalibration": {
            "pixelWidth": {"value": x, "unit": unit},
            "pixelHeight": {"value": y, "unit": unit},
            "zSpacing": {"value": 1.0, "unit": "z-slice"},
            "timeUnit": "SECONDS",
            "timepoints": [],
        },
        "preferredTileWidth": width,
        "preferredTileHeight": height,
    }


def server_channels(info: ImageInfo) -> tuple[Channel, ...]:
    """Return the channels as QuPath opens the file: those of one focal plane and time point."""
    steps = info.focal_planes * info.time_points
    return info.channels if steps == 1 else info.channels[: len(info.channels) // steps]


def argb_color(channel: Channel, count: int) -> int:
    """Return the colour in which QuPath shows a channel, as a signed 32-bit ARGB integer.

    Parameters
    ----------
    channel
        The channel; QuPath chooses by its position where the file gives no colour.
    count
        Number of channels in the image.
    """
    if channel.color is not None:
        bits = channel.color & 0xFFFFFFFF
        return _signed((bits >> 8) | (bits & 0xFF) << 24)
    if count == 1:
        return _WHITE
    if channel.index < len(_PRIMARIES):
        return _signed(0xFF000000 | _PRIMARIES[channel.index])
    hue = np.float32(channel.index * 128 % 360) / np.float32(360)
    strength = np.float32(1) - np.float32(channel.index // 10) / np.float32(20)
    return _signed(0xFF000000 | _from_hsb(hue, strength))


def shown_name(name: str, index: int) -> str:
    """Return a channel's name as QuPath shows it: a blank one by its position, from 0."""
    return name if name.strip() else f"Channel {index + 1}"


def _channel(channel: Channel, count: int) -> Json:
    return {"name": shown_name(channel.name, channel.index), "color": argb_color(channel, count)}


def _signed(bits: int) -> int:
    """Return 32 bits as Java's int."""
    return (bits & 0xFFFFFFFF) - ((bits & 0x80000000) << 1)


def _from_hsb(hue: np.float32, strength: np.float32) -> int:
    """Return RGB of a hue in 0..1 with equal saturation and brightness, in the float arithmetic of java.awt.Color."""
    one, sixth = np.float32(1), hue * np.float32(6)
    sector = int(sixth)
    part = sixth - np.float32(sector)
    low = strength * (one - strength)
    falling = strength * (one - strength * part)
    rising = strength * (one - strength * (one - part))
    red, green, blue = (
        (strength, rising, low),
        (falling, strength, low),
        (low, strength, rising),
        (low, falling, strength),
        (rising, low, strength),
        (strength, low, falling),
    )[sector]
    levels = [int(value * np.float32(255) + np.float32(0.5)) for value in (red, green, blue)]
    return levels[0] << 16 | levels[1] << 8 | levels[2]


def _level(info: ImageInfo, rows: int, columns: int) -> Json:
    mean = (info.width / columns + info.height / rows) / 2
    nearest = 2.0 ** round(math.log2(mean))
    # Sizes of levels are rounded, so a factor of two is assumed wherever it fits.
    fits = abs(info.width / nearest - columns) < 2 and abs(info.height / nearest - rows) < 2
    return {"downsample": nearest if fits else mean, "width": columns, "height": rows}


def _value_range(info: ImageInfo) -> JsonObject:
    """Return the values that can occur where they are fewer than the type holds."""
    bits = info.significant_bits
    if bits is None or info.dtype.kind not in "iu" or bits >= 8 * info.dtype.itemsize:
        return {}
    if info.dtype.kind == "u":
        return {"maxValue": 2**bits - 1}
    return {"minValue": -(2 ** (bits - 1)), "maxValue": 2 ** (bits - 1) - 1}


def _tile_size(info: ImageInfo) -> tuple[int, int]:
    """Return width and height of the pieces in which QuPath reads the image best."""
    height, width = info.chunk
    if width >= info.width:
        height = max(1, _STRIP_BYTES // (info.width * info.dtype.itemsize))
    return _bounded(width, info.width), _bounded(height, info.height)


def _bounded(length: int, side: int) -> int:
    return min(max(length, _SMALLEST_TILE), side)


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
