"""Which question of the page is answered by what."""

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from importlib.resources import files
from typing import Any, TypeAlias

from cellscale.errors import CellscaleError
from cellscale.predict.heads import Compartment
from cellscale.viewer.dataset import Dataset
from cellscale.viewer.drawn import exclude_cells, excluded_cells, keep_regions, kept_regions
from cellscale.viewer.open_image import OpenImage
from cellscale.viewer.page_json import (
    COMPARTMENT_WORDS,
    channel_facts,
    dataset_facts,
    image_facts,
    object_facts,
    readable,
)
from cellscale.viewer.planes.grid import TilePosition
from cellscale.viewer.request_errors import BadRequestError, NotFoundError
from cellscale.viewer.responses import Answer, as_json, binary, problem
from cellscale.viewer.table import CellTable
from cellscale.viewer.tuning import find_cells, keep_settings, tuned_object, tuned_tile, tuning_facts

__all__ = ["answer"]

Handler: TypeAlias = Callable[..., Answer]

_PAGE = {
    "": ("index.html", "text/html; charset=utf-8"),
    "viewer.js": ("viewer.js", "text/javascript; charset=utf-8"),
    "viewer.css": ("viewer.css", "text/css; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
"""The only files that are served: address, file and type."""

_NUMBER = re.compile(r"[0-9]{1,10}")


def answer(dataset: Dataset, path: str, posted: bytes | None = None) -> Answer:
    """Answer the question of a path below the token; never raises what a user or a browser can cause.

    Parameters
    ----------
    dataset
        What is shown.
    path
        Without leading slash and query, as the browser wrote it.
    posted
        What the browser sent along, JSON; None where it only asks.
    """
    try:
        if posted is not None:
            return _routed(_POSTED, dataset, path.split("/"), _parsed(posted))
        if path in _PAGE:
            name, content_type = _PAGE[path]
            return Answer((files("cellscale.viewer") / "static" / name).read_bytes(), content_type)
        return _routed(_ROUTES, dataset, path.split("/"))
    except BadRequestError as error:
        return problem(HTTPStatus.BAD_REQUEST, str(error))
    except NotFoundError as error:
        return problem(HTTPStatus.NOT_FOUND, str(error))
    except CellscaleError as error:  # a damaged file, a store that does not answer
        return problem(HTTPStatus.BAD_GATEWAY, readable(str(error)))


def _routed(routes: dict[str, Handler], dataset: Dataset, parts: list[str], *sent: Any) -> Answer:
    for pattern, handler in routes.items():
        words = pattern.split("/")
        if len(words) == len(parts) and all(
            word == part or word in _KINDS for word, part in zip(words, parts, strict=True)
        ):
            found = [_KINDS[word](part) for word, part in zip(words, parts, strict=True) if word in _KINDS]
            return handler(dataset, *found, *sent)
    raise NotFoundError("there is nothing at this address")


def _parsed(posted: bytes) -> Any:
    try:
        return json.loads(posted)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"JSON expected ({error})") from error


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadRequestError("a whole number expected in the address")
    return int(text)


def _compartment(text: str) -> Compartment:
    if text not in COMPARTMENT_WORDS:
        raise BadRequestError(f"one of {', '.join(COMPARTMENT_WORDS)} expected in the address")
    return COMPARTMENT_WORDS[text]


_KINDS: dict[str, Callable[[str], int | str]] = {"{number}": _number, "{mask}": _compartment}


def _dataset(dataset: Dataset) -> Answer:
    return as_json(dataset_facts(dataset))


def _image(dataset: Dataset, number: int) -> Answer:
    with dataset.image(number, fresh=True) as opened:
        return as_json(image_facts(opened))


def _channel(dataset: Dataset, number: int, channel: int) -> Answer:
    with dataset.image(number) as opened:
        return as_json(channel_facts(opened.brightness(channel)))


def _channel_tile(dataset: Dataset, number: int, channel: int, level: int, row: int, column: int) -> Answer:
    with dataset.image(number) as opened:
        tile = opened.channel_tile(channel, TilePosition(level, row, column))
    return binary(tile.pixels, complete=tile.complete)


def _mask_tile(dataset: Dataset, number: int, mask: Compartment, level: int, row: int, column: int) -> Answer:
    with dataset.image(number) as opened:
        tile = opened.label_tile(mask, TilePosition(level, row, column))
    return binary(tile.pixels, packed=True, complete=tile.complete)


def _object(dataset: Dataset, number: int, mask: Compartment, label: int) -> Answer:
    with dataset.image(number) as opened:
        found = opened.find(mask, label)
    return as_json(None if found is None else object_facts(found))


def _table_labels(dataset: Dataset, number: int, mask: Compartment) -> Answer:
    with dataset.image(number) as opened:
        return binary(_table(opened).labels(mask))


def _measurement(dataset: Dataset, number: int, measurement: int) -> Answer:
    with dataset.image(number) as opened:
        return binary(opened.measured(measurement))


def _table(opened: OpenImage) -> CellTable:
    if opened.table is None:
        raise NotFoundError(f"{opened.image.info.name} has no table of cells")
    return opened.table


def _tuning(dataset: Dataset) -> Answer:
    return tuning_facts(dataset.tuner)


def _tuned_tile(dataset: Dataset, version: int, mask: Compartment, level: int, row: int, column: int) -> Answer:
    return tuned_tile(dataset.tuner, version, mask, TilePosition(level, row, column))


def _tuned_object(dataset: Dataset, version: int, mask: Compartment, label: int) -> Answer:
    return tuned_object(dataset.tuner, version, mask, label)


def _find_cells(dataset: Dataset, question: Any) -> Answer:
    return find_cells(dataset.tuner, question)


def _keep_settings(dataset: Dataset, question: Any) -> Answer:
    return keep_settings(dataset.tuner, question)


_ROUTES: dict[str, Handler] = {
    "api/dataset": _dataset,
    "api/images/{number}": _image,
    "api/images/{number}/channels/{number}": _channel,
    "api/images/{number}/channels/{number}/{number}/{number}/{number}": _channel_tile,
    "api/images/{number}/masks/{mask}/{number}/{number}/{number}": _mask_tile,
    "api/images/{number}/objects/{mask}/{number}": _object,
    "api/images/{number}/labels/{mask}": _table_labels,
    "api/images/{number}/measurements/{number}": _measurement,
    "api/images/{number}/regions": kept_regions,
    "api/images/{number}/excluded": excluded_cells,
    "api/tuning": _tuning,
    "api/tuning/{number}/masks/{mask}/{number}/{number}/{number}": _tuned_tile,
    "api/tuning/{number}/objects/{mask}/{number}": _tuned_object,
}
"""Tiles by level, row and column."""

_POSTED: dict[str, Handler] = {
    "api/images/{number}/regions": keep_regions,
    "api/images/{number}/excluded": exclude_cells,
    "api/tuning/cells": _find_cells,
    "api/tuning/settings": _keep_settings,
}
"""What the browser sends something to."""
