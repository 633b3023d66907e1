"""An image of which a crop's cells are found again and again, with other settings each time."""

import math
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
import shapely
from numpy.typing import NDArray

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.errors import RequestError
from cellscale.label.parameters import Parameters
from cellscale.pipeline.area import AreaCores, Part
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Listener, ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume import RunState, fingerprint
from cellscale.pipeline.segmenting.block_labeller import BlockLabeller
from cellscale.pipeline.segmenting.block_store import BlockStore
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.methods import AnyNetwork, method_of
from cellscale.pipeline.segmenting.predict_and_label import label_part
from cellscale.pipeline.segmenting.preparation import Prepared
from cellscale.pipeline.tuning.crop_cells import CropCells
from cellscale.pipeline.tuning.crop_maps import CropMaps
from cellscale.pipeline.tuning.found_how import FoundHow
from cellscale.pipeline.tuning.memory_state import BriefRun, MemoryState
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.predict.input_format import MESMER_INPUT, InputFormat
from cellscale.regions import Region

__all__ = ["OpenInput", "TunedImage", "require_crop", "usual_crop"]

_AROUND = 64
"""Pixels around a crop in which the cells at its border are shown whole."""

_HALO = 96
"""Pixels of the network around what is labelled whose maps are kept: the first halo, and wide smoothing."""

_INPUTS = 3
"""Choices of channels and preprocessing that are kept open."""

_MOST = 4096
"""Pixels of the longest side of a crop: its maps and labels are in memory."""

_SIDE = 1024
"""Pixels of the network along a side of a crop that nobody chose."""

OpenInput = Callable[[FoundHow], AbstractContextManager[NetworkInput]]
"""Opens what the network gets of the image."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The image as the network sees it with some choice of channels and preprocessing."""

    source: NetworkInput
    prepared: Prepared
    folder: Path
    crops: "dict[Region, _Crop]" = field(default_factory=dict)
    """The crop that is looked at."""


@dataclass(frozen=True, slots=True)
class _Crop:
    """What is kept of a crop."""

    maps: CropMaps
    state: MemoryState = field(default_factory=MemoryState)
    """Labelled blocks."""
    labelled: dict[Compartment, Parameters] = field(default_factory=dict)
    """How they were labelled."""
    results: dict[Compartment, tuple[tuple[object, ...], NDArray[np.int32]]] = field(default_factory=dict)
    """The last labels of each compartment, with all that they depend on."""


