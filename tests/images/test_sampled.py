"""What tells images of one name apart."""

import numpy as np
import pytest

from cellscale.images.array import ArrayImage
from cellscale.images.sampled import sampled_pixels

PIXELS = np.random.default_rng(3).integers(0, 999, (5, 100, 130)).astype(np.uint16)


def sampled(pixels, **options):
    return sampled_pixels(ArrayImage(pixels, **options))


def test_names_of_channels_and_byte_order_take_no_part():
    assert sampled(PIXELS, channel_names=list("abcde")) == sampled(PIXELS.astype(">u2"))


def test_other_pixels_and_other_sizes_differ():
    others = [PIXELS[:, ::-1], PIXELS[:, :, :-1], PIXELS.astype(np.int16), np.zeros_like(PIXELS), PIXELS[::-1]]
    found = [sampled(pixels) for pixels in [PIXELS, *others]]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 5), (1, 7, 2)])
def test_images_may_be_tiny(shape):
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert sampled(pixels) != sampled(pixels + 1)
