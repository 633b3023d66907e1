"""Mesmer's successor: its one output becomes the maps that Mesmer has, and other files are told from it."""

import numpy as np
import pytest

from cellscale.errors import ModelError
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, usual_parameters
from cellscale.predict.choice import NetworkRequest, open_network
from cellscale.predict.devices import DeviceChoice
from cellscale.predict.network_kinds import TORCH_MESMER, require_torch_mesmer
from cellscale.predict.raw_maps import raw_maps
from cellscale.testing import check_network
from tests.predict.tiny_network import tiny_network
from tests.predict.torch_network import torch_network


@pytest.fixture(scope="module")
def tiles():
    return np.random.default_rng(0).random((2, 256, 256, 2), np.float32) / 4


def maps_of(model, tiles, compartments=("whole-cell", "nuclear"), kind=TORCH_MESMER):
    request = NetworkRequest(model=model, compartments=compartments, device=DeviceChoice("cpu"), kind=kind)
    return open_network(request).predict(tiles)


@pytest.fixture(scope="module")
def expected(tiles):
    return maps_of(tiny_network(), tiles, kind=None)


@pytest.mark.parametrize("given", ["input", "input_0"])
def test_the_maps_are_those_of_the_same_network_with_mesmers_layout(tiles, expected, given):
    assert np.array_equal(maps_of(torch_network(given=given), tiles), expected)


def test_one_compartment_is_found_alone(tiles, expected):
    assert np.array_equal(maps_of(torch_network(), tiles, ("nuclear",)), expected[..., 2:])


def test_it_passes_the_check_of_networks(tmp_path):
    (tmp_path / "model.onnx").write_bytes(torch_network())
    check_network(TORCH_MESMER, tmp_path / "model.onnx")


def test_its_authors_values_make_the_labels():
    cells, nuclei = usual_parameters("torch-mesmer")
    assert (cells.maxima_threshold, cells.maxima_smoothing) == (0.1, 1)
    assert (nuclei.maxima_threshold, nuclei.maxima_smoothing) == (0.1, 0)
    for one in (cells, nuclei):
        assert (one.interior_threshold, one.interior_smoothing) == (0.075, 1)
        assert (one.small_objects, one.holes, one.radius) == (15, 15, 2)
    assert usual_parameters("mesmer") == usual_parameters() == (WHOLE_CELL, NUCLEUS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (torch_network(channels=7), ["maps [n, 7, 256, 256]", "one output [n, 8, 256, 256]", "docs/networks.md"]),
        (
            tiny_network(),
            ["input_0 [n, 256, 256, 2]", "one input [n, 2, 256, 256]", "leave --model torch-mesmer out"],
        ),
        (torch_network(batch=1), ["exactly 1 tiles", "open first axis"]),
        (b"weights of PyTorch", ["not an ONNX file", "export it"]),
    ],
    ids=["seven maps", "mesmer", "one tile", "no onnx"],
)
def test_other_files_are_refused_with_what_to_do(tmp_path, content, words):
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError) as error:
        require_torch_mesmer(tmp_path / "model.onnx", "model")
    for word in words:
        assert word in str(error.value)


def test_raw_maps_come_in_the_networks_own_order(tmp_path, tiles, expected):
    (tmp_path / "model.onnx").write_bytes(torch_network())
    found = raw_maps(tmp_path / "model.onnx", np.moveaxis(tiles[0], -1, 0), name="model", kind=TORCH_MESMER)
    assert [one.name for one in found] == [f"maps[{index}]" for index in range(8)]
    used = {position: one.taken_for for position, one in enumerate(found) if one.taken_for}
    assert used == {0: "nuclear maxima", 2: "nuclear interior", 4: "whole-cell maxima", 6: "whole-cell interior"}
    for position, head in ((4, 0), (6, 1), (0, 2), (2, 3)):
        assert np.array_equal(found[position].values, expected[0, ..., head])


def test_an_export_whose_name_is_not_given_is_told_by_its_layout(tiles):
    with pytest.raises(ModelError, match="give --model torch-mesmer beside --model_path"):
        maps_of(torch_network(), tiles, kind=None)
