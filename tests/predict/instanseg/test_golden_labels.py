"""Nuclei and cells are those of InstanSeg's own program, kept beside this as `make_golden` computed them."""

import numpy as np
import pytest

import cellscale
from cellscale.errors import ModelError
from cellscale.weights.catalogue import INSTANSEG
from cellscale.weights.resolve import installed_model
from tests.predict.instanseg.make_golden import GOLDEN, golden_image
from tests.predict.instanseg.test_torchscript_parity import f1


@pytest.fixture(scope="module")
def found():
    """Return nuclei and cells as cellscale finds them, with the weights that `cellscale models fetch` installed."""
    try:
        installed_model(INSTANSEG)
    except ModelError as error:
        pytest.skip(str(error))
    image, channels = golden_image(), {"nuclear_channel": "#1", "membrane_channel": "#2"}
    labels = cellscale.segment(image, model="instanseg", image_mpp=0.5, **channels)
    return {"nuclei": labels.nucleus, "cells": labels.whole_cell}


@pytest.mark.slow
@pytest.mark.parametrize(("objects", "count"), [("nuclei", 81), ("cells", 109)])
def test_f1_is_at_least_0_999_at_an_iou_of_0_9(found, objects, count):
    with np.load(GOLDEN) as golden:
        theirs = golden[objects].astype(np.int64)
    assert np.unique(theirs).size - 1 == count
    assert f1(found[objects], theirs, 0.9) >= 0.999
    assert (found[objects] > 0).sum() == pytest.approx((theirs > 0).sum(), rel=1e-3)
