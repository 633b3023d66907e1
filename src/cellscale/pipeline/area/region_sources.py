"""Where an image's regions are read from: a file of GeoJSON, or the QuPath project of the dataset."""

from typing import Protocol

from cellscale.annotations import DrawnRegion, DrawnRegions, RegionFile, WantedArea, wanted_area
from cellscale.errors import ImageError
from cellscale.pipeline.request import Request, class_wanted, is_of_project
from cellscale.workspace.discovery import ImageEntry

__all__ = ["area_of", "choice_mark", "project_annotations"]


class _Source(Protocol):
    """Regions that somebody drew."""

    @property
    def mark(self) -> str: ...

    def read(self) -> DrawnRegions: ...


def choice_mark(request: Request, entry: ImageEntry) -> dict[str, str]:
    """Return hashes of what says which part of an image is wanted; empty where all of it is.

    Raises
    ------
    ImageError
        There are no regions for this image.
    """
    return {word: source.mark for word, source in _sources(request, entry).items()}


def area_of(request: Request, entry: ImageEntry, shape: tuple[int, int]) -> WantedArea | None:
    """Return the part of an image of so many rows and columns that is wanted; None for all of it.

    Raises
    ------
    ImageError
        There are no regions for this image, or they are not as expected.
    """
    drawn = {word: source.read() for word, source in _sources(request, entry).items()}
    return wanted_area(drawn.get("regions"), drawn.get("exclude"), shape)


def project_annotations(request: Request, entry: ImageEntry) -> tuple[DrawnRegion, ...]:
    """Return an image's annotations in the project where a run takes regions from it; else none.

    Somebody chose among them, so that they all stay: those that earlier runs made as well.

    Raises
    ------
    ImageError
        They cannot be read.
    """
    project, image = request.paths.project, entry.image
    words = (request.area.regions, request.area.exclude)
    if project is None or image is None or not any(word is not None and is_of_project(word) for word in words):
        return ()
    from cellscale.qupath.drawings import ProjectRegions

    return ProjectRegions(project, image).annotations()


def _sources(request: Request, entry: ImageEntry) -> dict[str, _Source]:
    area = request.area
    left_out = None
    if area.exclude is not None and is_of_project(area.exclude):
        left_out = class_wanted(area.exclude)
    found: dict[str, _Source] = {}
    if area.regions is not None:
        found["regions"] = _source(area.regions, request, entry, left_out)
    if area.exclude is not None:
        found["exclude"] = _source(area.exclude, request, entry, None)
    return found


def _source(word: str, request: Request, entry: ImageEntry, left_out: str | None) -> _Source:
    if not is_of_project(word):
        return RegionFile(word, entry.name)
    project, image = request.paths.project, entry.image
    if project is None or image is None:
        missing = "no project is asked for (--project_path)" if project is None else "QuPath does not open NPZ files"
        raise ImageError(f"there are no regions in a QuPath project: {missing}; give a GeoJSON file")
    from cellscale.qupath.drawings import ProjectRegions  # runs without a project need not load its reader

    return ProjectRegions(project, image, class_wanted(word), left_out)
