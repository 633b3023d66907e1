"""Damaged files of every kind: each is read or refused, in bounded time and memory, and never an error of ours."""

import shutil
import time
from contextlib import closing

import numpy as np
import psutil
import pytest
import tifffile

from cellscale.errors import CellscaleError, DefectError
from cellscale.images.masks.mask_reader import open_mask
from cellscale.images.open import open_image
from cellscale.regions import Region
from tests.cli.runs import contents, run
from tests.cli.test_bad_state import LABELLED, PREDICTED, Killed
from tests.hostile.mutants import mutant
from tests.images.zarr.test_ome_zarr import written
from tests.pipeline.spots import spots, write_dataset, write_image

pytestmark = pytest.mark.hostile

SECONDS, MEMORY = 20, 500 * 2**20
"""What a mutant of some kilobytes may take, on a busy machine."""

PIXELS = spots((150, 130))


class Watch:
    """Holds each mutant to its time and its memory, and counts what became of it."""

    def __init__(self):
        self.counts = {"read": 0, "refused": 0}
        self._process = psutil.Process()

    def try_one(self, seed, read):
        """Read a mutant; warnings of libraries about it are no matter."""
        start, before = time.monotonic(), self._process.memory_info().rss
        try:
            read()
            self.counts["read"] += 1
        except DefectError as error:
            pytest.fail(f"mutant {seed} is called an error of ours: {error}")
        except CellscaleError:
            self.counts["refused"] += 1
        assert time.monotonic() - start < SECONDS, f"mutant {seed}"
        assert self._process.memory_info().rss - before < MEMORY, f"mutant {seed}"

    def finish(self, kind, record_property):
        """Note how many of a kind were read and refused."""
        print(f"{kind}: {self.counts}")
        record_property(kind, str(self.counts))
        assert min(self.counts.values()) > 0


def read_all(image):
    """Read a corner and a part of the last channel of an image that says anything of its size."""
    info = image.info
    bottom, right = min(info.height, 128), min(info.width, 128)
    image.read((0,), Region(0, 0, bottom, right))
    image.read((len(info.channels) - 1,), Region(max(info.height - 64, 0), 0, info.height, right))


def read_image(path):
    with closing(open_image(path)) as image:
        read_all(image)


def read_mask(path):
    with open_mask(path) as mask:
        mask.read(Region(0, 0, min(mask.shape[0], 128), min(mask.shape[1], 128)))


def tiffs(folder):
    plain = {"metadata": {"axes": "CYX"}, "photometric": "minisblack"}
    yield write_image(folder / "tiles.ome.tiff", PIXELS, tile=(64, 64), compression="zlib")
    yield write_image(folder / "strips.ome.tiff", PIXELS, rowsperstrip=16, compression="lzw", predictor=True)
    tifffile.imwrite(folder / "big.tif", PIXELS, bigtiff=True, tile=(64, 64), compression="zstd", **plain)
    tifffile.imwrite(folder / "stack.tif", PIXELS, imagej=True, metadata={"axes": "CYX"})
    yield from (folder / "big.tif", folder / "stack.tif")


def masks(folder):
    labels = np.arange(150 * 130, dtype=np.uint32).reshape(150, 130) // 400
    for number, how in enumerate(({}, {"tile": (64, 64), "compression": "zlib"}, {"rowsperstrip": 32})):
        path = folder / f"mask{number}.tiff"
        tifffile.imwrite(path, labels.astype([np.uint32, np.uint16, np.float32][number]), metadata=None, **how)
        yield path


def npzs(folder):
    for number, kind in enumerate((np.savez, np.savez_compressed)):
        path = folder / f"pixels{number}.npz"
        kind(path, np.moveaxis(PIXELS, 0, -1).astype(np.float32))
        yield path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "make", "read", "count"),
    [("tiff", tiffs, read_image, 2000), ("mask", masks, read_mask, 900), ("npz", npzs, read_image, 900)],
)
def test_files(tmp_path, record_property, kind, make, read, count):
    watch = Watch()
    for number, file in enumerate(files := list(make(tmp_path))):
        content = file.read_bytes()
        for seed in range(count // len(files)):
            file.write_bytes(mutant(content, f"{number} {seed}"))
            watch.try_one(f"{file.name} {seed}", lambda file=file: read(file))
    watch.finish(kind, record_property)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_zarrs(tmp_path, record_property, version):
    whole, watch = tmp_path / "whole.ome.zarr", Watch()
    written(whole, PIXELS, "cyx", version=version)
    files = sorted(file.relative_to(whole) for file in whole.rglob("*") if file.is_file())
    described = [file for file in files if file.name.startswith(".z") or file.name == "zarr.json"]
    for seed in range(500):
        file = described[seed % len(described)] if seed % 5 else files[seed % len(files)]
        content = (whole / file).read_bytes()
        (whole / file).write_bytes(mutant(content, f"{version} {seed}"))
        watch.try_one(f"{file} {seed}", lambda: read_image(whole))
        (whole / file).write_bytes(content)
    watch.finish(f"zarr {version}", record_property)


@pytest.mark.parametrize("before", [LABELLED, PREDICTED])
def test_state(tmp_path, tiny_model, monkeypatch, before):
    """Whatever is left of a killed run's state, the next run ends with the same bytes."""
    planes = {"alpha": spots((300, 280)), "beta": spots((60, 80))}
    words = ("segment-and-measure", "--no_report", "--model_path", tiny_model, "workspace")
    reference = write_dataset(tmp_path / "reference", **planes)
    assert run(*words, reference).exit_code == 0
    killed = write_dataset(tmp_path / "killed", **planes)

    def kill(*_args, **_settings):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(*before, kill)
        with pytest.raises(Killed):
            run(*words, killed)
    expected = contents(reference / "SEGMASK", reference / "REPORTS")
    units = sorted(file.relative_to(killed) for file in (killed / "jobs").rglob("*") if file.is_file())
    for seed in range(100):
        copy = shutil.copytree(killed, tmp_path / "copy")
        unit = copy / units[seed % len(units)]
        unit.write_bytes(mutant(unit.read_bytes(), f"{before[1]} {seed}"))
        done = run(*words, copy)
        assert done.exit_code == 0, f"{unit.name} {seed}: {done.stderr}"
        assert contents(copy / "SEGMASK", copy / "REPORTS") == expected, f"{unit.name} {seed}"
        shutil.rmtree(copy)
