"""What the page is answered about regions and excluded cells."""

from typing import Any

from cellscale.storage.uri import join
from cellscale.viewer.dataset import Dataset
from cellscale.viewer.drawn.excluded_file import EXCLUDED, read_excluded, write_excluded
from cellscale.viewer.drawn.persons_file import dataset_folder
from cellscale.viewer.drawn.regions_file import read_regions, regions_place, write_regions
from cellscale.viewer.request_errors import BadRequestError, NotFoundError
from cellscale.viewer.responses import Answer, as_json

__all__ = ["exclude_cells", "excluded_cells", "keep_regions", "kept_regions"]


def kept_regions(dataset: Dataset, number: int) -> Answer:
    """Answer with the regions of an image."""
    features, mark = read_regions(dataset.paths, _name(dataset, number))
    folder, name = regions_place(dataset.paths, _name(dataset, number))
    return as_json({"features": features, "mark": mark, "place": str(join(folder, name))})


def keep_regions(dataset: Dataset, number: int, sent: Any) -> Answer:
    """Write the regions of an image."""
    given, known = _given(sent, "features")
    with dataset.image(number) as opened:
        mark = write_regions(dataset.paths, _name(dataset, number), opened.image.info.shape, given, known)
    return as_json({"mark": mark})


def excluded_cells(dataset: Dataset, number: int) -> Answer:
    """Answer with the excluded cells of an image: Object IDs, and those of them that its table has."""
    ids, mark = read_excluded(dataset.paths, _name(dataset, number))
    labels: dict[str, list[int]] = {"cells": [], "nuclei": []}
    there: set[str] = set()
    if ids:
        with dataset.image(number) as opened:
            if opened.table is not None:
                there, labels = _labels(opened.table, ids)
    place = str(join(dataset_folder(dataset.paths), EXCLUDED))
    return as_json({"ids": sorted(ids), "known": len(there), "labels": labels, "mark": mark, "place": place})


def exclude_cells(dataset: Dataset, number: int, sent: Any) -> Answer:
    """Write which cells of an image are excluded, and answer as `excluded_cells` does."""
    given, known = _given(sent, "ids")
    if not isinstance(given, list) or not all(isinstance(one, str) and one.isprintable() and one for one in given):
        raise BadRequestError("a list of Object IDs expected")
    write_excluded(dataset.paths, _name(dataset, number), given, known)
    return excluded_cells(dataset, number)


def _labels(table: Any, ids: set[str]) -> tuple[set[str], dict[str, list[int]]]:
    rows = [row for row, one in enumerate(table.ids()) if one in ids]
    there = {one for one in table.ids() if one in ids}
    found = {
        word: [int(label) for label in table.labels(compartment)[rows] if label]
        for word, compartment in (("cells", "whole-cell"), ("nuclei", "nuclear"))
    }
    return there, found


def _name(dataset: Dataset, number: int) -> str:
    if number >= len(dataset.entries):
        raise NotFoundError(f"image {number} asked for; {len(dataset.entries)} are there")
    return dataset.entries[number].name


def _given(sent: Any, what: str) -> tuple[Any, str]:
    known = sent.get("mark") if isinstance(sent, dict) else None
    if not isinstance(sent, dict) or what not in sent or not isinstance(known, str):
        raise BadRequestError(f"{what} and a mark expected")
    return sent[what], known
