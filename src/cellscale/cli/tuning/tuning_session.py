"""A person's trials: what is asked for, the cells that come of it, and the settings that are kept."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any

import click
import numpy as np

from cellscale import __version__
from cellscale.cli.options.request_options import make_request
from cellscale.cli.settings import OptionKeys, Section, settings_text
from cellscale.cli.tuning.controls import Control, shown_values
from cellscale.errors import ImageError, RequestError
from cellscale.images.channels import select_channels
from cellscale.images.info import ImageInfo
from cellscale.pipeline.tuning import CropCells, FoundHow, TunedImage, changed, touched_labels
from cellscale.predict.heads import Compartment
from cellscale.regions import Region
from cellscale.storage.atomic import write_bytes
from cellscale.viewer.tuning import Crop, TunedLabels
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["Beginning", "TuningSession"]

_KEPT = 6
"""Versions of labels that are kept besides those of the start."""

_WORDS: dict[Compartment, str] = {"whole-cell": "cells", "nuclear": "nuclei"}

_HEADING = f"""# Settings from cellscale tune {__version__}. A run with them:
# cellscale segment-and-measure --settings THIS_FILE workspace DATASET
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a session begins with."""

    paths: WorkspacePaths
    options: Mapping[str, Any]
    """Values of all options by their names."""
    written: Mapping[str, Any]
    """The words of those that files gave."""
    image: int
    """The image's position in the dataset."""
    info: ImageInfo
    crop: Region
    out: Path
    """Where settings are kept."""
    replaces: bool
    """Whether a file that is there before may be replaced."""
    controls: tuple[Control, ...]
    """What is tuned."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """What was asked for last, and what came of it."""

    values: Mapping[str, Any]
    touched: frozenset[str]
    """The settings that changed last."""
    before: CropCells
    """Cells from before they did."""
    found: CropCells


class TuningSession:
    """Answers the page; see `cellscale.viewer.tuning.Tuner`."""

    def __init__(self, ctx: click.Context, beginning: Beginning, tuned: TunedImage) -> None:
        self._ctx = ctx
        self._keys = OptionKeys(ctx)
        self._beginning = beginning
        self._tuned = tuned
        self._place = Section(None, {}, lambda key: "settings", Path.cwd())
        self._options = {control.key: self._keys.option(control.key, self._place) for control in beginning.controls}
        self._lock = Lock()
        self._versions_lock = Lock()
        how = self._asked(beginning.options)
        self._first = shown_values(beginning.options, {"whole_cell": how.whole_cell, "nuclear": how.nuclear})
        self._crop = beginning.crop
        self._start: CropCells | None = None
        self._start_version = 0
        self._version = 0
        self._versions: OrderedDict[int, CropCells] = OrderedDict()
        self._last: _Trial | None = None
        self._kept: bytes | None = None
        """What this session wrote down last."""

    def facts(self) -> dict[str, Any]:
        """Return what the page has to know."""
        info = self._beginning.info
        usual = _usual(info)
        return {
            "image": self._beginning.image,
            "controls": [
                control.facts(self._options[control.key], self._first[control.key])
                | {"usual": usual.get(control.key, "")}
                for control in self._beginning.controls
            ],
            "channels": [channel.name for channel in info.channels],
            "crop": _crop_of(self._crop),
            "settings": str(self._beginning.out),
        }

    def find(self, values: Mapping[str, Any], crop: Crop | None) -> dict[str, Any]:
        """Find the cells of a crop; return counts, areas and a version."""
        begun = perf_counter()
        how = self._how(values)
        with self._lock:
            wanted = self._crop if crop is None else Region(crop[1], crop[0], crop[1] + crop[3], crop[0] + crop[2])
            if self._start is None or wanted != self._crop:
                self._start = self._tuned.cells(self._how(self._first), wanted)
                self._start_version = self._next(self._start)
                self._crop = wanted
                self._last = None
            found = self._tuned.cells(how, wanted)
            before = self._before(values, found)
            version = self._next(found)
            start, start_version = self._start, self._start_version
        return {
            "version": version,
            "start": start_version,
            "crop": _crop_of(wanted),
            "masks": {_WORDS[name]: _numbers(name, found, start, before) for name in found.labels},
            "mpp": found.mpp,
            "seconds": perf_counter() - begun,
        }

    def labels(self, version: int) -> TunedLabels | None:
        """Return the labels of a version; None where they are no longer kept. Version 0 has none."""
        if version == 0:
            return TunedLabels(self._beginning.info.shape, Region(0, 0, 0, 0), {}, None)
        with self._versions_lock:
            found = self._versions.get(version)
        return (
            None if found is None else TunedLabels(self._beginning.info.shape, found.shown, found.labels, found.mpp)
        )

    def keep(self, values: Mapping[str, Any]) -> str:
        """Write settings down, and return where; never over a file that this session has not written."""
        out = self._beginning.out
        text = self.text(values).encode()
        with self._lock:
            mine = self._kept is None and self._beginning.replaces
            if out.exists() and not mine and (self._kept is None or out.read_bytes() != self._kept):
                raise RequestError(
                    f"{out} is there, and is not what was written here; move it away, or start cellscale tune with "
                    "another --settings_out"
                )
            write_bytes(out, text)
            self._kept = text
        return str(out)

    def text(self, values: Mapping[str, Any]) -> str:
        """Return the settings file that asks for these values."""
        self._how(values)  # what is wrong is told now
        cast, words = self._cast(values)
        options = {**self._beginning.options, **cast}
        written = {**self._beginning.written, **words}
        tuned = {str(self._options[control.key].name) for control in self._beginning.controls}
        others = {
            str(param.name)
            for param in self._ctx.command.params
            if isinstance(param, click.Option)
            and options.get(str(param.name)) != param.get_default(self._ctx)
            and str(param.name) not in ("pixel_expansion", "label_erosion")
        }
        given = {name for name in tuned | others if options.get(name) not in (None, (), "")}
        return settings_text(self._keys.words(options, written, only=given), heading=_HEADING)

    def stop(self) -> None:
        """End what is being predicted."""
        self._tuned.stop()

    def _before(self, values: Mapping[str, Any], found: CropCells) -> CropCells:
        """Note what was found, and return the cells from before the setting was touched that was touched last."""
        last = self._last
        if last is None:
            self._last = _Trial(dict(values), frozenset(), found, found)
            return found
        keys = frozenset(key for key in {*values, *last.values} if values.get(key) != last.values.get(key))
        goes_on = not keys or keys == last.touched  # a slider that is still being moved
        before = last.before if goes_on else last.found
        self._last = _Trial(dict(values), keys or last.touched, before, found)
        return before

    def _next(self, cells: CropCells) -> int:
        with self._versions_lock:  # tiles are asked for while other cells are being found
            self._version += 1
            self._versions[self._version] = cells
            for version in list(self._versions):
                if len(self._versions) > _KEPT and version != self._start_version:
                    del self._versions[version]
            return self._version

    def _how(self, values: Mapping[str, Any]) -> FoundHow:
        cast, _ = self._cast(values)
        shared = {"pixel_expansion": None, "label_erosion": 0}  # the page has them as values of its own
        return self._asked({**self._beginning.options, **shared, **cast})

    def _asked(self, options: Mapping[str, Any]) -> FoundHow:
        return FoundHow.of(make_request(self._beginning.paths, segment=True, measure=False, options=options))

    def _cast(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what options get from the page's values, and the words for it, by the options' names."""
        cast: dict[str, Any] = {}
        words: dict[str, Any] = {}
        for key, value in values.items():
            if key not in self._options:
                raise RequestError(f"{key} is no setting that is tuned")
            option = self._options[key]
            if value == "" or _is_nothing(key, value):
                cast[str(option.name)] = () if option.multiple else None
                words[str(option.name)] = ""
                continue
            cast[str(option.name)], words[str(option.name)] = self._keys.cast(option, key, value, self._place)
        return cast, words


