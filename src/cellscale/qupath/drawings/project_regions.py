"""Regions of an image from what a person drew on it in the dataset's QuPath project."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from cellscale.annotations import DrawnRegion, DrawnRegions
from cellscale.errors import ImageError
from cellscale.qupath.drawings.drawn_objects import DrawnObject, drawn_objects
from cellscale.qupath.entry import PROJECT_FILE
from cellscale.qupath.listed_images import same_image
from cellscale.qupath.project_file import entries, parse_project, with_location
from cellscale.qupath.uris import file_name, java_uri
from cellscale.storage.places import folded
from cellscale.storage.uri import Location, base_name, join, read_if_there

__all__ = ["ProjectRegions"]

CORES = "TMA"
"""What means the cores of a tissue microarray where annotations have no such class."""

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class ProjectRegions:
    """Regions of an image among those of a project."""

    project: Location
    """Folder of the project."""

    image: Location
    """The image's file."""

    wanted: str = ""
    """Class or name that they have, several with commas; empty for all annotations, or cores where there are none."""

    without: str | None = None
    """Class or name of those that are to be left out; None for no such."""

    @property
    def mark(self) -> str:
        """Return a hash of what the regions are, wherever in the file.

        Raises
        ------
        ImageError
            There are none.
        """
        return self.read().mark

    def read(self) -> DrawnRegions:
        """Return the regions; of those that overlap the smallest comes first, as QuPath finds an object's parent.

        Raises
        ------
        ImageError
            The project does not have the image, or no such regions on it.
        StorageError
            It cannot be read.
        """
        place = join(self.project, PROJECT_FILE)
        source = f"the QuPath project {place}"
        objects = self._objects(place)
        drawn = [one for one in objects if one.geometry is not None and not one.is_missing]
        chosen = _chosen(drawn, self.wanted)
        if not chosen:
            raise ImageError(
                f"{source}: there are no {_named(self.wanted)} with an area on {base_name(self.image)}; "
                f"{_there(drawn)}. Draw some and save, or give others"
            )
        if self.without is not None and not self.wanted:
            left_out = _chosen(drawn, self.without)
            chosen = [one for one in chosen if one not in left_out] or chosen
        return DrawnRegions.named(_in_order([_region(one) for one in chosen]), source)

    def annotations(self) -> tuple[DrawnRegion, ...]:
        """Return all annotations with an area, whatever is wanted.

        Raises
        ------
        ImageError
            The project does not have the image, or they cannot be read.
        """
        objects = self._objects(join(self.project, PROJECT_FILE))
        return tuple(_region(one) for one in objects if one.geometry is not None and not one.is_core)

    def _objects(self, place: Location) -> tuple[DrawnObject, ...]:
        return drawn_objects(join(self.project, "data", str(self._entry(place)), "data.qpdata"))

    def _entry(self, place: Location) -> int:
        """Return the number of the image's entry."""
        content = read_if_there(place)
        if content is None:
            raise ImageError(f"there is no QuPath project {place}; make it and draw regions, or give a GeoJSON file")
        named = []
        for entry in entries(with_location(parse_project(content, place), java_uri(place))):
            number, builder = entry.get("entryID"), entry.get("serverBuilder")
            uri = builder.get("uri") if isinstance(builder, dict) else None
            if not isinstance(number, int) or not isinstance(uri, str):
                continue
            if same_image(uri, self.image):
                return number
            if folded(file_name(uri)) == folded(base_name(self.image)):
                named.append(number)
        if len(named) == 1:  # another place of the same file: the dataset was moved, or lies in a store now
            return named[0]
        raise ImageError(
            f"the QuPath project {place} does not list {base_name(self.image)}; add it, and draw regions"
        )


def _chosen(drawn: Sequence[DrawnObject], wanted: str) -> list[DrawnObject]:
    """Return the objects of a class or name."""
    annotations = [one for one in drawn if not one.is_core]
    cores = [one for one in drawn if one.is_core]
    if not wanted:
        # A class whose name ends so is one that QuPath ignores, such as Ignore*.
        return [one for one in annotations if not (one.path_class or "").endswith("*")] or cores
    words = {wanted, *map(str.strip, wanted.split(","))}
    found = [one for one in drawn if {one.title, one.path_class} & words]
    return found or (cores if wanted == CORES else [])


def _region(one: DrawnObject) -> DrawnRegion:
    return DrawnRegion(
        _line(one.title) or _line(one.path_class) or "Region",
        one.geometry,
        object_id=one.object_id,
        title=one.title,
        path_class=one.path_class,
        color=one.color,
        inside=one.inside,
        is_core=one.is_core,
    )


def _in_order(regions: list[DrawnRegion]) -> Iterable[DrawnRegion]:
    """Return regions in their order, or those that overlap by their sizes."""
    shapes = np.array([region.geometry for region in regions])
    if not shapely.is_valid(shapes).all():
        return regions  # which are refused
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    if (shared[first < second] > 0).any():
        return sorted(regions, key=lambda region: region.geometry.area)
    return regions


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _named(wanted: str) -> str:
    return f"annotations of the class or name {wanted!r}" if wanted else "annotations"


def _there(drawn: Collection[DrawnObject]) -> str:
    names = sorted({name for one in drawn for name in (one.path_class, one.title) if name})
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"found: {shown}" if shown else "there are none with a class or name"
