"""Which network finds the cells: by name, by file, and what each of them does not take."""

import numpy as np
import pytest
import tifffile
from skimage.segmentation import expand_labels

from cellscale.workspace.record import Ledger
from tests.cli.runs import MASKS, run
from tests.pipeline.spots import spots, write_dataset
from tests.predict.seed_network import seed_network
from tests.predict.torch_network import torch_network


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "spots.onnx"
    path.write_bytes(seed_network())
    return str(path)


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", image=spots((150, 170)))


@pytest.fixture
def refused(dataset, tmp_path, monkeypatch):
    """Run with some options; expect a message with some words, and no output."""
    monkeypatch.setenv("CELLSCALE_CACHE", str(tmp_path / "cache"))

    def check(*options, words):
        run("segment-and-measure", *options, "workspace", dataset).explains(*words)
        assert not list(dataset.glob("SEGMASK/*"))

    return check


@pytest.mark.slow
def test_a_network_like_instanseg_is_known_by_its_file(dataset, model):
    result = run("segment-and-measure", "--model", model, "workspace", dataset)
    assert result.statuses == {"image": "done"}, result.stderr
    cells, nuclei = (tifffile.imread(dataset / mask.format("image")) for mask in MASKS)
    assert nuclei.max() > 20
    assert np.array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    certificates = Ledger(dataset / "jobs", "image").facts("segmentation")["certificates"]
    assert certificates["nuclear"]["largest_halo"] == 68
    again = run("segment-and-measure", "--model_path", model, "workspace", dataset)
    assert again.statuses == {"image": "kept"}
    assert "spots" in (dataset / "REPORTS/image_report.html").read_text()


@pytest.mark.slow
def test_cells_grow_from_nuclei_whatever_the_network(dataset, model):
    words = ("segment", "--model", model, "--compartment", "nuclear", "workspace", dataset)
    assert run(*words).statuses == {"image": "done"}
    alone = (dataset / MASKS[1].format("image")).read_bytes()
    assert run(*words[:5], "--expand_cells", "3px", *words[5:]).statuses == {"image": "done"}
    assert (dataset / MASKS[1].format("image")).read_bytes() == alone
    cells, nuclei = (tifffile.imread(dataset / mask.format("image")) for mask in MASKS)
    assert nuclei.max() > 20
    assert np.array_equal(cells, expand_labels(nuclei, 3))
    assert run(*words).statuses == {"image": "kept"}  # growth is the cells' alone


@pytest.mark.slow
def test_glass_is_left_out_whatever_the_network(tmp_path, model):
    planes = np.pad(spots((150, 170)) + np.uint16(300), ((0, 0), (0, 0), (0, 400)), constant_values=100)
    here, there = (write_dataset(tmp_path / name, image=planes) for name in ("all", "tissue"))
    assert run("segment", "--model", model, "workspace", here).statuses == {"image": "done"}
    found = run("segment", "--model", model, "--tissue", "auto", "workspace", there)
    assert found.statuses == {"image": "done"}, found.stderr
    assert Ledger(there / "jobs", "image").facts("segmentation")["tissue"]["skipped"] > 0.3
    for mask in MASKS:
        cells, expected = (tifffile.imread(folder / mask.format("image")) for folder in (there, here))
        assert expected.max() > 20
        assert np.array_equal(cells, expected)


@pytest.mark.parametrize(
    "option",
    [
        ("--nuclear_radius", "3"),
        ("--nuclear_label_erosion", "1"),
        ("--percentile", "99"),
        ("--clahe", "off"),
        ("--clahe_kernel", "64"),
        ("--rescale_channels", "minmax"),
    ],
)
def test_options_of_other_networks_are_refused(refused, model, option):
    refused("--model", model, *option, words=[option[0], "networks like Mesmer", "leave them"])


