"""Whatever the kind of network: local and Dask, task by task, and killed in the middle, the files are the same."""

import signal
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import shapely
import tifffile

from cellscale import extensions
from cellscale.workspace.record import Ledger
from tests.cli.runs import MASKS, OUTPUTS, run
from tests.cli.stopped import stopped
from tests.engines.tasks.cloud import task
from tests.pipeline.spots import spots, write_dataset
from tests.pipeline.test_regions import in_area
from tests.predict.seed_network import seed_network
from tests.predict.torch_network import torch_network
from tests.testing.lab_package import documented, install
from tests.testing.lab_package import model as lab_network

IMAGES = {
    "seeds": spots((560, 600), seed=9),
    "torch-mesmer": spots((560, 600), seed=9),
    "instanseg": spots((60, 560), seed=9),
    "package": spots((200, 1300), seed=9),
}
"""Images of several units of work: four squares, nine tiles, two squares of InstanSeg itself, two groups of tiles."""


@dataclass(frozen=True)
class Kind:
    """A network, and what the local engine makes with it."""

    name: str
    words: tuple[object, ...]
    license: str
    dataset: object

    @property
    def files(self):
        return files(self.dataset)

    @property
    def compartments(self):
        return {"nuclear"} if self.name == "package" else {"whole-cell", "nuclear"}


def files(dataset):
    paths = {output: dataset / output.format("image") for output in OUTPUTS}
    return {output: path.read_bytes() for output, path in paths.items() if path.exists()}


@pytest.fixture(scope="module", params=list(IMAGES))
def kind(request, tmp_path_factory):
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    path = folder / "network.onnx"
    license = {"torch-mesmer": "DeepCell", "instanseg": "Apache-2.0", "package": "CC BY 4.0"}.get(name, "")
    if name == "instanseg":
        request.getfixturevalue("instanseg_path")
        words = ("--model", "instanseg")
    elif name == "package":
        request.getfixturevalue("lab_package")
        words = ("--model", lab_network(folder), "--compartment", "nuclear")
    elif name == "torch-mesmer":
        path.write_bytes(torch_network())
        words = ("--model", name, "--model_path", path)
    else:
        path.write_bytes(seed_network())
        words = ("--model", path)
    dataset = write_dataset(folder / "dataset", image=IMAGES[name])
    made = run("segment-and-measure", *words, "workspace", dataset)
    assert made.statuses == {"image": "done"}, made.stderr
    return Kind(name, words, license, dataset)


@pytest.fixture(scope="module")
def lab_package(tmp_path_factory):
    """Install the package of the documentation, whose network has an input of its own; return where."""
    site = tmp_path_factory.mktemp("site")
    install(site, "lab_cellscale", documented())
    add_packages(site)
    yield site
    remove_packages(site)


@pytest.fixture
def workers(request, kind, client):
    """The cluster, whose workers have the package where it is needed."""
    if kind.name != "package":
        yield
        return
    site = request.getfixturevalue("lab_package")
    client.run(add_packages, site)
    yield
    client.run(remove_packages, site)


def add_packages(site):
    sys.path.insert(0, str(site))
    extensions._extensions.cache_clear()


def remove_packages(site):
    sys.path.remove(str(site))
    sys.modules.pop("lab_cellscale", None)
    extensions._extensions.cache_clear()


@pytest.fixture
def dataset(tmp_path, kind):
    return write_dataset(tmp_path / "dataset", image=IMAGES[kind.name])


@pytest.mark.slow
def test_certificates_records_and_report_tell_of_the_network(kind):
    facts = Ledger(kind.dataset / "jobs", "image").facts("segmentation")
    assert facts["license"].startswith(kind.license)
    assert set(facts["certificates"]) == kind.compartments
    assert all(count > 10 for count in facts["objects"].values())
    assert all(one["blocks"] > 0 for one in facts["certificates"].values())
    page = (kind.dataset / "REPORTS/image_report.html").read_text()
    assert "network" in page
    assert kind.license in page


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["seeds", "instanseg"], indirect=True)  # others are cut into tiles as Mesmer is
def test_killed_in_the_middle_it_ends_with_the_same_bytes(kind, dataset):
    words = ("segment-and-measure", *kind.words, "workspace", dataset)
    assert stopped("network:1", *words, how=signal.SIGKILL).exit_code == -signal.SIGKILL
    assert list((dataset / "jobs").glob("*/tiles/*"))
    assert run(*words).statuses == {"image": "done"}
    assert files(dataset) == kind.files


@pytest.mark.slow
@pytest.mark.usefixtures("workers", "small_shares")
def test_dask_shares_it_out_and_the_files_are_the_same(kind, dataset, cluster):
    done = run(
        "segment-and-measure", *kind.words, "--dask_scheduler", cluster.scheduler_address, "workspace", dataset
    )
    assert done.statuses == {"image": "done"}, done.stderr
    assert files(dataset) == kind.files


@pytest.mark.slow
def test_single_steps_make_the_same_files(kind, dataset):
    planned = run("stage", "plan", *kind.words, dataset)
    assert planned.exit_code == 0, planned.stderr
    spec = planned.stdout.split()[-1]
    for step in ("preprocess", "predict", "postprocess", "measure-image"):
        done = task(step, spec, 0)
        assert done.exit_code == 0, (step, done.stderr)
    assert files(dataset) == kind.files


@pytest.mark.slow
def test_regions_hold_the_cells_of_the_whole_image_and_dask_makes_the_same_files(
    kind, tmp_path, cluster, workers, small_shares
):
    regions = tmp_path / "regions.geojson"
    height = IMAGES[kind.name].shape[1]
    region = shapely.box(60, height // 14, 420, height * 33 // 56)
    regions.write_text(shapely.to_geojson(region), encoding="utf-8")
    words = ("segment", *kind.words, "--regions", regions, "workspace")
    here, there = (write_dataset(tmp_path / name, image=IMAGES[kind.name]) for name in ("here", "there"))
    assert run(*words, here).statuses == {"image": "done"}
    done = run(*words[:-1], "--dask_scheduler", cluster.scheduler_address, "workspace", there)
    assert done.statuses == {"image": "done"}, done.stderr
    masks = [mask for mask in MASKS if (kind.dataset / mask.format("image")).exists()]
    assert len(masks) == len(kind.compartments)
    found, whole = (tifffile.imread(folder / masks[0].format("image")) for folder in (here, kind.dataset))
    expected = in_area(whole, region)
    assert expected.max() > 3
    assert np.array_equal(found, expected)
    for mask in masks:
        assert (there / mask.format("image")).read_bytes() == (here / mask.format("image")).read_bytes()
