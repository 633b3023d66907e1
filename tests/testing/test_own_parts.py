"""cellscale's own readers, exporters, networks and engines pass the checks that it gives to others."""

import gzip
import json

import anndata
import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
import zarr

from cellscale.cells.exporters import find_exporter
from cellscale.engines import local
from cellscale.engines.dask import dask_engine as dask
from cellscale.engines.engine_request import DaskOptions
from cellscale.images.formats import read_npz, read_tiff, read_zarr
from cellscale.images.info import PixelSize
from cellscale.predict.network_kinds import MESMER
from cellscale.testing import check_engine, check_exporter, check_network, check_reader

PIXELS = np.random.default_rng(0).integers(0, 60_000, (3, 157, 211)).astype(np.uint16)


def test_tiff(tmp_path):
    path = tmp_path / "a.ome.tiff"
    names = {"axes": "CYX", "Channel": {"Name": ["DAPI", "b", "c"]}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25}
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(PIXELS, subifds=1, tile=(64, 64), photometric="minisblack", compression="zlib", metadata=names)
        writer.write(PIXELS[:, ::2, ::2], subfiletype=1, tile=(64, 64), photometric="minisblack")
    check_reader(read_tiff, path, pixels=PIXELS, channel_names=["DAPI", "b", "c"], pixel_size=PixelSize(0.5, 0.25))


def test_zarr(tmp_path):
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="w")
    group.create_array("0", shape=PIXELS.shape, dtype=PIXELS.dtype, chunks=(1, 64, 64))[:] = PIXELS
    axes = [{"name": axis} for axis in "cyx"]
    group.attrs["ome"] = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    check_reader(read_zarr, tmp_path / "a.ome.zarr", pixels=PIXELS)


def test_npz(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", input_channels=np.moveaxis(PIXELS[:2], 0, 2))
    check_reader(read_npz, tmp_path / "a.npz", pixels=PIXELS[:2], channel_names=["nuclear", "membrane"])


ROWS = {
    "tsv": lambda path: path.read_bytes().count(b"\n") - 1,
    "parquet": lambda path: pq.read_metadata(path).num_rows,
    "geojson": lambda path: len(json.loads(gzip.decompress(path.read_bytes()))["features"]),
    "anndata": lambda path: anndata.read_h5ad(path).n_obs,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_exporter(name):
    check_exporter(find_exporter(name), ROWS[name])


def test_network(tiny_model):
    check_network(MESMER, tiny_model)


@pytest.mark.slow
def test_local_engine():
    check_engine(local.run)


@pytest.mark.slow
def test_dask_engine():
    check_engine(dask.run, DaskOptions(workers=1))
