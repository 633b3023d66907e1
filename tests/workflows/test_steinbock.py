"""Cells for steinbock: the commands of the documentation, on a folder laid out as steinbock's."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.docs.blocks import blocks
from tests.docs.places import DOCS
from tests.pipeline.spots import spots


@pytest.mark.slow
def test_masks_get_the_names_of_their_images_for_steinbock_to_measure(tiny_model, tmp_path):
    (tmp_path / "img").mkdir()
    nuclei, cells = spots((120, 130))
    stack = np.stack([nuclei, nuclei, cells, cells])
    for name in ("patient1_001", "patient1_002"):
        tifffile.imwrite(tmp_path / "img" / f"{name}.tiff", stack, imagej=True, metadata={"axes": "CYX"})
    rows = ["channel,name,keep", "Ir191,Ir191,1", "Ir193,Ir193,1", "Er166,PanCK,1", "Sm152,CD45,1", "Xe131,Xe131,0"]
    (tmp_path / "panel.csv").write_text("\n".join(rows))
    (block,) = (block.code for block in blocks(DOCS / "pipelines.md") if "panel.csv" in block.code)
    ours, measuring = block.rstrip().rsplit("\n", 1)
    assert measuring.startswith("steinbock measure")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = ours.replace("cellscale segment", f"cellscale segment --model_path {tiny_model}", 1)
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == ["patient1_001.tiff", "patient1_002.tiff"]
    mask = tifffile.imread(tmp_path / "masks" / "patient1_001.tiff")
    assert mask.shape == (120, 130)
    assert mask.max() > 10
