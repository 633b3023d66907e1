"""Open cellscale's outputs with the programs that read them next, and write the table of docs/ecosystem.md.

Runs in an environment of its own (`make ecosystem`), in which those programs are installed beside cellscale:

    python benchmarks/ecosystem.py DATASET [--page docs/ecosystem.md] [--only NAME]

DATASET was segmented and measured with ``--export anndata --export spatialdata --mask_format both``. Each program
is tried in a process of its own, and what it found is compared with cellscale's own table.
"""

import argparse
import functools
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

CHECKS = {}


def check(name, package=None, opened=""):
    """Make a function the check of a program; it raises where what the program found is not right."""

    def decorate(function):
        CHECKS[name] = (function, package or name, opened)
        return function

    return decorate


class Dataset:
    """What the checks read."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.tables = sorted((self.folder / "REPORTS").glob("*_QUANT.parquet"))
        self.samples = [path.name.removesuffix("_QUANT.parquet") for path in self.tables]

    def report(self, ending, sample=None):
        """Return the path of an image's table."""
        return self.folder / "REPORTS" / f"{sample or self.samples[0]}_QUANT{ending}"

    def mask(self, ending, kind="WholeCell"):
        """Return the path of the first image's mask."""
        return self.folder / "SEGMASK" / f"{self.samples[0]}_{kind}Mask{ending}"

    @functools.cached_property
    def first(self):
        """Return the first image's table."""
        return pq.read_table(self.tables[0])

    @functools.cached_property
    def cells(self):
        """Return the number of cells of all images."""
        return sum(pq.read_metadata(path).num_rows for path in self.tables)


def expect(found, wanted, what):
    """Check that a program found what is there."""
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} found, {wanted!r} expected")


def max_label(data):
    """Return the largest label of the first image's cells."""
    return max(data.first["Cell label"].to_pylist())


@check("scanpy", opened="`.h5ad`: logarithm, principal components, neighbours, Leiden clusters")
def scanpy(data):
    import scanpy as sc

    cells = sc.read_h5ad(data.report(".h5ad"))
    expect(cells.n_obs, len(data.first), "cells")
    sc.pp.log1p(cells)
    sc.pp.pca(cells, n_comps=3)
    sc.pp.neighbors(cells)
    sc.tl.leiden(cells, flavor="igraph", n_iterations=2)
    return f"{cells.n_obs} cells in {cells.obs['leiden'].nunique()} clusters"


@check("squidpy", opened="`all_cells.h5ad`: neighbours by image, neighbourhood enrichment, pictures (`img=False`)")
def squidpy(data):
    import anndata
    import matplotlib as mpl
    import squidpy as sq

    mpl.use("Agg")
    cells = anndata.read_h5ad(data.folder / "REPORTS" / "all_cells.h5ad")
    expect(cells.n_obs, data.cells, "cells")
    sq.gr.spatial_neighbors(cells, library_key="image", coord_type="generic")
    cells.obs["size"] = (cells.obs["area"] > cells.obs["area"].median()).astype(str).astype("category")
    sq.gr.nhood_enrichment(cells, "size", n_perms=20, show_progress_bar=False)
    sq.pl.spatial_scatter(cells, color="size", library_key="image", img=False)
    sq.pl.spatial_scatter(cells, color="area", library_key="image", shape=None)
    rows, columns = cells.obsp["spatial_connectivities"].nonzero()
    images = cells.obs["image"].to_numpy()
    expect(bool((images[rows] == images[columns]).all()), True, "neighbours are of one image")
    return f"{cells.n_obs} cells, {len(rows)} pairs of neighbours"


def spatial(data):
    """Return the dataset as SpatialData, made anew."""
    import spatialdata

    from cellscale.engines.gather_dataset import gather
    from cellscale.workspace.layout import workspace_paths

    return spatialdata.read_zarr(gather(workspace_paths(data.folder), ["spatialdata"], print).files[0])


@check("spatialdata", opened="`all_cells.sdata.zarr`: images, labels, outlines, table; labels joined to the table")
def spatialdata(data):
    import spatialdata as sd

    found = spatial(data)
    sample = data.samples[0]
    table = found["table"]
    expect(table.n_obs, data.cells, "cells")
    labels = set(np.unique(np.asarray(found[f"{sample}_cells"]))) - {0}
    expect(labels, set(data.first["Cell label"].to_pylist()), "labels")
    joined, _ = sd.join_spatialelement_table(
        sdata=found, spatial_element_names=f"{sample}_cells", table_name="table", how="left"
    )
    expect(f"{sample}_cells" in joined, True, "labels joined")
    extent = sd.get_extent(found[f"{sample}_cells_shapes"], coordinate_system=sample)
    unit = next(name for name in data.first.column_names if name.startswith("Centroid X"))
    expect(
        extent["x"][0] <= min(data.first[unit].to_pylist()) <= extent["x"][1], True, "centroids lie in the outlines"
    )
    return f"{len(list(found.elements_paths_in_memory()))} elements, {table.n_obs} cells"


