"""The environment config: the original's file as it is, and what is said of one that is wrong."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.engines.batch.plan.environment import read_environment
from cellscale.errors import RequestError
from tests.engines.batch.conftest import ENVIRONMENT

ORIGINAL = {
    "segment_container_image": "somebody/cellscale:batch",
    "quantify_container_image": "dchaley/qupath-project-initializer:latest",
    "region": "us-central1",
}


@pytest.fixture
def config(tmp_path):
    def write(facts):
        path = tmp_path / "env-config.json"
        path.write_text(facts if isinstance(facts, str) else json.dumps(facts))
        return path

    return write


def test_the_originals_smallest_file(config):
    environment = read_environment(config(ORIGINAL))
    assert environment.region == "us-central1"
    assert (environment.bigquery_benchmarking_table, environment.segment_model_path) == ("", "")
    assert environment.networking_interface.network == ""
    assert environment.service_account.email == ""


@pytest.mark.parametrize(
    "image", ["dchaley/deepcell-imaging:batch", "eu.gcr.io/p/deepcell-imaging@sha256:ab", "deepcell-imaging"]
)
def test_the_originals_container_that_segments_is_refused_before_a_machine_is_paid_for(config, image):
    with pytest.raises(RequestError, match=r"segment_container_image: .*has no cellscale in it"):
        read_environment(config(ORIGINAL | {"segment_container_image": image}))


def test_the_originals_full_file(config):
    full = ENVIRONMENT | {
        "bigquery_benchmarking_table": "p.d.t",
        "segment_model_hash": "a1dfbce2594f927b9112f23a0a1739e0",
    }
    environment = read_environment(config(full))
    assert environment.networking_interface.no_external_ip_address is True
    assert environment.service_account.email == "the_service@account.com"
    assert environment.bigquery_benchmarking_table == "p.d.t"


@pytest.mark.parametrize(
    ("image", "java"),
    [
        ("dchaley/qupath-project-initializer:latest", True),
        ("us-docker.pkg.dev/p/r/qupath-project-initializer", True),
        ("us-docker.pkg.dev/p/r/qupath-project-initializer@sha256:" + "0" * 64, True),
        ("localhost:5000/cellscale:1", False),
        ("us-docker.pkg.dev/p/qupath-project-initializer/cellscale", False),
    ],
)
def test_the_java_container_is_known_by_its_name(config, image, java):
    assert read_environment(config(ORIGINAL | {"quantify_container_image": image})).measures_with_java is java


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"regoin": "x"}, ["regoin is no key", "region"]),
        ({"networking_interface": {"subnet": "s"}}, ["networking_interface.subnet is no key", "subnetwork"]),
        ({"networking_interface": {"no_external_ip_address": "yes"}}, ["no_external_ip_address", '"yes"', "boolean"]),
        ({"networking_interface": "default"}, ["networking_interface", '"default"']),
        ({"service_account": {"scopes": [1]}}, ["service_account.scopes.0", "1", "string"]),
        ({"service_account": {"email": "nobody"}}, ["service_account.email", "'nobody'"]),
        ({"region": 5}, ["region is 5", "string"]),
        ({"region": "us-central1-a"}, ["region", "'us-central1-a'", "without a zone's letter"]),
        ({"region": None}, ["region is null"]),
        ({"segment_container_image": "two words"}, ["segment_container_image", "'two words'"]),
        ({"segment_container_image": ""}, ["segment_container_image", "''"]),
        ({"bigquery_benchmarking_table": "dataset.table"}, ["bigquery_benchmarking_table", "project.dataset.table"]),
    ],
)
def test_what_is_wrong_is_named_with_its_path(config, change, words):
    with pytest.raises(RequestError) as refused:
        read_environment(config(ORIGINAL | change))
    for word in ["env-config.json", *words]:
        assert word in str(refused.value)


def test_all_that_is_wrong_is_said_at_once(config):
    with pytest.raises(RequestError) as refused:
        read_environment(config({"region": 1, "zone": "a"}))
    for word in ["region is 1", "zone is no key", "segment_container_image is missing"]:
        assert word in str(refused.value)


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', "null", "\u0000"])
def test_what_is_no_json_object_is_refused(config, content):
    with pytest.raises(RequestError, match=re.escape("env-config.json")):
        read_environment(config(content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"--env_config_uri: cannot read .*does not exist"):
        read_environment(tmp_path / "none.json")


@given(
    facts=st.dictionaries(st.sampled_from([*ENVIRONMENT, "other"]), st.one_of(st.none(), st.integers(), st.text()))
)
def test_anything_else_is_refused_in_words(tmp_path_factory, facts):
    path = tmp_path_factory.mktemp("any") / "env-config.json"
    path.write_text(json.dumps(facts))
    with pytest.raises(RequestError, match="env-config"):
        read_environment(path)
