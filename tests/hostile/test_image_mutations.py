"""Images with changed tags, OME-XML or Zarr metadata are read right or refused in words, in time and memory."""

from collections import Counter

import numpy as np
import pytest

from cellscale.images.open import open_image
from tests.hostile.image_mutations import check_pixels, mutations, outcome
from tests.images.ome_files import ome_xml, planes, write_ome

PARTS = 20
PART = 250


def outcomes(folder, count, seed):
    """Return how many images ended how; every failure is told with the mutation's number, which makes it again."""
    found, failures = Counter(), []
    for number, mutation in enumerate(mutations(count, seed)):
        (folder / str(number)).mkdir()
        try:
            found[mutation.kind, outcome(mutation.write(folder / str(number)))] += 1
        except Exception as error:
            failures.append(f"{mutation.name}: {type(error).__name__}: {error}")
    assert not failures, "\n".join(failures)
    return found


@pytest.mark.slow
def test_changed_images_are_read_right_or_refused(tmp_path):
    found = outcomes(tmp_path, 150, "short")
    assert {kind for kind, _ in found} == {"tiff", "ome", "zarr"}
    assert {end for _, end in found} == {"read", "refused"}


@pytest.mark.hostile
@pytest.mark.parametrize("part", range(PARTS))
def test_thousands_of_changed_images_are_read_right_or_refused(tmp_path, part):
    found = outcomes(tmp_path, PART, part)
    print(dict(sorted(found.items())))
    assert sum(found.values()) == PART


def test_channels_in_another_order_than_the_file_says_are_noticed(tmp_path):
    places = "".join(f'<TiffData FirstC="{c}" IFD="{2 - c}" PlaneCount="1"/>' for c in range(3))
    path = write_ome(tmp_path / "image.ome.tif", ome_xml(places), planes())
    image = open_image(path)
    check_pixels(path, image.info, image.read((0, 1, 2), image.info.region))
    with pytest.raises(AssertionError, match="other pixels"):
        check_pixels(path, image.info, np.ascontiguousarray(planes()))
    image.close()
