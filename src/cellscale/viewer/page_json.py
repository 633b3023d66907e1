"""What the page is told of the dataset, of an image and of an object, as JSON."""

from typing import Any

from cellscale.images.channels import usual_membrane, usual_nucleus
from cellscale.images.info import Channel
from cellscale.predict.heads import Compartment
from cellscale.viewer.class_column import CLASS
from cellscale.viewer.dataset import Dataset
from cellscale.viewer.open_image import FoundObject, OpenImage
from cellscale.viewer.planes.contrast import Brightness
from cellscale.viewer.planes.grid import TILE, level_count

__all__ = ["COMPARTMENT_WORDS", "channel_facts", "dataset_facts", "image_facts", "object_facts", "readable"]

COMPARTMENT_WORDS: dict[str, Compartment] = {"cells": "whole-cell", "nuclei": "nuclear"}
"""What masks are called in addresses and answers."""

_SHOWN = 3
"""Channels that are shown at first where no name says which."""


def readable(text: str) -> str:
    """Return a text without what is not Unicode: names of files need not be."""
    return text.encode("utf-8", "replace").decode("utf-8")


def dataset_facts(dataset: Dataset) -> dict[str, Any]:
    """Return what the dataset holds."""
    return {
        "tile": TILE,
        "tuning": dataset.tuner is not None,
        "images": [{"name": readable(entry.name), "problem": _text(entry.problem)} for entry in dataset.entries],
    }


def image_facts(opened: OpenImage) -> dict[str, Any]:
    """Return what is known of an image before a pixel is read."""
    info = opened.image.info
    size, table, classes = info.pixel_size, opened.table, opened.classes
    names = [] if table is None else [*table.measurements, *([CLASS] if classes is not None else [])]
    shown = _shown([channel.name for channel in info.channels])
    return {
        "name": readable(info.name),
        "width": info.width,
        "height": info.height,
        "levels": level_count(info.shape),
        "micrometres": None if size is None else [size.x, size.y],
        "channels": [
            {"name": readable(channel.name), "color": _color(channel), "shown": channel.index in shown}
            for channel in info.channels
        ],
        "masks": [word for word, compartment in COMPARTMENT_WORDS.items() if compartment in opened.masks],
        "objects": 0 if table is None else table.rows,
        "measurements": [readable(name) for name in names],
        "classes": []
        if classes is None
        else [
            {"name": readable(name), "color": colour}
            for name, colour in zip(classes.names, classes.colours, strict=True)
        ],
        "problems": [readable(problem) for problem in opened.problems],
    }


def channel_facts(brightness: Brightness) -> dict[str, Any]:
    """Return how a channel is shown at first; a number sent times ``step`` plus ``offset`` is the intensity."""
    return {
        "offset": brightness.scale.offset,
        "step": brightness.scale.step,
        "dark": brightness.dark,
        "bright": brightness.bright,
        "top": brightness.top,
        "histogram": brightness.histogram,
    }


def object_facts(found: FoundObject) -> dict[str, Any]:
    """Return an object's place and its row of the table, numbers as the tab-separated table writes them."""
    facts: dict[str, Any] = {"place": found.place, "row": None}
    if found.row is not None:
        row = found.row
        facts["row"] = {
            "id": row.object_id,
            "kind": row.kind,
            "labels": {word: row.labels[compartment] for word, compartment in COMPARTMENT_WORDS.items()},
            "values": [[readable(name), value] for name, value in row.values],
        }
    return facts


def _text(text: str | None) -> str | None:
    return None if text is None else readable(text)


def _shown(names: list[str]) -> set[int]:
    usual = {found for found in (usual_nucleus(names), usual_membrane(names)) if found is not None}
    return usual or set(range(min(_SHOWN, len(names))))


def _color(channel: Channel) -> str | None:
    """Return the file's colour as ``#rrggbb``; none for white, which writers put where they know none."""
    if channel.color is None:
        return None
    rgb = channel.color >> 8 & 0xFFFFFF
    return None if rgb in {0, 0xFFFFFF} else f"#{rgb:06x}"
