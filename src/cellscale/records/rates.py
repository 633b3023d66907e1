"""What images cost: a few rates, each with a plain meaning, and what they say of an image.

Work grows with pixels, tiles and channels; it is shared by a machine's cores. A machine that has no records of its
own is predicted from the rates of another, with more error.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from cellscale.predict.tiles import TILE

__all__ = ["ImageSize", "Prediction", "Rates"]

TILE_PIXELS = TILE**2
"""Pixels of a tile of Mesmer's, the unit in which the network's work is told."""
LIKELY = 0.9
"""Probability with which a measured value lies within the stated error."""
_SPREAD_ELSEWHERE = 0.3
"""Relative error (one standard deviation) of times on machines other than those of the records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSize:
    """What is known of an image before any of its pixels is read."""

    pixels: int
    network_pixels: int
    """At the network's pixel size."""
    tiles: int
    """Tiles that the network computes at most; equal ones of blank glass are computed once a group."""
    channels: int
    file_bytes: int = 0
    held_bytes: int | None = None
    """Bytes of maps that are on disk at a time; None for Mesmer's of all tiles."""
    decoding_bytes: int = 0
    """Memory that decoding takes at once, for what is compressed in large pieces."""
    tile_pixels: float = TILE_PIXELS
    """Pixels that the network computes for a tile, surroundings included."""
    network_mpp: float = 0.5
    """Micrometres a pixel of the network."""

    @property
    def computed(self) -> float:
        """How many tiles of Mesmer's would have as many pixels as the network computes."""
        return self.tiles * self.tile_pixels / TILE_PIXELS


@dataclass(frozen=True, slots=True)
class Prediction:
    """A number with its error."""

    value: float
    spread: float
    """Relative standard deviation: the logarithm of measured by predicted is taken to be normal."""

    @property
    def interval(self) -> tuple[float, float]:
        """Between what the measured value lies with a probability of 0.9."""
        factor = math.exp(NormalDist().inv_cdf((1 + LIKELY) / 2) * self.spread)
        return self.value / factor, self.value * factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Rates of work on one kind of core, and of card where there is one."""

    source: str
    """Where the records are from."""
    machine: str
    """Processor that they were made with."""
    cores: int
    """Its cores; work is shared by them."""
    share: float
    """Share of the cores that work keeps busy."""
    disturbed: bool
    """Whether other programs took the cores in all records, so that the share is not known."""
    images: int
    """Records that the rates were learnt from."""
    loading: float
    """Seconds for loading the network, once a process."""
    start: float
    """Seconds an image that do not depend on its size."""
    preparing: float
    """Core-seconds a megapixel of the network's pixel size, for statistics and equalisation."""
    network: float
    """Core-seconds on a processor for as many pixels as a tile of Mesmer's has, with what prepares them."""
    labelling: float
    """Core-seconds a megapixel of the network's pixel size."""
    finishing: float
    """Seconds of one core a megapixel, for numbering and for writing masks."""
    measuring: float
    """Core-seconds a megapixel, of all work that does not depend on the number of channels."""
    measuring_channel: float
    """Core-seconds a megapixel and channel."""
    output_bytes: float
    """Bytes of outputs a pixel."""
    memory: tuple[tuple[float, float], ...]
    """Megapixels of the images that were worked on at the same time, ascending, and the peak memory in bytes that
    runs over them took."""
    workers: int
    """Blocks side by side that the memory was measured with."""
    spread: float
    """Relative standard deviation of the time of an image about its prediction."""
    memory_spread: float
    """The same of the memory."""

    def segmenting(self, size: ImageSize, cores: int, tile_seconds: float | None = None) -> float:
        """Return seconds for making an image's masks.

        Parameters
        ----------
        size
            The image.
        cores
            Cores of the machine.
        tile_seconds
            Seconds that its cards together take for as many pixels as a tile of Mesmer's has; None where the cores
            compute the network.
        """
        megapixels = size.network_pixels / 1e6
        crew = cores * self.share
        labels = self.labelling * megapixels / crew
        if tile_seconds is None:
            network = labels + self.network * size.computed / crew
        else:  # the cores label while the cards compute
            network = max(labels, tile_seconds * size.computed)
        return self.preparing * megapixels / crew + network + self.finishing * size.pixels / 1e6

    def measuring_time(self, size: ImageSize, cores: int) -> float:
        """Return seconds for making an image's tables, outlines and project entry."""
        work = (self.measuring + self.measuring_channel * size.channels) * size.pixels / 1e6
        return work / (cores * self.share)

    def work(self, size: ImageSize) -> float:
        """Return core-seconds for segmenting and measuring an image, the network being loaded."""
        labels = (self.preparing + self.labelling) * size.network_pixels / 1e6
        tables = self.measuring + self.measuring_channel * size.channels + self.finishing
        return self.start + labels + self.network * size.computed + tables * size.pixels / 1e6

    def time(self, size: ImageSize, cores: int, beside: int = 1) -> float:
        """Return seconds for segmenting and measuring an image on the cores alone, the network being loaded.

        Parameters
        ----------
        size
            The image.
        cores
            Cores of the machine.
        beside
            Images that are worked on at the same time, this one among them.
        """
        whole = self.start + self.segmenting(size, cores) + self.measuring_time(size, cores)
        return whole - self.saved(size, beside)

    def saved(self, size: ImageSize, beside: int, *, segment: bool = True) -> float:
        """Return seconds of one core that do not count because the other cores work on other images meanwhile.

        Parameters
        ----------
        size
            The image.
        beside
            Images that are worked on at the same time, this one among them.
        segment
            Whether masks are made.
        """
        finishing = self.finishing * size.pixels / 1e6 if segment else 0.0
        return (self.start + finishing) * (1 - 1 / beside)

    def peak_memory(self, size: ImageSize, beside: int = 1) -> float:
        """Return the largest resident size, in bytes, of a process with ``workers`` workers.

        Below the smallest images on record and beyond the largest it is taken to stay.

        Parameters
        ----------
        size
            The image.
        beside
            Images that are worked on at the same time, this one among them.
        """
        megapixels = size.network_pixels * beside / 1e6
        below = [point for point in self.memory if point[0] <= megapixels]
        above = [point for point in self.memory if point[0] > megapixels]
        if not below or not above:
            return (below[-1] if below else above[0])[1]
        (x0, y0), (x1, y1) = below[-1], above[0]
        return y0 + (y1 - y0) * (megapixels - x0) / (x1 - x0)

    def spread_on(self, *, same_machine: bool) -> float:
        """Return the relative standard deviation of times, on the machine of the records or on another."""
        return self.spread if same_machine else math.hypot(self.spread, _SPREAD_ELSEWHERE)
