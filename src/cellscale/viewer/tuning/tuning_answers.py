"""What the page is answered while settings are tuned."""

from collections.abc import Mapping
from typing import Any

from cellscale.errors import ImageError, RequestError
from cellscale.predict.heads import Compartment
from cellscale.viewer.planes.grid import TilePosition
from cellscale.viewer.request_errors import BadRequestError, NotFoundError
from cellscale.viewer.responses import Answer, as_json, binary
from cellscale.viewer.tuning.tuned_labels import TunedLabels
from cellscale.viewer.tuning.tuner import Crop, Tuner

__all__ = ["find_cells", "keep_settings", "tuned_object", "tuned_tile", "tuning_facts"]


def tuning_facts(tuner: Tuner | None) -> Answer:
    """Answer what can be tuned."""
    return as_json(_there(tuner).facts())


def find_cells(tuner: Tuner | None, question: Any) -> Answer:
    """Answer with the counts of a crop's cells, found with the settings of the question."""
    crop = question.get("crop") if isinstance(question, dict) else None
    try:
        return as_json(_there(tuner).find(_values(question), _crop(crop)))
    except (ImageError, RequestError) as error:  # a channel that is not there is the question's fault as well
        raise BadRequestError(str(error)) from error


def keep_settings(tuner: Tuner | None, question: Any) -> Answer:
    """Write the settings of the question down, and answer where."""
    try:
        return as_json({"place": _there(tuner).keep(_values(question))})
    except RequestError as error:
        raise BadRequestError(str(error)) from error


def tuned_tile(tuner: Tuner | None, version: int, mask: Compartment, place: TilePosition) -> Answer:
    """Answer with a tile of labels."""
    return binary(_labels(tuner, version).tile(mask, place), packed=True)


def tuned_object(tuner: Tuner | None, version: int, mask: Compartment, label: int) -> Answer:
    """Answer with an object's place and size; null for none."""
    labels = _labels(tuner, version)
    found = labels.find(mask, label)
    if found is None:
        return as_json(None)
    values = [["Area px", str(found.pixels)]]
    if labels.mpp is not None:
        values.insert(0, ["Area µm²", f"{found.pixels * labels.mpp**2:.2f}"])
    row = {
        "id": "",
        "kind": "Cell" if mask == "whole-cell" else "Nucleus",
        "labels": {
            "cells": label if mask == "whole-cell" else None,
            "nuclei": label if mask == "nuclear" else None,
        },
        "values": values,
    }
    return as_json({"place": found.place, "row": row})


def _there(tuner: Tuner | None) -> Tuner:
    if tuner is None:
        raise NotFoundError("settings are tuned with cellscale tune; this is cellscale view")
    return tuner


def _labels(tuner: Tuner | None, version: int) -> TunedLabels:
    labels = _there(tuner).labels(version)
    if labels is None:
        raise NotFoundError("these cells are no longer kept; change a setting")
    return labels


def _values(question: Any) -> Mapping[str, Any]:
    values = question.get("values") if isinstance(question, dict) else None
    if not isinstance(values, dict):
        raise BadRequestError("values of settings expected")
    return values


def _crop(given: Any) -> Crop | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 4 or not all(type(number) is int for number in given):
        raise BadRequestError("a crop of four whole numbers expected")
    left, top, width, height = given
    return left, top, width, height