@check("sopa", opened="`_QUANT.sdata.zarr`: mean intensities aggregated anew from image and outlines")
def sopa(data):
    import sopa as so
    import spatialdata as sd

    sample, folder = data.samples[0], tempfile.mkdtemp()  # sopa writes into what it reads
    part = sd.read_zarr(shutil.copytree(data.report(".sdata.zarr"), folder, dirs_exist_ok=True))
    outlined = part[f"{sample}_cells_shapes"].index.tolist()  # sopa gives the outlines names of its own
    so.aggregate(
        part,
        image_key=f"{sample}_image",
        shapes_key=f"{sample}_cells_shapes",
        key_added="again",
        aggregate_genes=False,
        aggregate_channels=True,
    )
    again = part["again"]
    channel = str(again.var_names[0])
    labels = data.first["Cell label"].to_pylist()
    ours = dict(zip(labels, data.first[f"Cell: {channel}: Mean"].to_pylist(), strict=True))
    theirs = dict(zip(outlined, np.asarray(again[:, channel].X).ravel(), strict=True))
    expect(set(theirs), set(ours), "labels")
    shutil.rmtree(folder)
    differences = [abs(theirs[label] / ours[label] - 1) for label in ours]
    return f"{len(theirs)} cells; means of {channel} differ by {100 * np.median(differences):.1f} % (median)"


@check("napari", opened="masks (`.tiff`) as labels, in its viewer model")
def napari(data):
    from napari.components import ViewerModel
    from npe2 import PluginManager

    PluginManager.instance().discover()  # as napari does when it starts with a window
    viewer = ViewerModel()
    layers = viewer.open(str(data.mask(".tiff")), plugin="napari", layer_type="labels")
    expect(type(layers[0]).__name__, "Labels", "layer")
    expect(int(np.asarray(layers[0].data).max()), max_label(data), "largest label")
    return f"{layers[0].data.shape[-1]} x {layers[0].data.shape[-2]} pixels of labels"


@check("napari-spatialdata", opened="`_QUANT.sdata.zarr`: image, labels with their table, and outlines, as layers")
def napari_spatialdata(data):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import spatialdata as sd
    from napari.components import ViewerModel
    from napari.utils.events import EventedList
    from napari_spatialdata._viewer import SpatialDataViewer

    sample, found, viewer = data.samples[0], sd.read_zarr(data.report(".sdata.zarr")), ViewerModel()
    reader = SpatialDataViewer(viewer, EventedList([found]))
    reader.add_sdata_image(found, f"{sample}_image", sample, multi=False)
    reader.add_sdata_labels(found, f"{sample}_cells", sample, multi=False)
    reader.add_sdata_shapes(found, f"{sample}_cells_shapes", sample, multi=False)
    _, labels, outlines = viewer.layers
    expect([type(layer).__name__ for layer in viewer.layers], ["Image", "Labels", "Shapes"], "layers")
    expect(int(np.asarray(labels.data[0] if labels.multiscale else labels.data).max()), max_label(data), "labels")
    cells = labels.metadata["adata"].n_obs
    expect([len(outlines.data), cells], [len(data.first)] * 2, "outlines and cells of the table")
    return f"3 layers, {cells} cells"


@check("ome-zarr-py", "ome-zarr", opened="masks (`.ome.zarr`): all levels")
def ome_zarr(data):
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    nodes = list(Reader(parse_url(str(data.mask(".ome.zarr"))))())
    levels = nodes[0].data
    expect(int(np.asarray(levels[0]).max()), max_label(data), "largest label")
    return f"{len(levels)} levels, axes {[axis['name'] for axis in nodes[0].metadata['axes']]}"


@check("ngff-zarr", opened="masks (`.ome.zarr`): all levels and µm/px")
def ngff_zarr(data):
    import ngff_zarr as nz

    found = nz.from_ngff_zarr(str(data.mask(".ome.zarr")))
    image = found.images[0]
    expect(int(np.asarray(image.data).max()), max_label(data), "largest label")
    return f"{len(found.images)} levels, scale {image.scale}"


@check("geopandas", opened="`_Cells.geojson.gz`, unpacked")
def geopandas(data):
    import geopandas as gpd

    packed = data.folder / "SEGMASK" / f"{data.samples[0]}_Cells.geojson.gz"
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "cells.geojson"
        plain.write_bytes(gzip.decompress(packed.read_bytes()))
        found = gpd.read_file(plain)
    expect(len(found), len(data.first), "cells")
    expect(bool(found.geometry.is_valid.all()), True, "outlines are valid")
    return f"{len(found)} valid outlines, area {found.area.sum():.0f} px²"


