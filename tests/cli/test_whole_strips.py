"""An image of one compressed strip is decoded whole: where memory is too little for that, it is said beforehand."""

import numpy as np
import pytest
import tifffile

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset

SIDE = 15_000


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A dataset with a good image beside one of a large strip, and masks of both."""
    dataset = write_dataset(tmp_path_factory.mktemp("strips"), good=spots((60, 80)))
    blank = np.zeros((SIDE, SIDE), np.uint8)
    how = {"rowsperstrip": SIDE, "compression": "zlib", "compressionargs": {"level": 1}, "photometric": "minisblack"}
    tifffile.imwrite(dataset / "OMETIFF" / "wide.ome.tiff", blank, metadata={"axes": "YX"}, **how)
    return dataset


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--dry_run",)])
def test_it_fails_alone_with_the_memory_that_it_needs(dataset, tiny_model, options):
    words = (
        "--model_path",
        tiny_model,
        "--nuclear_channel",
        "#1",
        "--membrane_channel",
        "none",
        "--image_mpp",
        "0.5",
    )
    done = run("segment", *words, "--max_memory", "1.322GB", *options, "workspace", dataset)
    assert done.exit_code == 1
    assert done.statuses["good"] != "failed"
    for said in ("0.23 GB found", "decoded whole", "1.33 GB of memory are needed", "1.32 GB may be used", "in tiles"):
        assert said in done.errors["wide"]
    more = run("segment", *words, "--max_memory", "1.4GB", "--dry_run", "workspace", dataset)
    assert more.statuses["wide"] == "planned"
