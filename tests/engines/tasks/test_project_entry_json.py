"""A place in the project is the same after its way from one machine to another."""

import json

import numpy as np

from cellscale.engines.tasks.project_entry_json import place_from_json, place_to_json
from cellscale.images.info import Channel, ImageInfo, PixelSize
from cellscale.qupath.project_image import ProjectImage


def test_all_facts_of_an_image_are_kept():
    info = ImageInfo(
        name="image",
        uri="gs://bucket/image.ome.tiff",
        height=30,
        width=40,
        dtype=np.dtype("uint16"),
        channels=(Channel(0, "DAPI", -1), Channel(1, "µ")),
        pixel_size=PixelSize(0.5, 0.5, one_side=True),
        levels=((30, 40), (15, 20)),
        chunk=(16, 16),
        series=2,
        significant_bits=12,
        warnings=("the file holds 3 images",),
    )
    place = ProjectImage(7, info)
    found = place_from_json(json.loads(json.dumps(place_to_json(place))))
    assert found == place
    assert found.info.pixel_size.one_side
