"""A dataset in Cloud Storage worked on by Batch: real clients, real processes, and all that can befall them."""

import pytest

from cellscale.storage.atomic import write_bytes
from tests.cli.runs import run
from tests.engines.batch.batch_server import PREEMPTED, Fault
from tests.engines.batch.conftest import CONFIG
from tests.pipeline.spots import spots, write_dataset

IMAGES = [f"tissue {number:02d}" for number in range(12)]
BROKEN, KILLED = 4, 7
KILLED_BY_SYSTEM = 137


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The dataset on this machine, one image being cut off."""
    root = tmp_path_factory.mktemp("here")
    write_dataset(root, **{name: spots((150 + 5 * seed, 160), seed) for seed, name in enumerate(IMAGES)})
    broken = root / "OMETIFF" / f"{IMAGES[BROKEN]}.ome.tiff"
    broken.write_bytes(broken.read_bytes()[:2000])
    return root


def upload(root, dataset):
    for image in sorted((root / "OMETIFF").iterdir()):
        write_bytes(f"{dataset}/OMETIFF/{image.name}", image.read_bytes())
    return dataset


@pytest.fixture(scope="module")
def finished(cloud, here):
    """The dataset after a run in which two tasks were preempted, and one was killed as it measured."""
    dataset = upload(here, "gs://bucket/dataset")
    cloud.faults = {
        ("segment-image", 2): Fault([PREEMPTED], after="StageStarted"),
        ("segment-image", 9): Fault([PREEMPTED, 50002], after="image"),
        ("measure-image", KILLED): Fault([KILLED_BY_SYSTEM], after="StageStarted"),
    }
    command = ["segment-and-measure", "--env_config_uri", CONFIG, "--parallelism", 4, "--wait"]
    return dataset, run(*command, "workspace", dataset)


def test_failed_images_are_reported_and_the_others_done(finished):
    _, result = finished
    assert result.exit_code == 1, result.stderr
    print(result.stdout, result.stderr)
    assert {name for name, status in result.statuses.items() if status == "failed"} == {
        IMAGES[BROKEN],
        IMAGES[KILLED],
    }
    assert "damaged" in result.errors[IMAGES[BROKEN]]
    assert "did not end" in result.errors[IMAGES[KILLED]]
