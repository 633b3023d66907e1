"""A project of Google Cloud on this machine: storage, Batch and logs, as servers that the real clients talk to."""

import json
import re

import pytest

from cellscale.storage.atomic import write_bytes
from tests.storage.fake_gcs import fake_gcs

pytest.importorskip("google.cloud.batch_v1", reason="needs the extra [gcp]")

ENVIRONMENT = {
    "segment_container_image": "us-central1-docker.pkg.dev/project/images/cellscale:1",
    "quantify_container_image": "us-central1-docker.pkg.dev/project/images/cellscale:1",
    "segment_model_path": "gs://bucket/tiny.onnx",
    "bigquery_benchmarking_table": "",
    "region": "us-central1",
    "networking_interface": {
        "network": "the_network",
        "subnetwork": "the_subnetwork",
        "no_external_ip_address": True,
    },
    "service_account": {"email": "the_service@account.com"},
}
CONFIG = "gs://bucket/env-config.json"


def upload(root, dataset):
    """Copy the images of a dataset into the bucket."""
    for image in sorted((root / "OMETIFF").iterdir()):
        write_bytes(f"{dataset}/OMETIFF/{image.name}", image.read_bytes())
    return dataset


def run_uri(result):
    """The run that a command submitted."""
    return re.search(r"^run: (\S.*)$", result.stdout, re.MULTILINE)[1]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory, tiny_model):
    """The servers; the bucket has the network and the environment config."""
    from tests.engines.batch.batch_server import batch_server

    with fake_gcs(tmp_path_factory.mktemp("gcs")) as host, pytest.MonkeyPatch.context() as patch:
        environment = {
            "STORAGE_EMULATOR_HOST": host,
            "GOOGLE_CLOUD_PROJECT": "project",
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }
        with batch_server(tmp_path_factory.mktemp("batch"), environment) as (server, address):
            patch.setenv("GOOGLE_CLOUD_PROJECT", "project")
            patch.setenv("CELLSCALE_BATCH_ENDPOINT", address)
            write_bytes("gs://bucket/tiny.onnx", tiny_model.read_bytes())
            write_bytes(CONFIG, json.dumps(ENVIRONMENT).encode())
            yield server


@pytest.fixture
def batch(cloud):
    """The servers, as a test finds them: nothing goes wrong."""
    cloud.faults.clear()
    cloud.programs.clear()
    cloud.refusal = None
    cloud.holds = False
    return cloud
