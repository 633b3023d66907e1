"""A run names what it leaves out, and works on sub-folders on request."""

import json

import numpy as np
import tifffile

from tests.cli.runs import finished, run
from tests.pipeline.spots import spots, write_image

SHAPE = (60, 80)
LABELS = np.zeros(SHAPE, np.int32)
LABELS[10:30, 10:30] = 1


def test_images_of_one_name_in_two_folders_are_two_images(tmp_path):
    (tmp_path / "SEGMASK").mkdir(parents=True)
    for folder in ("s1", "s2"):
        write_image(tmp_path / "OMETIFF" / folder / "roi.ome.tif", spots(SHAPE, int(folder[1])))
        tifffile.imwrite(tmp_path / "SEGMASK" / f"{folder}_roi_WholeCellMask.tiff", LABELS)
    write_image(tmp_path / "OMETIFF" / "a.ome.tif", spots(SHAPE))
    tifffile.imwrite(tmp_path / "SEGMASK" / "a_WholeCellMask.tiff", LABELS)
    (tmp_path / "OMETIFF" / "notes.docx").write_bytes(b"x")
    planned = run("measure", "--dry_run", "workspace", tmp_path)
    assert "warning: 2 sub-folders (s1, s2)" in planned.stderr
    assert "warning: 1 file (notes.docx)" in planned.stderr
    assert set(planned.statuses) == {"a"}
    done = run("measure", "--recursive", "workspace", tmp_path)
    assert (done.exit_code, done.errors) == (0, {})
    assert set(done.statuses) == {"a", "s1_roi", "s2_roi"}
    assert "sub-folder" not in done.stderr
    outputs = ("REPORTS/{}_QUANT.tsv", "SEGMASK/{}_Cells.geojson.gz")
    assert all(finished(tmp_path, image, outputs) for image in done.statuses)
    project = json.loads((tmp_path / "PROJ" / "project.qpproj").read_text(encoding="utf-8"))
    assert len(project["images"]) == 3
    assert len({json.dumps(image["serverBuilder"]) for image in project["images"]}) == 3
    again = run("measure", "--recursive", "workspace", tmp_path)
    assert set(again.statuses.values()) == {"kept"}