class TunedImage:
    """Finds the cells of a crop with any settings; what does not depend on them is computed once.

    Parameters
    ----------
    name
        The image's name, for messages.
    open_input
        Opens it.
    load
        Returns the network, which finds all compartments.
    budget
        How much of the machine may be used.
    listener
        Is told of progress.
    input_format
        What the network is to be given.

    Raises
    ------
    RequestError
        The network's labels depend on no thresholds, as InstanSeg's.
    """

    def __init__(
        self,
        name: str,
        open_input: OpenInput,
        load: Callable[[], AnyNetwork],
        budget: Budget,
        listener: Listener = ignore,
        input_format: InputFormat = MESMER_INPUT,
    ) -> None:
        self._name = name
        self._open = open_input
        self._network = load()
        self._method = method_of(self._network, input_format)
        if self._method.apart:
            raise RequestError(
                "tuning is for networks like Mesmer, whose labels depend on thresholds; this one has none. Try other "
                "channels, or --expand_cells, with runs on a small region (--regions)"
            )
        self._budget = budget
        self._listener = listener
        self._lock = Lock()
        self._after = ExitStack()
        self._stopped = False
        self._inputs: OrderedDict[tuple[str, ...], tuple[ExitStack, _Opened]] = OrderedDict()
        self._root = tempfile.TemporaryDirectory(prefix="cellscale-")

    def close(self) -> None:
        """Release the image, and remove what was kept of it."""
        with self._lock:
            while self._inputs:
                self._inputs.popitem()[1][0].close()
            self._root.cleanup()
            self._after.close()

    def stop(self) -> None:
        """End a prediction that is under way, and any that is asked for later."""
        self._stopped = True

    def _after_each(self, busy: float) -> None:
        if self._stopped:
            raise RequestError("stopped: the command was ended")

    def after(self, call: Callable[[], None]) -> None:
        """Have something called when this is closed."""
        self._after.callback(call)

    def usual_crop(self, how: FoundHow) -> Region:
        """Return the crop that is looked at where nobody chooses one: the middle of the image."""
        with self._lock, self._open(how) as source:
            return usual_crop(source.shape, source.factor)

    def cells(self, how: FoundHow, crop: Region) -> CropCells:
        """Find the cells whose centre is in a crop, the very ones that a run over the whole image finds.

        Other thresholds take a fraction of a second; another choice of channels or another preprocessing has the
        network predict again, and statistics of the whole image be made.

        Parameters
        ----------
        how
            The settings.
        crop
            In pixels of the image.

        Raises
        ------
        RequestError
            The crop lies outside the image, or is too large.
        ImageError
            A channel cannot be found, or pixels cannot be read.
        """
        with self._lock:
            run = ImageRun(self._name, self._listener, self._budget)
            opened = self._opened(how, run)
            source = opened.source
            require_crop(crop, source.shape)
            growth = None if how.expand_cells is None else how.expand_cells.pixels(source.pixel_size.mpp)
            part = Part(_area(crop), growth or 0.0, how.of_nuclei)
            kept = self._crop(opened, crop, part)
            shown = crop.grown(_AROUND, source.shape)
            wanted = {
                name: parameters
                for name, parameters in how.parameters().items()
                if how.of_nuclei or kept.results.get(name, (None,))[0] != _depends(name, parameters, part)
            }
            for name, parameters in wanted.items():
                if kept.labelled.get(name) != parameters:
                    kept.state.drop(name)
            kept.labelled.update(wanted)
            if wanted:
                found = label_part(
                    BriefRun(self._name, ignore, self._budget),
                    kept.state,
                    source.shape,
                    opened.prepared.shape,
                    self._method,
                    wanted,
                    part,
                    lambda stores: self._label(stores, kept.maps, wanted),
                )
                for name, labels in found.items():
                    parameters = wanted.get(name, how.nuclear)
                    kept.results[name] = (_depends(name, parameters, part), labels.read(shown))
            names = COMPARTMENTS if how.of_nuclei else how.compartments
            labelled = {name: kept.results[name][1] for name in COMPARTMENTS if name in names}
        size = source.pixel_size.size
        known = None if size is None else math.sqrt(size.x * size.y)
        return CropCells(crop, shown, labelled, known)

    def _label(
        self, stores: Mapping[Compartment, BlockStore], maps: CropMaps, parameters: Mapping[Compartment, Parameters]
    ) -> None:
        labellers = {
            name: BlockLabeller(store, maps.reader(name), parameters[name], self._budget)
            for name, store in stores.items()
        }
        work = [(name, index) for name, store in stores.items() for index in store.missing()]
        with ThreadPoolExecutor(self._budget.workers, thread_name_prefix="cellscale-tune") as pool:
            for future in [pool.submit(labellers[name].label, index) for name, index in work]:
                future.result()
        for labeller in labellers.values():
            for _ in labeller.label_postponed():
                pass

    def _opened(self, how: FoundHow, run: ImageRun) -> _Opened:
        """Return the image as these channels and this preprocessing show it; opened now, if it is not."""
        key = (repr(how.channels), repr(how.preprocessing))
        if key not in self._inputs:
            stack = ExitStack()
            with stack:
                source = stack.enter_context(self._open(how))
                folder = Path(self._root.name) / fingerprint({"input": [*key]})[:12]
                prepared = self._method.prepare(run, RunState(folder), source)
                kept = _Opened(source, prepared, folder)
                self._inputs[key] = (stack.pop_all(), kept)
            while len(self._inputs) > _INPUTS:
                self._inputs.popitem(last=False)[1][0].close()
        self._inputs.move_to_end(key)
        return self._inputs[key][1]

    def _crop(self, opened: _Opened, crop: Region, part: Part) -> _Crop:
        """Return what is kept of a crop; its maps are predicted now, if they are not there."""
        if crop not in opened.crops:
            shape = opened.prepared.shape
            plan = AreaCores(part.area, opened.source.shape, shape, part.growth)
            down, across = plan.scale
            seen = Region(
                math.floor(crop.top * down),
                math.floor(crop.left * across),
                math.ceil(crop.bottom * down),
                math.ceil(crop.right * across),
            ).grown(plan.first_margin + _HALO, shape)
            opened.crops.clear()
            state = RunState(opened.folder / f"{crop.top}-{crop.left}-{crop.bottom}-{crop.right}")
            state.clear()
            opened.crops[crop] = _Crop(
                CropMaps(
                    self._method,
                    self._network,
                    opened.prepared,
                    state,
                    seen,
                    self._budget.workers,
                    self._after_each,
                )
            )
        return opened.crops[crop]


def _depends(name: Compartment, parameters: Parameters, part: Part) -> tuple[object, ...]:
    """Return what the labels of a compartment depend on, for maps and a crop."""
    grows = name == "whole-cell" or part.of_nuclei
    return (parameters, part.of_nuclei, part.growth if grows else 0.0)


def usual_crop(shape: tuple[int, int], factor: float = 1.0) -> Region:
    """Return the middle of an image of so many rows and columns; ``factor``: the network's pixels a pixel of it."""
    side = min(round(_SIDE / factor), _MOST)
    height, width = (min(side, size) for size in shape)
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    return Region(top, left, top + height, left + width)


def _area(crop: Region) -> WantedArea:
    box = shapely.box(crop.left, crop.top, crop.right, crop.bottom)
    return WantedArea.of(DrawnRegions((DrawnRegion("Crop", box),), "the crop"), shapely.Polygon())


def require_crop(crop: Region, shape: tuple[int, int]) -> None:
    """Raise `RequestError` where a crop is not in an image of so many rows and columns, or is too large."""
    found = f"x {crop.left} to {crop.right} and y {crop.top} to {crop.bottom}"
    inside = crop.grown(0, shape)
    if inside != crop or crop.height < 1 or crop.width < 1:
        raise RequestError(
            f"the crop reaches from {found}; the image has {shape[1]} x {shape[0]} pixels (x, y). Give a part of it"
        )
    if max(crop.shape) > _MOST:
        raise RequestError(
            f"the crop reaches from {found}; give at most {_MOST} pixels a side, which are kept at hand"
        )
