"""Which question of the page is answered by what."""

import re
from collections.abc import Callable
from http import HTTPStatus
from importlib.resources import files
from typing import TypeAlias

from cellscale.errors import CellscaleError
from cellscale.predict.heads import Compartment
from cellscale.viewer.dataset import Dataset
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


def answer(dataset: Dataset, path: str) -> Answer:
    """Answer the question of a path below the token; never raises what a user or a browser can cause.

    Parameters
    ----------
    dataset
        What is shown.
    path
        Without leading slash and query, as the browser wrote it.
    """
    try:
        if path in _PAGE:
            name, content_type = _PAGE[path]
            return Answer((files("cellscale.viewer") / "static" / name).read_bytes(), content_type)
        return _routed(dataset, path.split("/"))
    except BadRequestError as error:
        return problem(HTTPStatus.BAD_REQUEST, str(error))
    except NotFoundError as error:
        return problem(HTTPStatus.NOT_FOUND, str(error))
    except CellscaleError as error:  # a damaged file, a store that does not answer
        return problem(HTTPStatus.BAD_GATEWAY, readable(str(error)))


def _routed(dataset: Dataset, parts: list[str]) -> Answer:
    for pattern, handler in _ROUTES.items():
        words = pattern.split("/")
        if len(words) == len(parts) and all(
            word == part or word in _KINDS for word, part in zip(words, parts, strict=True)
        ):
            found = [_KINDS[word](part) for word, part in zip(words, parts, strict=True) if word in _KINDS]
            return handler(dataset, *found)
    raise NotFoundError("there is nothing at this address")


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


_ROUTES: dict[str, Handler] = {
    "api/dataset": _dataset,
    "api/images/{number}": _image,
    "api/images/{number}/channels/{number}": _channel,
    "api/images/{number}/channels/{number}/{number}/{number}/{number}": _channel_tile,
    "api/images/{number}/masks/{mask}/{number}/{number}/{number}": _mask_tile,
    "api/images/{number}/objects/{mask}/{number}": _object,
    "api/images/{number}/labels/{mask}": _table_labels,
    "api/images/{number}/measurements/{number}": _measurement,
}
"""Tiles by level, row and column."""