@check("polars", opened="`all_cells.parquet`: means by image")
def polars(data):
    import polars as pl

    table = pl.read_parquet(data.folder / "REPORTS" / "all_cells.parquet")
    expect(table.height, data.cells, "cells")
    name = next(name for name in table.columns if name.startswith("Nucleus: ") and name.endswith(": Mean"))
    means = table.group_by("Sample").agg(pl.col(name).mean())[name].to_list()
    expect(all(np.isfinite(means)), True, "means are numbers")
    return f"{table.height} cells, {table.width} columns"


@check("duckdb", opened="all `_QUANT.parquet` at once: averages over cells with and without nucleus")
def duckdb(data):
    import duckdb as db

    files = str(data.folder / "REPORTS" / "*_QUANT.parquet")
    name = next(name for name in data.first.column_names if name.startswith("Nucleus: ") and name.endswith(": Mean"))
    count, without, mean = db.sql(
        f"""select count(*), count(*) - count("{name}"), avg("{name}") from read_parquet('{files}')"""
    ).fetchall()[0]
    expect(count, data.cells, "cells")
    expect(bool(np.isfinite(mean)), True, "the average is a number")
    return f"{count} cells, {without} without nucleus"


@check("scikit-image", opened="masks (`.tiff`): region properties against the table's")
def skimage(data):
    from skimage.io import imread
    from skimage.measure import regionprops_table

    found = regionprops_table(imread(data.mask(".tiff")), properties=("label", "area"))
    expect(sorted(found["label"].tolist()), sorted(data.first["Cell label"].to_pylist()), "labels")
    return f"{len(found['label'])} regions, {int(found['area'].sum())} pixels"


IMAGEJ = """
public class OpenMask {
    public static void main(String[] words) {
        ij.ImagePlus image = new ij.io.Opener().openImage(words[0]);
        ij.measure.Calibration size = image.getCalibration();
        System.out.println(ij.IJ.getVersion() + " " + (long) image.getStatistics().max + " " + size.pixelWidth + " "
            + size.getUnit() + " " + image.getBitDepth() + " bit");
    }
}
"""


@check("ImageJ", opened="masks (`.tiff`), with labels and µm/px")
def imagej(data):
    jar = Path(os.environ.get("IMAGEJ_JAR", "/usr/share/java/ij.jar"))
    if shutil.which("java") is None or not jar.is_file():
        raise FileNotFoundError("no Java, or no ij.jar (Debian: apt install imagej; or set IMAGEJ_JAR)")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "OpenMask.java"
        source.write_text(IMAGEJ)
        words = ["java", "-Djava.awt.headless=true", "-cp", str(jar), str(source), str(data.mask(".tiff"))]
        told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
    number, largest, *size = told.split()
    expect(int(largest), max_label(data), "largest label")
    return f"version {number}: {largest} labels, {' '.join(size)}"


def one(name, folder):
    """Try a program in this process, and print what came of it as JSON."""
    function, package, _ = CHECKS[name]
    warnings.simplefilter("ignore")
    result = {"version": "-" if name == "ImageJ" else version(package)}
    try:
        result |= {"result": "pass", "found": function(Dataset(folder))}
    except FileNotFoundError as error:
        result |= {"result": "not tried", "found": str(error)}
    except Exception as error:  # whatever a program says of our files is the result
        result |= {"result": "fail", "found": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}
    print("\n" + json.dumps(result))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--page", type=Path, help="Write the table into this page, between its two marks.")
    parser.add_argument("--only", choices=CHECKS)
    parser.add_argument("--one", choices=CHECKS, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.one:
        return one(words.one, words.dataset)
    rows = ["| program | version | what it opened | result | what it found |", "|---|---|---|---|---|"]
    failed = False
    for name in [words.only] if words.only else CHECKS:
        command = [sys.executable, __file__, str(words.dataset), "--one", name]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        lines = [line for line in told.stdout.splitlines() if line.startswith('{"version"')]
        died = {"version": "?", "result": "fail", "found": f"the process ended with {told.returncode}"}
        result = json.loads(lines[-1]) if lines else died
        failed |= result["result"] == "fail"
        rows.append(f"| {name} | {result['version']} | {CHECKS[name][2]} | {result['result']} | {result['found']} |")
        print(rows[-1], flush=True)
    if words.page:
        text = words.page.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        words.page.write_text(
            f"{before}{BEGIN}\n\n" + "\n".join(rows) + f"\n\n{END}{rest.partition(END)[2]}", "utf-8"
        )
    return int(failed)


BEGIN, END = "<!-- made by benchmarks/ecosystem.py -->", "<!-- end of what it made -->"

if __name__ == "__main__":
    sys.exit(main())
