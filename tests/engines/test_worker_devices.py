"""The machine that computes must have the device that is asked for; one that only hands out work need not."""

import pytest

from cellscale.engines.preflight import choose_model
from cellscale.errors import RequestError
from cellscale.pipeline.segmenting.mask_marks import MaskMarks, run_state
from cellscale.workspace.layout import workspace_paths
from tests.requests import request_for as request_with


@pytest.fixture
def request_for(tmp_path, tiny_model):
    def make(device="auto"):
        return request_with(workspace_paths(str(tmp_path)), model_path=str(tiny_model), device=device)

    return make


def test_a_device_that_is_missing_is_told_before_the_first_image(request_for):
    with pytest.raises(RequestError, match="--device directml needs"):
        choose_model(request_for("directml"))


def test_who_only_hands_out_work_needs_no_device(request_for):
    model = choose_model(request_for("directml"), computes=False)
    assert model is not None
    assert len(model.sha256) == 64


def test_a_wrong_device_is_told_to_everyone(request_for):
    with pytest.raises(RequestError, match="there is no device 'gpu'"):
        choose_model(request_for("gpu"), computes=False)


def test_the_expected_arithmetic_is_that_of_the_network(request_for):
    model = choose_model(request_for())
    assert model is not None
    assert model.arithmetic == model.load().computation.arithmetic == "cpu float32"


MARKS = MaskMarks("maps", {"nuclear": "maps labels"})


def test_another_device_does_not_go_on_with_unfinished_work(request_for):
    with run_state(request_for().paths, "image", MARKS, "cpu float32") as state:
        state.save_facts("facts", {"percentile": 1.0})
    with run_state(request_for().paths, "image", MARKS, "cpu float32") as state:
        assert state.load_facts("facts") == {"percentile": 1.0}
    for other in ("cuda float32", "cpu:native float32", "cpu:native bf16, kernels 4"):
        with run_state(request_for().paths, "image", MARKS, other) as state:
            assert state.load_facts("facts") is None


def test_a_network_that_is_not_mesmers_has_no_kernels_and_that_is_told_before_the_first_image(request_for):
    with pytest.raises(RequestError, match="--device cpu:native computes networks of Mesmer's graph alone, and tiny"):
        choose_model(request_for(device="cpu:native"))
