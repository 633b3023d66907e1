"""Which files are looked at, and when they are opened and closed."""

import urllib.error

import numpy as np
import pytest

from cellscale.errors import ImageError
from cellscale.images.masks.mask_writer import write_mask
from cellscale.storage.atomic import write_bytes
from cellscale.viewer.dataset import Dataset
from cellscale.viewer.overview_cache import OverviewCache
from cellscale.viewer.request_errors import NotFoundError
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.pipeline.spots import spots, write_dataset
from tests.storage.servers import BUCKET, google_cloud_storage
from tests.viewer.questions import facts, label_tile, numbers


@pytest.fixture
def opened(tmp_path):
    """A dataset of three images without masks."""
    root = write_dataset(tmp_path / "data", **{name: spots((60, 90), seed) for seed, name in enumerate("abc")})
    paths = workspace_paths(root)
    dataset = Dataset(discover(paths), paths, OverviewCache(tmp_path / "cache"))
    yield dataset
    dataset.close()


def test_few_images_are_open_at_a_time(opened):
    with opened.image(0) as first:
        pass
    for number in (1, 2):
        with opened.image(number):
            pass
    with opened.image(0) as again:
        assert again is not first
    with opened.image(2) as third, opened.image(2) as same:
        assert third is same


def test_an_image_in_use_stays_open(opened):
    with opened.image(0) as first:
        for number in (1, 2):
            with opened.image(number):
                pass
        assert first.image.read((0,), first.image.info.region).any()


def test_there_is_no_other_image(opened):
    with pytest.raises(NotFoundError, match="3 are there"), opened.image(3):
        pass


def test_an_image_that_was_deleted_is_told(opened, tmp_path):
    (tmp_path / "data" / "OMETIFF" / "b.ome.tiff").unlink()
    with pytest.raises(ImageError, match="no longer there"), opened.image(1):
        pass


def test_what_a_run_adds_is_seen_when_the_image_is_opened_again(serve, tmp_path):
    root = write_dataset(tmp_path / "data", one=spots((60, 90)))
    with serve(root) as server:
        assert facts(server, "images/0")["masks"] == []
        (root / "SEGMASK").mkdir()
        for label in (5, 6):
            labels = np.full((60, 90), label, np.int32)
            write_mask(root / "SEGMASK" / "one_NucleusMask.tiff", [labels], labels.shape)
            assert facts(server, "images/0")["masks"] == ["nuclei"]
            assert label_tile(server, "nuclei", 0, 0, 0, 90)[0][1, 1] == label


def test_masks_and_tables_that_cannot_be_used_are_told(serve, tmp_path):
    root = write_dataset(tmp_path / "data", one=spots((60, 90)))
    for folder in ("SEGMASK", "REPORTS"):
        (root / folder).mkdir()
    write_mask(root / "SEGMASK" / "one_WholeCellMask.tiff", [np.ones((60, 80), np.int32)], (60, 80))
    write_bytes(root / "REPORTS" / "one_QUANT.parquet", b"PAR1 no table PAR1")
    with serve(root) as server:
        told = facts(server, "images/0")
    assert (told["masks"], told["objects"]) == ([], 0)
    assert "60 x 80" in told["problems"][0]
    assert "one_QUANT.parquet" in told["problems"][1]


def test_a_damaged_image_is_told_and_others_are_shown(serve, tmp_path):
    root = write_dataset(tmp_path / "data", good=spots((60, 90)))
    (root / "OMETIFF" / "bad.ome.tiff").write_bytes(b"no image")
    with serve(root) as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            facts(server, "images/0")
        assert refused.value.code == 502
        assert b"not a TIFF" in refused.value.read()
        assert facts(server, "images/1")["width"] == 90


def test_two_files_of_one_name_are_told(serve, tmp_path):
    root = write_dataset(tmp_path / "data", one=spots((60, 90)))
    (root / "OMETIFF" / "one.tif").write_bytes((root / "OMETIFF" / "one.ome.tiff").read_bytes())
    with serve(root) as server:
        (image,) = facts(server, "dataset")["images"]
    assert "same outputs" in image["problem"]


@pytest.mark.slow
def test_a_dataset_in_a_bucket(serve, tissue, tmp_path):
    (tmp_path / "gcs").mkdir()
    with google_cloud_storage(tmp_path / "gcs"):
        root = f"gs://{BUCKET}/data"
        for file in tissue.rglob("*001*"):
            if file.parent.name in {"OMETIFF", "SEGMASK", "REPORTS"}:
                write_bytes(f"{root}/{file.relative_to(tissue).as_posix()}", file.read_bytes())
        with serve(tissue) as here, serve(root) as there:
            assert facts(there, "images/0") == facts(here, "images/0")
            assert facts(there, "images/0/objects/cells/9") == facts(here, "images/0/objects/cells/9")
            for path, dtype in (
                ("channels/1/0/1/1", "<u2"),
                ("masks/nuclei/0/0/1", "<u4"),
                ("measurements/7", "<f4"),
            ):
                one, other = (numbers(server, f"images/0/{path}", dtype)[0] for server in (here, there))
                np.testing.assert_array_equal(one, other)
