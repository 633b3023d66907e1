"""The network's input: whole-image facts first, then any region of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.images.channels import Scaling, scaled_reader
from cellscale.ordered import in_order, timed
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.preprocess.channel_scaling import scaling_facts
from cellscale.preprocess.equalise import ChannelFacts, equalise, level_range, merged_range, preprocess
from cellscale.preprocess.preprocessing import MESMER, Preprocessing
from cellscale.preprocess.rescale import rescaled_reader, rescaled_shape
from cellscale.preprocess.statistics import ChannelStatistics, MapBlocks, channel_statistics, value_range
from cellscale.regions import Region, RegionReader, blocks

__all__ = [
    "STEP",
    "Prepared",
    "PreparedImage",
    "at_network_size",
    "combined",
    "network_shape",
    "passes",
    "prepare",
    "recalled",
]

STEP = (1024, 2048)
"""Rows and columns that a pass over the image takes at once."""
PASSES = {1: 1, 2: 1, 4: 2, 8: 4}
"""Passes over a channel that exact statistics take at most, by bytes a pixel."""
PASSES_TO_SCALE = {"minmax": 1, "percentile": 1, "zscore": 3}
"""Passes over a channel that facts by which it is rescaled take at most, times those of exact statistics."""
ROLES = ("nucleus", "membrane")

T = TypeVar("T")


class Prepared(Protocol):
    """The image as the network is to see it."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns at the network's pixel size."""

    def read(self, region: Region) -> NDArray[np.float32]:
        """Return the network's input for a region, float32 ``(channels, rows, columns)``."""


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """The image as the network is to see it."""

    channels: tuple[RegionReader, ...]
    """Nucleus and membrane at the network's pixel size, not yet equalised."""
    facts: tuple[ChannelFacts, ...]
    shape: tuple[int, int]
    """Rows and columns at the network's pixel size."""
    preprocessing: Preprocessing = MESMER

    def read(self, region: Region) -> NDArray[np.float32]:
        """Return the network's input for a region, float32 ``(2, rows, columns)``."""
        pixels = np.empty((2, *region.shape), np.float32)
        for index, (read, facts) in enumerate(zip(self.channels, self.facts, strict=True)):
            pixels[index] = preprocess(read, region, self.shape, facts, self.preprocessing)
        return pixels


def prepare(run: ImageRun, state: RunState, source: NetworkInput) -> PreparedImage:
    """Learn the whole-image facts that preprocessing needs, or recall them from an earlier run.

    Raises
    ------
    ImageError
        Pixels are NaN or infinite, or cannot be read.
    """
    source = combined(run, state, source)
    channels, shape = at_network_size(run, state, source)
    facts = recalled(state, "facts", lambda: _facts(run, channels, shape, source), _are_facts)
    found = tuple(ChannelFacts(**facts[role]) for role in ROLES)
    if source.judged is not None:  # what is around the pixels that were judged may be darker than all of them
        channels = tuple(_clipped(read, one) for read, one in zip(channels, found, strict=True))
    return PreparedImage(channels, found, shape, source.preprocessing)


def network_shape(source: NetworkInput) -> tuple[int, int]:
    """Return the rows and columns that the network sees of an image."""
    return source.shape if source.factor == 1 else rescaled_shape(source.shape, source.factor)


def combined(run: ImageRun, state: RunState, source: NetworkInput) -> NetworkInput:
    """Return the input with its channels rescaled, each by facts of the whole image, and then combined."""
    if not any(source.separate):
        return source
    scalings = recalled(state, "scalings", lambda: _scalings(run, source), partial(_are_scalings, source))
    channels, dtypes = list(source.channels), list(source.dtypes)
    for index, readers in enumerate(source.separate):
        if readers:
            given = [Scaling(**facts) for facts in scalings[ROLES[index]]]
            channels[index] = scaled_reader(readers, given, source.combine)
            dtypes[index] = np.dtype(np.float32)
    return replace(source, channels=tuple(channels), dtypes=tuple(dtypes), separate=())


def _scalings(run: ImageRun, source: NetworkInput) -> dict[str, Any]:
    """Return how each channel is rescaled, by role."""
    percentile = source.preprocessing.percentile
    corner = Region(0, 0, 1, 1)
    kinds = [[(read, read(corner).dtype) for read in readers] for readers in source.separate]
    count = sum(PASSES_TO_SCALE[source.rescale] * PASSES[dtype.itemsize] for pairs in kinds for _, dtype in pairs)
    with passes(run, "channels", source.shape, count, source.judged) as over:
        return {
            role: [scaling_facts(over(read), dtype, source.rescale, percentile) for read, dtype in pairs]
            for role, pairs in zip(ROLES, kinds, strict=True)
        }


def at_network_size(
    run: ImageRun, state: RunState, source: NetworkInput
) -> tuple[tuple[RegionReader, ...], tuple[int, int]]:
    """Return the channels and the shape at the network's pixel size."""
    if source.factor == 1:
        return source.channels, source.shape
    limits = recalled(state, "range", lambda: _limits(run, source), _are_limits)
    low_high = (limits["low"], limits["high"])
    readers = (rescaled_reader(read, source.shape, source.factor, low_high) for read in source.channels)
    return tuple(readers), network_shape(source)


