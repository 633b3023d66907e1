"""From densities of stain to camera counts: expression, point spread, background, illumination, noise."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.regions import Region
from cellscale.simulate.anatomy import Zone, fibre_phases, zones
from cellscale.simulate.drawing import BEND, CYTOPLASM, MEMBRANE, Drawing
from cellscale.simulate.marker_panel import Marker, expression_table
from cellscale.simulate.noise import ATLAS_SIDE, child, mixed, normal, smooth, uniform

__all__ = ["MARGIN", "Camera", "expose", "haze"]

MARGIN = 8
"""Pixels around a region that its picture depends on: the spread of light and the neighbours of outlines."""

_HAZE_STEP = 8
_SHARP_RADIUS = 3
_FIBRE_WIDTH = 9.0
"""Texture pixels between neighbouring fibres."""

_GHOST_STRENGTH = 0.55
_WIDE_SIGMA, _WIDE_RADIUS = 2.6, 7
_FIELD_OF_VIEW = 1024
_SPECK_PITCH = 160
_SPECK_REACH = 9
_WRAP = ATLAS_SIDE - 1
_GLOW = np.array([{Zone.EMPTY: 0.12, Zone.STROMA: 1.0, Zone.LYMPHOID: 0.55}.get(zone, 0.7) for zone in Zone])


@dataclass(frozen=True, slots=True)
class Camera:
    """How photons become counts."""

    dtype: np.dtype[Any]
    gain: float
    """Counts a photon."""

    offset: float
    """Counts without light."""

    step: float
    """Counts between two readings: a 12-bit sensor leaves the lowest bits of 16 unused."""

    read_noise: float = 3.0
    """Standard deviation, in photons."""

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> "Camera":
        """Return the camera that makes good use of uint8 or uint16."""
        return cls(dtype, 0.5, 1.0, 1.0) if dtype == np.uint8 else cls(dtype, 40.0, 160.0, 16.0)

    @property
    def ceiling(self) -> int:
        """Counts at which it saturates."""
        return int(np.iinfo(self.dtype).max)


def haze(seed: np.uint64, region: Region, textures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the relative autofluorescence of the ground, (rows, columns): bright in stroma, faint on glass."""
    top, left = region.top // _HAZE_STEP, region.left // _HAZE_STEP
    nodes = (region.bottom - 1) // _HAZE_STEP - top + 2, (region.right - 1) // _HAZE_STEP - left + 2
    glow = _GLOW[zones(seed, (top * _HAZE_STEP, left * _HAZE_STEP), _HAZE_STEP, nodes)]
    phases = fibre_phases(seed, (top * _HAZE_STEP, left * _HAZE_STEP), _HAZE_STEP, nodes)
    return _upsampled(np.stack([glow, phases]), (region.top, region.left), region.shape, textures)


def expose(
    marker: Marker,
    cells: NDArray[np.void],
    drawing: Drawing,
    ground: NDArray[np.float32],
    region: Region,
    *,
    seed: np.uint64,
    camera: Camera,
) -> NDArray[Any]:
    """Take the picture of one channel.

    Parameters
    ----------
    marker
        What is stained.
    cells
        The cells of the drawing.
    drawing
        Cells of the region grown by :data:`MARGIN` on every side.
    ground
        Relative autofluorescence of the region itself.
    region
        What is pictured.
    seed
        The tissue's key.
    camera
        Turns photons into counts.

    Returns
    -------
    Counts in the camera's dtype, (rows, columns).
    """
    stream = child(seed, zlib.crc32(marker.name.encode()))
    table = expression_table(marker)
    levels = _express(cells, stream, table, marker.spread)
    sharp, wide = _stain(drawing.owner, drawing.nuclear, drawing.cytoplasm, drawing.membrane, levels)
    wide += np.float32(_GHOST_STRENGTH * np.median(table[:, 0] * table[:, 1])) * drawing.ghosts
    _sprinkle(sharp, child(seed, 22), stream, (region.top - MARGIN, region.left - MARGIN))
    photons = _blurred(_trimmed(sharp, MARGIN - _SHARP_RADIUS), _taps(marker.sharpness, _SHARP_RADIUS))
    photons += _blurred(_trimmed(wide, MARGIN - _WIDE_RADIUS), _taps(_WIDE_SIGMA, _WIDE_RADIUS))
    photons += np.float32(marker.background) * ground
    counts = np.empty(region.shape, camera.dtype)
    sensor = (
        camera.gain / camera.step,
        camera.offset / camera.step,
        camera.step,
        camera.read_noise,
        float(camera.ceiling),
    )
    _detect(photons, counts, stream, (region.top, region.left), sensor)
    return counts


