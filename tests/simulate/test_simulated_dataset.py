"""Folders of simulated images."""

import shutil
from collections import namedtuple
from contextlib import closing

import numpy as np
import pytest
import tifffile

from cellscale.errors import RequestError
from cellscale.images.info import PixelSize
from cellscale.images.open import open_image
from cellscale.regions import Region
from cellscale.simulate.simulated_dataset import Dataset, simulate
from cellscale.simulate.tissue_model import TissueModel

DATASET = Dataset((700, 900), images=2, channels=("DAPI", "Membrane", "CD8"), seed=6, truth=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "new folder"
    simulate(out, DATASET, workers=2)
    return out


@pytest.fixture(scope="module")
def model():
    return TissueModel(DATASET.shape, seed=6, channels=DATASET.channels, index=1)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_folder_holds_images_and_truth_and_nothing_else(folder):
    endings = ("WholeCellMask.tiff", "NucleusMask.tiff", "Cells.tsv")
    truth = {f"TRUTH/tissue_00{i}_{ending}" for i in (1, 2) for ending in endings}
    assert set(files(folder)) == truth | {"OMETIFF/tissue_001.ome.tiff", "OMETIFF/tissue_002.ome.tiff"}


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_workers(folder, tmp_path):
    simulate(tmp_path, DATASET, workers=1)
    assert files(tmp_path) == files(folder)


def test_an_image_is_a_pyramidal_tiled_ome_tiff(folder, model):
    with tifffile.TiffFile(folder / "OMETIFF/tissue_002.ome.tiff") as tiff:
        series = tiff.series[0]
        assert (series.kind, series.axes, series.shape) == ("ome", "CYX", (3, 700, 900))
        assert [level.shape[1:] for level in series.levels] == [(700, 900), (350, 450)]
        assert (tiff.pages[0].tile, tiff.pages[0].compression) == ((512, 512), 8)
        image, half = series.asarray(), series.levels[1].asarray()
        xml = tiff.ome_metadata
    np.testing.assert_array_equal(image, model.block(Region(0, 0, 700, 900)))
    means = image.astype(float).reshape(3, 350, 2, 450, 2).mean((2, 4))
    np.testing.assert_array_equal(half, np.floor(means + 0.5))
    assert 'PhysicalSizeX="0.5" PhysicalSizeXUnit="µm"' in xml
    for name, color in (("DAPI", 0x0000FFFF), ("Membrane", 0x00FF00FF), ("CD8", 0xFF00FFFF - (1 << 32))):
        assert f'Name="{name}" Color="{color}"' in xml


def test_masks_are_the_truth_in_strips(folder, model):
    truth = model.labels(Region(0, 0, 700, 900))
    for compartment, expected in zip(("WholeCell", "Nucleus"), truth, strict=True):
        path = folder / f"TRUTH/tissue_002_{compartment}Mask.tiff"
        with closing(open_image(path)) as opened:
            assert opened.info.pixel_size == PixelSize(0.5, 0.5)
        with tifffile.TiffFile(path) as tiff:
            assert not tiff.pages[0].is_tiled
            mask = tiff.asarray()
        assert mask.dtype == np.int32
        np.testing.assert_array_equal(mask, expected)


def test_the_table_describes_every_cell(folder, model):
    whole, nucleus = model.labels(Region(0, 0, 700, 900))
    header, *lines = (folder / "TRUTH/tissue_002_Cells.tsv").read_text("utf-8").splitlines()
    assert header.split("\t")[:4] == ["Label", "Type", "Centroid X µm", "Centroid Y µm"]
    rows = [line.split("\t") for line in lines]
    assert [int(row[0]) for row in rows] == list(range(1, whole.max() + 1))
    assert {row[1] for row in rows} <= {"epithelial", "columnar", "helper_t", "cytotoxic_t", "b", "macrophage"} | {
        "fibroblast",
        "endothelial",
        "muscle",
    }
    for label in (1, len(rows) // 2, len(rows)):
        y, x = np.nonzero(whole == label)
        expected = (x.mean() + 0.5) / 2, (y.mean() + 0.5) / 2, y.size / 4, np.count_nonzero(nucleus == label) / 4
        np.testing.assert_allclose([float(value) for value in rows[label - 1][2:]], expected, atol=6e-3)


@pytest.mark.slow
def test_what_is_there_is_left_alone_until_it_is_to_be_overwritten(folder, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(folder, out)
    (out / "OMETIFF/tissue_001.ome.tiff").write_bytes(b"mine")
    (out / "TRUTH/tissue_002_Cells.tsv").unlink()
    heard = set()
    made = simulate(out, DATASET, listen=lambda name, _: heard.add(name))
    assert [(image.path.name, image.skipped) for image in made] == [
        ("tissue_001.ome.tiff", True),
        ("tissue_002.ome.tiff", False),
    ]
    assert heard == {"tissue_002"}
    assert (out / "OMETIFF/tissue_001.ome.tiff").read_bytes() == b"mine"
    simulate(out, DATASET, overwrite=True)
    assert files(out) == files(folder)


def test_progress_adds_up(tmp_path):
    heard = []
    simulate(tmp_path, Dataset((600, 530), channels=1, truth=True), listen=lambda _, pixels: heard.append(pixels))
    assert sum(heard) == 3 * 600 * 530


def test_an_image_that_cannot_fit_on_the_disk_is_refused_before_it_is_begun(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 0, 10**9))
    with pytest.raises(
        RequestError, match=r"1 images of 32768 x 32768 pixels need about 2\d\.\d GB.* has 1\.0 GB left"
    ):
        simulate(tmp_path, Dataset((32768, 32768), channels=4))
    assert not files(tmp_path)


@pytest.mark.parametrize(("changes", "message"), [({"images": 0}, "0 images"), ({"shape": (0, 9)}, "0 x 9")])
def test_impossible_datasets_are_refused(tmp_path, changes, message):
    with pytest.raises(RequestError, match=message):
        simulate(tmp_path / "out", Dataset(**({"shape": (9, 9)} | changes)))
    assert not (tmp_path / "out").exists()