def _limits(run: ImageRun, source: NetworkInput) -> dict[str, Any]:
    """Return the smallest and largest value over all channels."""
    with passes(run, "range", source.shape, len(source.channels), source.judged) as over:
        ranges = [value_range(over(read), dtype) for read, dtype in zip(source.channels, source.dtypes, strict=True)]
    return {"low": min(low for low, _ in ranges), "high": max(high for _, high in ranges)}


def _facts(
    run: ImageRun,
    channels: Iterable[RegionReader],
    shape: tuple[int, int],
    source: NetworkInput,
) -> dict[str, Any]:
    """Return the facts of each channel by its role."""
    pairs, preprocessing = list(zip(channels, source.dtypes, strict=True)), source.preprocessing
    count = sum(PASSES[dtype.itemsize] for _, dtype in pairs)
    with passes(run, "statistics", shape, count, source.judged) as over:
        statistics = [channel_statistics(over(read), dtype, preprocessing.percentile) for read, dtype in pairs]
    if not preprocessing.clahe:  # then nobody asks for the range of what is equalised
        no_range = {"equalised_minimum": 0, "equalised_maximum": 0}
        return {role: {**asdict(found), **no_range} for role, found in zip(ROLES, statistics, strict=True)}
    facts = {}
    with passes(run, "equalisation", shape, len(pairs), source.judged) as over:
        for role, (read, _), found in zip(ROLES, pairs, statistics, strict=True):
            ranged = read if source.judged is None else _clipped(read, found)
            levels = partial(equalise, ranged, shape=shape, statistics=found, kernel_side=preprocessing.clahe_kernel)
            low, high = merged_range(over(levels)(level_range))
            facts[role] = {**asdict(found), "equalised_minimum": low, "equalised_maximum": high}
    return facts


@contextmanager
def passes(
    run: ImageRun,
    stage: str,
    shape: tuple[int, int],
    count: int,
    judged: Callable[[Region, tuple[int, int]], NDArray[np.bool_]] | None = None,
) -> Iterator[Callable[[RegionReader], MapBlocks]]:
    """Run passes over an image, or the pixels of it that are judged, as a stage.

    Yields what turns a reader into a map over its blocks.
    """
    regions = list(blocks(shape, STEP))
    if judged is not None:
        regions = [region for region in regions if judged(region, shape).any()]
        if not regions:
            raise ImageError("the regions hold no pixel; leave --statistics regions out")
    with run.stage(stage, count * len(regions), reading=run.reading) as advance:

        def over(read: RegionReader) -> MapBlocks:
            def map_blocks(function: Callable[[NDArray[Any]], T]) -> Iterator[T]:
                def work(region: Region) -> T:
                    pixels = read(region)
                    return function(pixels if judged is None else pixels[judged(region, shape)])

                for result, busy in in_order(timed(work), regions, run.budget.workers):
                    advance(busy=busy)
                    yield result

            return map_blocks

        yield over


def _clipped(read: RegionReader, facts: ChannelStatistics) -> RegionReader:
    """Return a reader whose pixels are in the range that was found, as equalisation relies on."""

    def read_clipped(region: Region) -> NDArray[Any]:
        pixels = read(region)
        return np.clip(pixels, pixels.dtype.type(facts.minimum), pixels.dtype.type(facts.clip))

    return read_clipped


def recalled(
    state: RunState, name: str, find: Callable[[], dict[str, Any]], are_whole: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Return facts kept under a name; find and keep them where there are none, or damaged ones."""
    facts = state.load_facts(name)
    if facts is None or not are_whole(facts):
        facts = find()
        state.save_facts(name, facts)
    return facts


def _are_limits(facts: dict[str, Any]) -> bool:
    """Tell whether facts can be a range of values."""
    return facts.keys() == {"low", "high"} and all(map(_is_number, facts.values()))


def _are_scalings(source: NetworkInput, facts: dict[str, Any]) -> bool:
    """Tell whether facts can be how each channel is rescaled."""
    names = {field.name for field in fields(Scaling)}
    return facts.keys() == set(ROLES) and all(
        isinstance(facts[role], list)
        and len(facts[role]) == len(readers)
        and all(isinstance(one, dict) and one.keys() == names for one in facts[role])
        and all(_is_number(number) for one in facts[role] for number in one.values())
        for role, readers in zip(ROLES, source.separate, strict=True)
    )


def _are_facts(facts: dict[str, Any]) -> bool:
    """Tell whether facts can be those of both channels."""
    names = {field.name for field in fields(ChannelFacts)}
    return facts.keys() == set(ROLES) and all(
        isinstance(one, dict) and one.keys() == names and all(map(_is_number, one.values())) for one in facts.values()
    )


def _is_number(fact: object) -> bool:
    return isinstance(fact, (int, float)) and not isinstance(fact, bool)