def _trimmed(image: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    return image[margin:-margin, margin:-margin]


def _taps(sigma: float, radius: int) -> NDArray[np.float32]:
    """Return the centre and one side of a normalised Gaussian."""
    side = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    return np.asarray(side / (side[0] + 2 * side[1:].sum()), np.float32)


@kernel
def _express(cells: Any, stream: np.uint64, table: NDArray[np.float64], spread: float) -> NDArray[np.float32]:
    """Return photons by cell: nucleus, cytoplasm, membrane, and the share of them that is out of focus."""
    levels = np.empty((cells.size, 4), np.float32)
    for index in range(cells.size):
        cell = cells[index]
        own = mixed(cell.key, int(np.int64(stream >> np.uint64(1))))
        row = table[cell.kind]
        strength = np.exp(spread * normal(own, 0) + 1.1 * spread * smooth(stream, cell.y / 250, cell.x / 250))
        if uniform(own, 1) >= row[0]:
            strength *= 0.03
        elif uniform(own, 2) < 0.07:
            strength *= 0.35
        for part in range(3):
            levels[index, part] = row[part + 1] * strength
        levels[index, 3] = 0.16
        if uniform(cell.key, 40) < 0.1:
            levels[index, 3] = 0.4 + 0.5 * uniform(cell.key, 41)
    return levels


@kernel
def _stain(
    owner: NDArray[np.int32],
    nuclear: NDArray[np.float32],
    cytoplasm: NDArray[np.float32],
    membrane: NDArray[np.float32],
    levels: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return photons in focus and out of focus."""
    rows, columns = owner.shape
    sharp = np.zeros((rows, columns), np.float32)
    wide = np.zeros((rows, columns), np.float32)
    for i in range(rows):
        for j in range(columns):
            own = owner[i, j]
            if own >= 0:
                light = levels[own, 0] * nuclear[i, j] + levels[own, 1] * cytoplasm[i, j]
                light += levels[own, 2] * membrane[i, j]
                wide[i, j] = light * levels[own, 3]
                sharp[i, j] = light - wide[i, j]
    return sharp, wide


@kernel
def _sprinkle(light: NDArray[np.float32], dust: np.uint64, stream: np.uint64, corner: tuple[int, int]) -> None:
    """Add specks of dirt and dye: some shine in every channel, some in one."""
    (top, left), (rows, columns) = corner, light.shape
    for row in range((top - _SPECK_REACH) // _SPECK_PITCH, (top + rows + _SPECK_REACH) // _SPECK_PITCH + 1):
        for column in range(
            (left - _SPECK_REACH) // _SPECK_PITCH, (left + columns + _SPECK_REACH) // _SPECK_PITCH + 1
        ):
            for one in range(2):
                key = mixed(mixed(dust if one == 0 else stream, row), column)
                if uniform(key, 0) > 0.025:
                    continue
                y, x = _SPECK_PITCH * (row + uniform(key, 1)), _SPECK_PITCH * (column + uniform(key, 2))
                radius = 0.7 + 2.6 * uniform(key, 3) ** 3
                skew = 1.6 * uniform(key, 4) - 0.8
                for i in range(max(int(y) - _SPECK_REACH - top, 0), min(int(y) + _SPECK_REACH - top, rows)):
                    for j in range(max(int(x) - _SPECK_REACH - left, 0), min(int(x) + _SPECK_REACH - left, columns)):
                        dy, dx = i + top - y, j + left - x
                        if dy * dy + dx * dx + skew * dy * dx <= radius * radius:
                            light[i, j] += 2500.0


@kernel
def _blurred(image: NDArray[np.float32], taps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convolve with a symmetric separable kernel, where it fits: the result is smaller by its radius all round."""
    radius = taps.size - 1
    rows, columns = image.shape[0] - 2 * radius, image.shape[1] - 2 * radius
    result = np.empty((rows, columns), np.float32)
    line = np.empty(image.shape[1], np.float32)
    for i in range(rows):
        for j in range(line.size):
            line[j] = taps[0] * image[i + radius, j]
        for t in range(1, radius + 1):
            for j in range(line.size):
                line[j] += taps[t] * (image[i + radius - t, j] + image[i + radius + t, j])
        for j in range(columns):
            result[i, j] = taps[0] * line[j + radius]
        for t in range(1, radius + 1):
            for j in range(columns):
                result[i, j] += taps[t] * (line[j + radius - t] + line[j + radius + t])
    return result


@kernel
def _between(nodes: NDArray[np.float64], y: int, x: int) -> float:
    """Interpolate bilinearly between nodes that lie ``_HAZE_STEP`` pixels apart."""
    row, column = y // _HAZE_STEP, x // _HAZE_STEP
    v, u = (y % _HAZE_STEP) / _HAZE_STEP, (x % _HAZE_STEP) / _HAZE_STEP
    above = nodes[row, column] * (1 - u) + nodes[row, column + 1] * u
    below = nodes[row + 1, column] * (1 - u) + nodes[row + 1, column + 1] * u
    return float(above * (1 - v) + below * v)


@kernel
def _upsampled(
    nodes: NDArray[np.float64], corner: tuple[int, int], shape: tuple[int, int], textures: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Interpolate the glow, ``nodes[0]``, and lay the fibres of phase ``nodes[1]`` over it where it is bright."""
    top, left = corner
    first_y, first_x = top % _HAZE_STEP, left % _HAZE_STEP
    result = np.empty(shape, np.float32)
    for i in range(shape[0]):
        for j in range(shape[1]):
            glow = _between(nodes[0], first_y + i, first_x + j)
            phase = _FIBRE_WIDTH * _between(nodes[1], first_y + i, first_x + j)
            whole = int(np.floor(phase))
            here, next_one = textures[MEMBRANE, 0, whole & _WRAP], textures[MEMBRANE, 0, (whole + 1) & _WRAP]
            fibre = max(here + (phase - whole) * (next_one - here), -1.0)
            y, x = (i + top) & _WRAP, (j + left) & _WRAP
            # Bundles fray: fibres come and go.
            fibre *= max(0.55 + 0.7 * textures[BEND, x, y], 0.0)
            grain = 0.15 * textures[MEMBRANE, x, y] + 0.12 * textures[CYTOPLASM, x, y]
            result[i, j] = glow * (1 + grain + max(glow - 0.7, 0.0) * 1.8 * fibre)
    return result


@kernel
def _detect(
    photons: NDArray[np.float32],
    counts: NDArray[Any],
    stream: np.uint64,
    corner: tuple[int, int],
    sensor: tuple[float, float, float, float, float],
) -> None:
    """Light the scene unevenly and read it out with shot and read noise."""
    gain, offset, step, read_noise, ceiling = sensor
    (top, left), (rows, columns) = corner, photons.shape
    for i in range(rows):
        v = ((i + top) % _FIELD_OF_VIEW) / (0.5 * _FIELD_OF_VIEW) - 1
        line = mixed(mixed(stream, 3), i + top)
        for j in range(columns):
            u = ((j + left) % _FIELD_OF_VIEW) / (0.5 * _FIELD_OF_VIEW) - 1
            light = photons[i, j] * (1.04 - 0.07 * (u * u + v * v))
            light = max(light, 0.0)
            light += np.sqrt(light + read_noise * read_noise) * normal(line, j + left)
            counts[i, j] = min(max(step * np.floor(gain * light + offset + 0.5), 0.0), ceiling)
