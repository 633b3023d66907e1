"""Where a dataset keeps what, and what its files are called."""

from dataclasses import dataclass
from pathlib import Path

from cellscale.errors import RequestError
from cellscale.predict.heads import Compartment
from cellscale.storage.credentials import without_credentials
from cellscale.storage.places import plain_path
from cellscale.storage.uri import Location, base_name, join, local_path

__all__ = [
    "BENCHMARKS",
    "INDEX",
    "SINGLE",
    "SUBFOLDERS",
    "Subfolders",
    "WorkspacePaths",
    "cells_name",
    "classes_name",
    "index_name",
    "is_mask_name",
    "look_name",
    "mask_name",
    "page_name",
    "picture_name",
    "report_name",
    "run_name",
    "separate_paths",
    "shapes_name",
    "workspace_paths",
]

BENCHMARKS = "benchmarks"
"""Folder of benchmark records below the folder of the dataset's runs."""

INDEX = "index.html"
"""File name of the report's page of all images."""

SINGLE = "report.html"
"""File name of the report with all its pages in one file."""

_OF_BUCKETS = frozenset({"abfs", "az", "gcs", "gs", "http", "https", "s3", "s3a"})
"""Schemes of URIs that begin with a bucket or a host."""

_MASKS: dict[Compartment, str] = {"whole-cell": "WholeCellMask", "nuclear": "NucleusMask"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subfolders:
    """Names of a workspace's folders below the dataset."""

    images: str = "OMETIFF"
    """Images."""

    numpy: str = "NPZ_INTERMEDIATE"
    """NPZ files that replace an image's own pixels for segmentation."""

    segmasks: str = "SEGMASK"
    """Label masks."""

    project: str = "PROJ"
    """QuPath project."""

    reports: str = "REPORTS"
    """Tables and reports."""


SUBFOLDERS = Subfolders()
"""The names that hold unless the user gives others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspacePaths:
    """The folders of one dataset: absolute paths of this machine, or URIs."""

    images: Location
    """Images are read from here."""

    numpy: Location | None
    """NPZ files are read from here; None for nowhere."""

    segmasks: Location
    """Label masks are written to, or for measuring alone read from here."""

    project: Location | None
    """The QuPath project is written here; None for no project."""

    reports: Location
    """Tables are written here."""

    jobs: Location
    """State of runs that are under way, a folder for each."""


def workspace_paths(dataset: Location, subfolders: Subfolders = SUBFOLDERS) -> WorkspacePaths:
    """Return the folders of a dataset that keeps everything in one place.

    Parameters
    ----------
    dataset
        Path or URI of the folder that holds the others.
    subfolders
        Names below it.

    Raises
    ------
    RequestError
        A URI names no bucket or host.
    """
    root = _absolute(dataset)
    return WorkspacePaths(
        images=join(root, subfolders.images),
        numpy=join(root, subfolders.numpy),
        segmasks=join(root, subfolders.segmasks),
        project=join(root, subfolders.project),
        reports=join(root, subfolders.reports),
        jobs=join(root, "jobs"),
    )


def separate_paths(
    *,
    images: Location,
    segmasks: Location,
    reports: Location | None = None,
    numpy: Location | None = None,
    project: Location | None = None,
) -> WorkspacePaths:
    """Return the folders of a dataset that keeps them in separate places.

    Without ``reports``, which segmentation alone does not need, that folder is beside the masks. The state of runs
    belongs to the masks: it is where a workspace has it if their folder is named as in one, and else in their folder,
    because another dataset may have its masks beside them.

    Raises
    ------
    RequestError
        A URI names no bucket or host.
    """
    masks = _absolute(segmasks)
    tables = _sibling(masks, SUBFOLDERS.reports) if reports is None else _absolute(reports)
    return WorkspacePaths(
        images=_absolute(images),
        numpy=None if numpy is None else _absolute(numpy),
        segmasks=masks,
        project=None if project is None else _absolute(project),
        reports=tables,
        jobs=_sibling(masks, "jobs") if base_name(masks) == SUBFOLDERS.segmasks else join(masks, "jobs"),
    )


def mask_name(image: str, compartment: Compartment, suffix: str = ".tiff") -> str:
    """Return the file name of an image's mask."""
    return f"{image}_{_MASKS[compartment]}{suffix}"


def is_mask_name(image: str) -> bool:
    """Tell whether a name is one that we give to masks."""
    return image.endswith(tuple(f"_{kind}" for kind in _MASKS.values()))


def shapes_name(image: str, compartment: Compartment) -> str:
    """Return the file name of the outlines of a mask's labels, one a line."""
    return f"{image}_{_MASKS[compartment].removesuffix('Mask')}Shapes.jsonl"


def cells_name(image: str) -> str:
    """Return the file name of the cells with their nuclei and measurements, for QuPath to import."""
    return f"{image}_Cells.geojson.gz"


def report_name(image: str, suffix: str = ".tsv") -> str:
    """Return the file name of an image's table of cells."""
    return f"{image}_QUANT{suffix}"


def classes_name(image: str) -> str:
    """Return the file name of the classes that a table gave to an image's cells."""
    return f"{image}_CLASSES.parquet"


def picture_name(image: str, what: str) -> str:
    """Return the file name of a picture of an image."""
    return f"{image}_{what}.png"


def page_name(image: str) -> str:
    """Return the file name of an image's page of the report."""
    return f"{image}_report.html"


def index_name(number: int) -> str:
    """Return the file name of a page of the report's list of images, from 1."""
    return INDEX if number == 1 else INDEX.replace(".", f"_{number}.")


def look_name(image: str) -> str:
    """Return the file name of what was seen in an image, kept with the state of runs for the report."""
    return f"{image}.look.json"


def run_name(image: str) -> str:
    """Return the file name of what became of an image, kept with the state of runs for the report."""
    return f"{image}.run.json"


def _absolute(location: Location) -> Location:
    path = local_path(location)
    if path is not None:
        if str(location).lower().rstrip("/") == "file:":
            raise RequestError(f"{location} names no folder: file:///FOLDER expected")
        return plain_path(path)
    uri = without_credentials(str(location))
    scheme, _, place = uri.partition("://")
    if scheme.lower() in _OF_BUCKETS and place[:1] in ("", "/"):
        raise RequestError(f"{uri} names no bucket or host: {scheme}://NAME/FOLDER expected")
    return uri.rstrip("/")


def _sibling(folder: Location, name: str) -> Location:
    """Return a folder beside another; inside of it where that is a whole bucket, beside which are other people's."""
    if isinstance(folder, Path):
        return folder.parent / name
    above, _, last = folder.rpartition("/")
    return join(folder if above.endswith("/") or not last else above, name)
