"""Regions that are drawn on an image: GeoJSON as ``--regions`` and QuPath read it."""

import json
from contextlib import suppress
from typing import Any

from cellscale.annotations import read_geojson
from cellscale.errors import ImageError
from cellscale.storage.uri import Location, join
from cellscale.viewer.drawn.persons_file import dataset_folder, read_marked, replace_marked
from cellscale.viewer.request_errors import BadRequestError
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["REGIONS", "read_regions", "regions_place", "write_regions"]

REGIONS = "REGIONS"
"""Folder of regions in a dataset, a file for each image: ``--regions`` takes it as it is."""


def regions_place(paths: WorkspacePaths, image: str) -> tuple[Location, str]:
    """Return the folder and the name of the file of an image's regions."""
    return join(dataset_folder(paths), REGIONS), f"{image}.geojson"


def read_regions(paths: WorkspacePaths, image: str) -> tuple[list[Any], str]:
    """Return the features of an image's regions, and the file's mark.

    Raises
    ------
    ImageError
        The file is not as expected.
    """
    folder, name = regions_place(paths, image)
    content, mark = read_marked(join(folder, name))
    if not content:
        return [], mark
    with suppress(ValueError):  # what is no JSON is told below
        found = json.loads(content)
        if isinstance(found, dict) and found.get("features") == []:  # all were taken away here
            return [], mark
    read_geojson(content, name)  # what cannot be used is told, and not shown in part
    if isinstance(found, list):
        return found, mark
    if found.get("type") == "FeatureCollection":
        return list(found["features"]), mark
    is_feature = found.get("type") == "Feature"
    return [found if is_feature else {"type": "Feature", "geometry": found, "properties": {}}], mark


def write_regions(paths: WorkspacePaths, image: str, shape: tuple[int, int], features: Any, known: str) -> str:
    """Write an image's regions, and return the file's new mark.

    Raises
    ------
    BadRequestError
        They cannot be used, or the file was changed meanwhile.
    """
    folder, name = regions_place(paths, image)
    if not isinstance(features, list):
        raise BadRequestError("a list of regions expected")
    content = json.dumps({"type": "FeatureCollection", "features": features}, indent=1).encode()
    if features:
        try:
            read_geojson(content, name).require_within(shape)
        except ImageError as error:
            raise BadRequestError(str(error)) from error
    return replace_marked(folder, name, content, known)