def _is_nothing(key: str, value: Any) -> bool:
    """Tell whether cells are to grow by nothing at all."""
    return key == "expand_cells" and isinstance(value, str) and value.strip("0. umpxµ") == ""


def _usual(info: ImageInfo) -> dict[str, str]:
    """Return which channels are taken where none is named."""
    try:
        chosen = select_channels(info, (), ())
    except ImageError:
        return {}
    return {"nuclear_channel": chosen.nuclear_text, "membrane_channel": chosen.membrane_text}


def _crop_of(region: Region) -> list[int]:
    return [region.left, region.top, region.width, region.height]


def _numbers(name: Compartment, found: CropCells, start: CropCells, before: CropCells) -> dict[str, Any]:
    """Return counts and areas of a compartment, how it differs from the start, and what the last setting touched."""
    areas = found.areas(name)
    scale = 1.0 if found.mpp is None else found.mpp**2
    facts: dict[str, Any] = {
        "count": len(areas),
        "mean": float(areas.mean() * scale) if len(areas) else None,
        "median": float(np.median(areas) * scale) if len(areas) else None,
        "start": None,
        "change": None,
        "touched": [],
    }
    if name in before.labels and before is not found:
        facts["touched"] = touched_labels(before.labels[name], found.labels[name]).tolist()
    if name in start.labels:
        facts["start"] = len(start.areas(name))
        facts["change"] = asdict(changed(start.labels[name], found.labels[name]))
    return facts
