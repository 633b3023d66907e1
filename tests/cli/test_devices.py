"""A run on the device and at the precision that are asked for; finished masks are kept whatever made them."""

import json
import shutil

import pytest

from cellscale.errors import RequestError
from cellscale.predict.openvino import require_openvino
from cellscale.records.benchmark_table.archive import read_folder
from tests.cli.runs import contents, run
from tests.pipeline.spots import spots, write_dataset


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "data", image=spots((300, 280)))


def segment(dataset, tiny_model, *words):
    return run("segment", "--model_path", str(tiny_model), *words, "workspace", str(dataset))


@pytest.mark.parametrize("words", [["--device", "directml"], ["--device", "gpu"], ["--device", "cpu:1"]])
def test_a_device_that_cannot_be_is_a_wrong_request(dataset, tiny_model, words):
    found = segment(dataset, tiny_model, *words)
    assert found.exit_code == 2
    assert "--device" in found.stderr


def test_a_precision_that_the_device_does_not_offer_is_a_wrong_request(dataset, tiny_model):
    found = segment(dataset, tiny_model, "--device", "cpu", "--precision", "fp16")
    assert found.exit_code == 2
    assert "cpu does not offer --precision fp16" in found.stderr


@pytest.mark.slow
def test_finished_masks_are_kept_when_the_device_changes(dataset, tiny_model):
    try:
        require_openvino()
    except RequestError as error:
        pytest.skip(str(error))
    assert segment(dataset, tiny_model, "--device", "openvino").statuses == {"image": "done"}
    assert segment(dataset, tiny_model).statuses == {"image": "kept"}


@pytest.mark.slow
def test_another_precision_makes_the_masks_again(dataset, tiny_model, tmp_path):
    try:
        require_openvino("bf16")
    except RequestError as error:
        pytest.skip(str(error))
    assert segment(dataset, tiny_model).statuses == {"image": "done"}
    log = tmp_path / "log.jsonl"
    assert segment(dataset, tiny_model, "--precision", "bf16", "--log_file", str(log)).statuses == {"image": "done"}
    assert segment(dataset, tiny_model, "--precision", "bf16").statuses == {"image": "kept"}
    texts = [event.get("text", "") for event in map(json.loads, log.read_text().splitlines())]
    assert any("made from other input or options" in text for text in texts)


@pytest.mark.slow
def test_both_engines_of_a_processor_make_the_same_masks_and_are_named_in_the_record(tmp_path, shared, mesmer_path):
    images = shared / "data" / "workspace" / "OMETIFF"
    found = {}
    for engine, device in (("native", "cpu:native"), ("onnxruntime", "cpu")):
        (tmp_path / engine / "OMETIFF").mkdir(parents=True)
        shutil.copy(images / "TissueSample.ome.tiff", tmp_path / engine / "OMETIFF")
        words = ("--model_path", mesmer_path, "--device", f"cpu:{engine}", "--image_mpp", "0.5")
        assert run("segment", *words, "workspace", tmp_path / engine).statuses == {"TissueSample": "done"}
        found[engine] = contents(tmp_path / engine / "SEGMASK")
        (row,) = read_folder(tmp_path / engine / "jobs" / "benchmarks")
        assert row["device"] == device
    assert found["native"] == found["onnxruntime"]
