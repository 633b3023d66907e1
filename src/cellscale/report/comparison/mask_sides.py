"""The masks of two sides that are to be compared: of datasets, of folders of masks, or two files."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cellscale.errors import RequestError
from cellscale.images.image_names import SUFFIXES, image_name, is_zarr
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.storage.uri import Location, find, listing
from cellscale.workspace.discovery import ImageEntry, discover
from cellscale.workspace.layout import mask_name, workspace_paths
from cellscale.workspace.record import Ledger, mask_of_record

__all__ = ["MaskPair", "paired_masks"]

_Key = tuple[str, Compartment]
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskPair:
    """Two masks of the same compartment of an image."""

    image: str
    compartment: Compartment
    first: Location
    second: Location
    entry: ImageEntry | None
    """The image itself, where one side is a dataset that has it."""


@dataclass(frozen=True, slots=True)
class _Side:
    masks: Mapping[_Key, Location]
    entries: Mapping[str, ImageEntry] = field(default_factory=dict)


def paired_masks(
    first: Location, second: Location, compartments: Sequence[Compartment], prefix: str = ""
) -> tuple[list[MaskPair], list[str]]:
    """Return the masks that two sides have of the same images.

    Parameters
    ----------
    first, second
        Each a dataset, a folder of masks, or a mask. Masks whose names do not say of what they are (``slide.tif``,
        as others draw them) are of the first of ``compartments``.
    compartments
        What is compared.
    prefix
        Take only images whose names begin so.

    Returns
    -------
    The pairs by image, and what only one side has, in words.

    Raises
    ------
    RequestError
        A side is not there or has no mask, or they have none of the same image.
    """
    sides = [_side(location, compartments) for location in (first, second)]
    one, other = (dict(side.masks) for side in sides)
    if _is_mask(first) and _is_mask(second):  # two files are compared whatever they are called
        other = dict(zip(one, other.values(), strict=True))
    entries = {**sides[1].entries, **sides[0].entries}
    keys = sorted(key for key in one.keys() & other.keys() if key[0].startswith(prefix))
    if not keys:
        raise RequestError(
            f"there is no image of which both have a mask: {first} has masks of {_names(one)}; {second} of "
            f"{_names(other)}"
        )
    alone = [
        f"{image} ({compartment}): only {where} has a mask"
        for masks, rest, where in ((one, other, first), (other, one, second))
        for image, compartment in sorted(masks.keys() - rest.keys())
        if image.startswith(prefix)
    ]
    return [
        MaskPair(
            image=image,
            compartment=compartment,
            first=one[image, compartment],
            second=other[image, compartment],
            entry=entries.get(image),
        )
        for image, compartment in keys
    ], alone


def _side(location: Location, compartments: Sequence[Compartment]) -> _Side:
    """Return the masks of one side."""
    if _is_mask(location):
        if find(location) is None:
            raise RequestError(f"there is no mask {location}")
        return _Side({_key(image_name(location), compartments[0]): location})
    if find(location) is None:
        raise RequestError(f"there is no {location}; expected a dataset, a folder of masks, or a mask")
    paths = workspace_paths(location)
    if find(paths.segmasks) is not None:
        return _dataset(location, compartments)
    found: dict[_Key, Location] = {}
    for entry in listing(location):
        if entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith((".", "~")):
            key = _key(image_name(entry.name), compartments[0])
            if key[1] in compartments:
                found.setdefault(key, entry.location)
    if not found:
        raise RequestError(
            f"{location} has no masks; expected a dataset with a folder {paths.segmasks}, or TIFFs or OME-Zarrs of "
            "labels"
        )
    return _Side(found)


def _dataset(location: Location, compartments: Sequence[Compartment]) -> _Side:
    paths = workspace_paths(location)
    entries: dict[str, ImageEntry] = {}
    with suppress(RequestError):  # masks can be compared without their images
        entries = {entry.name: entry for entry in discover(paths, recursive=True)}
    names = {*entries, *(_key(image_name(mask.name), compartments[0])[0] for mask in listing(paths.segmasks))}
    masks = {
        (name, compartment): mask.location
        for name in names
        for compartment in compartments
        if (mask := mask_of_record(paths.segmasks, Ledger(paths.jobs, name), compartment)) is not None
    }
    if not masks:
        raise RequestError(f"{paths.segmasks} has no masks of {' or '.join(compartments)} objects")
    return _Side(masks, entries)


def _is_mask(location: Location) -> bool:
    """Tell whether a location is that of one mask, by its name."""
    return str(location).rstrip("/").lower().endswith(SUFFIXES) or is_zarr(location)


def _key(name: str, usual: Compartment) -> _Key:
    """Return the image and the compartment that the name of a mask says."""
    for compartment in COMPARTMENTS:
        ending = mask_name("", compartment, "")
        if name.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)], compartment
    return name, usual


def _names(masks: Mapping[_Key, Location]) -> str:
    names = sorted({f"{image} ({compartment})" for image, compartment in masks})
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