def test_options_of_other_networks_are_refused_for_one_image_too(refused, model, dataset):
    (dataset / "cellscale.toml").write_text('[image.image]\nclahe = "off"\n', encoding="utf-8")
    refused("--model", model, words=["--clahe", "networks like Mesmer", "leave them"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--device", "cpu:native"), ["runs on a processor with ONNX Runtime only", "--device cpu:native"]),
        (("--device", "cuda"), ["ONNX Runtime only", "--device cuda"]),
        (("--precision", "bf16"), ["float32 only", "--precision bf16"]),
    ],
)
def test_what_only_other_networks_run_on_is_refused(refused, model, options, words):
    refused("--model", model, *options, words=words)


def test_a_network_by_name_that_is_not_installed(refused):
    refused("--model", "InstanSeg", words=["instanseg weights are not installed", "cellscale models fetch instanseg"])


def test_two_files_for_one_network_are_refused(refused, model):
    refused("--model", model, "--model_path", "other.onnx", words=["--model_path is other.onnx", "give one of them"])


def test_another_network_by_the_name_of_instanseg(refused, tiny_model):
    refused("--model", "instanseg", "--model_path", tiny_model, words=["no network as --model instanseg names"])


@pytest.mark.slow
def test_mesmers_successor_has_labels_of_its_own(dataset, tmp_path):
    (tmp_path / "export.onnx").write_bytes(torch_network())
    words = ("segment", "--model", "torch-mesmer", "--model_path", tmp_path / "export.onnx")
    made = run(*words, "workspace", dataset)
    assert made.statuses == {"image": "done"}, made.stderr
    facts = Ledger(dataset / "jobs", "image").facts("segmentation")
    assert facts["license"].startswith("DeepCell")
    own = [(dataset / mask.format("image")).read_bytes() for mask in MASKS]
    asked = [
        f"--{compartment}_{name}={value}"
        for compartment, smoothing in (("whole_cell", 1), ("nuclear", 0))
        for name, value in (
            ("maxima_threshold", 0.1), ("maxima_smoothing", smoothing), ("interior_threshold", 0.075),
            ("interior_smoothing", 1),
        )
    ]  # fmt: skip
    assert run(*words, *asked, "workspace", dataset).statuses == {"image": "kept"}
    usual = run(*words, "--whole_cell_maxima_smoothing", "0", "--overwrite", "workspace", dataset)
    assert usual.statuses == {"image": "done"}
    cells, nuclei = ((dataset / mask.format("image")).read_bytes() for mask in MASKS)
    assert cells != own[0]
    assert nuclei == own[1]


def test_mesmers_successor_needs_a_file(refused):
    refused("--model", "torch-mesmer", words=["cannot be fetched", "--model_path FILE.onnx", "docs/networks.md"])


def test_another_network_by_the_name_of_mesmers_successor(refused, tiny_model):
    refused(
        "--model", "torch-mesmer", "--model_path", tiny_model, words=["input_0 [n, 256, 256, 2]", "[n, 2, 256, 256]"]
    )


@pytest.mark.parametrize("kind", ["torch-mesmer", "instanseg", "mesmer"])
def test_the_maps_of_a_tile_are_drawn(dataset, tmp_path, kind, model, tiny_model):
    (tmp_path / "export.onnx").write_bytes(torch_network())
    networks = {
        "torch-mesmer": ("--model", kind, "--model_path", tmp_path / "export.onnx"),
        "instanseg": ("--model", model),
        "mesmer": ("--model_path", tiny_model),
    }
    picture = tmp_path / "maps.png"
    image = dataset / "OMETIFF/image.ome.tiff"
    made = run("models", "maps", image, *networks[kind], "--out", picture, "--at", "10", "20")
    assert made.exit_code == 0, made.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_maps_of_no_image(tmp_path, tiny_model):
    made = run("models", "maps", tmp_path / "none.tif", "--model", tiny_model, "--out", tmp_path / "maps.png")
    assert made.exit_code == 1
    assert "none.tif: it does not exist" in made.stderr
    assert not (tmp_path / "maps.png").exists()
