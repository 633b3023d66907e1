"""Images' places in the QuPath project, on their way from the tasks that measure to the end of the run."""

from dataclasses import asdict
from typing import Any

import numpy as np

from cellscale.errors import RequestError
from cellscale.images.info import Channel, ImageInfo, PixelSize
from cellscale.qupath.project_image import ProjectImage

__all__ = ["place_from_json", "place_to_json"]


def place_to_json(place: ProjectImage) -> dict[str, Any]:
    """Return a place as a JSON object."""
    info = place.info
    described = {**asdict(info), "uri": str(info.uri), "dtype": info.dtype.str}
    return {"entry_id": place.entry_id, "info": described}


def place_from_json(facts: dict[str, Any]) -> ProjectImage:
    """Return the place that `place_to_json` gave.

    Raises
    ------
    RequestError
        It is none.
    """
    try:
        info = facts["info"]
        size = info["pixel_size"]
        return ProjectImage(
            facts["entry_id"],
            ImageInfo(
                **info
                | {
                    "dtype": np.dtype(info["dtype"]),
                    "channels": tuple(Channel(**channel) for channel in info["channels"]),
                    "pixel_size": None if size is None else PixelSize(**size),
                    "levels": tuple(tuple(level) for level in info["levels"]),
                    "chunk": tuple(info["chunk"]),
                    "warnings": tuple(info.get("warnings", ())),
                    "notes": tuple(info.get("notes", ())),
                }
            ),
        )
    except (KeyError, TypeError) as error:
        raise RequestError(f"a place in the project cannot be read: {error!r}") from error
