"""What QuPath does not show as what it is is told of, and nothing else."""

import numpy as np
import pytest

from cellscale.images.array import ArrayImage
from cellscale.qupath.entry.shown import not_shown_texts


@pytest.mark.parametrize(
    ("dtype", "names", "word"),
    [
        ("uint32", ["DAPI"], "uint32"),
        ("uint8", ["Red", "Green", "Blue"], "colour picture"),
        ("uint8", ["red ", "GREEN", "blue"], "colour picture"),
        ("uint8", ["Red", "Green", "Blue", "DAPI"], None),
        ("uint8", ["Blue", "Green", "Red"], None),
        ("uint16", ["Red", "Green", "Blue"], None),
        ("float32", ["DAPI"], None),
        ("int32", ["DAPI"], None),
    ],
)
def test_what_is_told_of(dtype, names, word):
    info = ArrayImage(np.zeros((len(names), 4, 4), dtype), channel_names=names).info
    texts = not_shown_texts(info)
    assert len(texts) == (word is not None)
    assert word is None or word in texts[0]
