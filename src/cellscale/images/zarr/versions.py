"""What versions of OME-Zarr write differently, in the form of one of them."""

from collections.abc import Mapping
from typing import Any

from cellscale.errors import ImageError

__all__ = ["of_one_version"]

_TOO_OLD, _OLD = ("0.1", "0.2"), "0.3"


def of_one_version(
    scales: Mapping[str, Any], metadata: Mapping[str, Any], name: str
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the ``multiscales`` of an image as version 0.5 writes them, and what the user should know.

    In 0.6 axes are those of a coordinate system, and the transformations of a resolution may be a sequence.

    Parameters
    ----------
    scales
        The entry of ``multiscales``.
    metadata
        What it is from.
    name
        The image, for messages.

    Raises
    ------
    ImageError
        The version is 0.1 or 0.2, which name no axes, or no coordinate system has axes.
    """
    version = str(metadata.get("version") or scales.get("version") or "")
    if version in _TOO_OLD:
        raise ImageError(
            f"{name}: OME-Zarr of version {version} found, which is too old: it says neither what its axes are nor "
            "how large a pixel is; version 0.4, 0.5 or 0.6 expected: write the image again with a newer program"
        )
    told: tuple[str, ...] = ()
    if version == _OLD:
        told = (f"OME-Zarr of version {version} is old: it does not say how large a pixel is (--image_mpp)",)
    if "axes" not in scales and "coordinateSystems" in scales:
        return _with_axes(scales, name), told
    return scales, told


def _with_axes(scales: Mapping[str, Any], name: str) -> dict[str, Any]:
    datasets = [
        {**dataset, "coordinateTransformations": _flat(dataset.get("coordinateTransformations"))}
        for dataset in scales["datasets"]
    ]
    systems = {str(one.get("name")): one for one in scales["coordinateSystems"] if isinstance(one, Mapping)}
    outputs = [_named(one.get("output")) for one in scales["datasets"][0].get("coordinateTransformations") or ()]
    wanted = [systems[output] for output in outputs if output in systems]
    axes = next((one["axes"] for one in (*wanted, *systems.values()) if one.get("axes")), None)
    if axes is None:
        raise ImageError(f"{name}: no coordinate system with axes found in its metadata; one expected")
    # Those of the whole image lead on to other systems of coordinates.
    return {"axes": axes, "datasets": datasets}


def _named(reference: object) -> str:
    """Return the name of a coordinate system that is referred to by its name, or by an object that has it."""
    return str(reference.get("name")) if isinstance(reference, Mapping) else str(reference)


def _flat(transformations: object) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for one in transformations if isinstance(transformations, list) else ():
        if isinstance(one, Mapping) and one.get("type") == "sequence":
            found += _flat(one.get("transformations"))
        elif isinstance(one, Mapping):
            found.append(one)
    return found
