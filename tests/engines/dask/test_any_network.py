"""Whatever the kind of network: local and Dask, task by task, and killed in the middle, the files are the same."""

import json
import signal
from dataclasses import dataclass

import numpy as np
import pytest
import shapely
import tifffile

from cellscale.workspace.record import Ledger
from tests.cli.runs import MASKS, OUTPUTS, run
from tests.cli.stopped import stopped
from tests.engines.tasks.cloud import task
from tests.pipeline.spots import spots, write_dataset
from tests.pipeline.test_regions import in_area
from tests.predict.seed_network import seed_network
from tests.predict.torch_network import torch_network

IMAGE = spots((560, 600), seed=9)
"""Four squares of InstanSeg's, nine tiles of Mesmer's."""


@dataclass(frozen=True)
class Kind:
    """A network, and what the local engine makes with it."""

    words: tuple[object, ...]
    license: str
    dataset: object

    @property
    def files(self):
        return files(self.dataset)


def files(dataset):
    return {output: (dataset / output.format("image")).read_bytes() for output in OUTPUTS}


@pytest.fixture(scope="module", params=["seeds", "torch-mesmer"])
def kind(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / "network.onnx"
    path.write_bytes(seed_network() if request.param == "seeds" else torch_network())
    words = ("--model", path) if request.param == "seeds" else ("--model", "torch-mesmer", "--model_path", path)
    dataset = write_dataset(folder / "dataset", image=IMAGE)
    made = run("segment-and-measure", *words, "workspace", dataset)
    assert made.statuses == {"image": "done"}, made.stderr
    return Kind(words, "" if request.param == "seeds" else "DeepCell", dataset)


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", image=IMAGE)


@pytest.mark.slow
def test_certificates_records_and_report_tell_of_the_network(kind):
    facts = Ledger(kind.dataset / "jobs", "image").facts("segmentation")
    assert facts["license"].startswith(kind.license)
    assert set(facts["certificates"]) == {"whole-cell", "nuclear"}
    assert all(one["blocks"] > 0 for one in facts["certificates"].values())
    page = (kind.dataset / "REPORTS/image_report.html").read_text()
    assert "network" in page
    assert kind.license in page


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["seeds"], indirect=True)  # the other is cut into tiles as Mesmer is
def test_killed_in_the_middle_it_ends_with_the_same_bytes(kind, dataset):
    words = ("segment-and-measure", *kind.words, "workspace", dataset)
    assert stopped("network:1", *words, how=signal.SIGKILL).exit_code == -signal.SIGKILL
    assert list((dataset / "jobs").glob("*/tiles/*"))
    assert run(*words).statuses == {"image": "done"}
    assert files(dataset) == kind.files


@pytest.mark.slow
def test_dask_shares_it_out_and_the_files_are_the_same(kind, dataset, cluster, client, small_shares):
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
    kind, tmp_path, cluster, client, small_shares
):
    regions = tmp_path / "regions.geojson"
    square = [[60, 40], [420, 40], [420, 330], [60, 330], [60, 40]]
    regions.write_text(json.dumps({"type": "Polygon", "coordinates": [square]}), encoding="utf-8")
    words = ("segment", *kind.words, "--regions", regions, "workspace")
    here, there = (write_dataset(tmp_path / name, image=IMAGE) for name in ("here", "there"))
    assert run(*words, here).statuses == {"image": "done"}
    done = run(*words[:-1], "--dask_scheduler", cluster.scheduler_address, "workspace", there)
    assert done.statuses == {"image": "done"}, done.stderr
    found, whole = (tifffile.imread(folder / MASKS[0].format("image")) for folder in (here, kind.dataset))
    expected = in_area(whole, shapely.box(60, 40, 420, 330))
    assert expected.max() > 20
    assert np.array_equal(found, expected)
    for mask in MASKS:
        assert (there / mask.format("image")).read_bytes() == (here / mask.format("image")).read_bytes()
