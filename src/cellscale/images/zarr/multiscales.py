"""What an OME-Zarr says of its axes, its resolutions and the size of a pixel, in the words of any version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cellscale.errors import ImageError
from cellscale.images.info import PixelSize
from cellscale.images.ome.units import micrometres, pixel_size_of
from cellscale.images.zarr.json_facts import mapping, mappings, number, text, values

__all__ = ["Multiscales", "parse_multiscales"]

_TOO_OLD, _OLD = ("0.1", "0.2"), "0.3"
_TRANSFORMATIONS = "coordinateTransformations"


@dataclass(frozen=True, slots=True)
class Multiscales:
    """An image of several resolutions."""

    axes: tuple[str, ...]
    """One lower-case letter each, of t, c, z, y, x; y and x are the last."""

    paths: tuple[str, ...]
    """Where the array of each resolution is, full resolution first."""

    pixel_size: PixelSize | None
    """None where the metadata do not say."""

    warnings: tuple[str, ...]
    """What the user should know of the version."""


def parse_multiscales(metadata: Mapping[str, Any], name: str) -> Multiscales:
    """Return the first of the images that metadata describe; of most files the only one.

    Since version 0.6 axes are those of a coordinate system, and transformations may be sequences.

    Parameters
    ----------
    metadata
        OME's part of the attributes of the image's group.
    name
        The image, for messages.

    Raises
    ------
    ImageError
        The version is 0.1 or 0.2, which name no axes, there are no axes, or others, or a value is not of its kind.
    """
    scales = mapping(values(metadata["multiscales"], "multiscales", name)[0], "an entry of multiscales", name)
    version = str(metadata.get("version") or scales.get("version") or "")
    if version in _TOO_OLD:
        raise ImageError(
            f"{name}: OME-Zarr of version {version} found, which is too old: it says neither what its axes are nor "
            "how large a pixel is; version 0.4, 0.5 or 0.6 expected: write the image again with a newer program"
        )
    told: tuple[str, ...] = ()
    if version == _OLD:
        told = (f"OME-Zarr of version {version} is old: it does not say how large a pixel is (--image_mpp)",)
    datasets = mappings(scales.get("datasets"), "datasets", name)
    if not datasets:
        raise ImageError(f"{name}: no resolutions (datasets) found in its metadata; one or more expected")
    steps = _flat(datasets[0].get(_TRANSFORMATIONS), name)
    if "axes" not in scales and "coordinateSystems" in scales:
        # The transformations of the whole image lead on to other systems of coordinates.
        axes = _of_system(scales, datasets[0], name)
    else:
        axes = values(scales.get("axes", []), "axes", name)
        steps += _flat(scales.get(_TRANSFORMATIONS), name)
    letters = _letters(axes, name)
    return Multiscales(
        axes=letters,
        paths=tuple(text(one.get("path"), "the path of a resolution", name) for one in datasets),
        pixel_size=_pixel_size(axes, letters, steps, name),
        warnings=told,
    )


def _of_system(scales: Mapping[str, Any], dataset: Mapping[str, Any], name: str) -> list[Any]:
    """Return the axes of the coordinate system that the first resolution leads to; of the first that has any."""
    found = mappings(scales["coordinateSystems"], "coordinateSystems", name)
    systems = {str(one.get("name")): one for one in found}
    outputs = [_named(one.get("output")) for one in mappings(dataset.get(_TRANSFORMATIONS), _TRANSFORMATIONS, name)]
    wanted = [systems[output] for output in outputs if output in systems]
    axes = next((one["axes"] for one in (*wanted, *systems.values()) if one.get("axes")), None)
    if axes is None:
        raise ImageError(f"{name}: no coordinate system with axes found in its metadata; one expected")
    return values(axes, "axes", name)


def _named(reference: object) -> str:
    """Return the name of a coordinate system that is referred to by its name, or by an object that has it."""
    return str(reference.get("name")) if isinstance(reference, Mapping) else str(reference)


def _flat(transformations: object, name: str, depth: int = 8) -> list[Mapping[str, Any]]:
    """Return transformations, those of sequences one by one."""
    found: list[Mapping[str, Any]] = []
    for one in mappings(transformations, _TRANSFORMATIONS, name):
        if one.get("type") != "sequence":
            found.append(one)
        elif depth:
            found += _flat(one.get("transformations"), name, depth - 1)
        else:
            raise ImageError(f"{name}: sequences of transformations in one another found in its metadata")
    return found


def _letters(axes: list[Any], name: str) -> tuple[str, ...]:
    letters = tuple(str(axis.get("name") if isinstance(axis, Mapping) else axis).lower() for axis in axes)
    if letters[-2:] != ("y", "x") or not set(letters) <= set("tczyx") or len(set(letters)) < len(letters):
        raise ImageError(
            f"{name}: axes {', '.join(letters) or 'of no name'} found; t, c, z, y, x in this order expected"
        )
    return letters


def _pixel_size(
    axes: list[Any], letters: tuple[str, ...], steps: list[Mapping[str, Any]], name: str
) -> PixelSize | None:
    sides = []
    for letter in "xy":
        position = letters.index(letter)
        axis = axes[position]
        unit = axis.get("unit") if isinstance(axis, Mapping) else None
        scale = _scale(steps, position, len(letters), name)
        known = unit is not None and scale is not None
        sides.append(micrometres(scale or 0.0, text(unit, "the unit of an axis", name)) if known else None)
    return pixel_size_of(sides[0], sides[1])


def _scale(steps: list[Mapping[str, Any]], position: int, count: int, name: str) -> float | None:
    """Return the product of the first resolution's scales along one axis; None where there is none."""
    product = None
    for step in (one for one in steps if one.get("type") == "scale"):
        sides = values(step.get("scale"), "a scale", name)
        if len(sides) != count:
            raise ImageError(f"{name}: a scale of {len(sides)} numbers for {count} axes found in its metadata")
        found = number(sides[position], "a scale", name)
        product = found if product is None else product * found
    return product
