"""A package that is installed beside cellscale adds its parts; a broken one is named, and breaks nothing else."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from tests.cli.runs import MASKS
from tests.pipeline.spots import spots, write_dataset
from tests.predict.seed_network import CLASSIFIER_WEIGHTS, other_names, seed_network
from tests.testing.lab_package import documented, install, model


def cellscale(site, *words):
    """Run the command line in a process of its own, in which the packages of ``site`` are installed."""
    return subprocess.run(
        [sys.executable, "-m", "cellscale", *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_package_adds_all_four_kinds_of_parts(tmp_path):
    install(tmp_path / "site", "lab_cellscale", documented())
    images = tmp_path / "data" / "OMETIFF"
    images.mkdir(parents=True)
    np.save(images / "slide.npy", spots((200, 230), seed=2))
    dataset = tmp_path / "data"
    done = cellscale(
        tmp_path / "site", "segment-and-measure", "--engine", "gentle", "--export", "csv", "--nuclear_channel", "#1",
        "--compartment", "nuclear", "--model_path", model(tmp_path), "--device", "cpu", "workspace", dataset,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    nuclei = tifffile.imread(dataset / "SEGMASK" / "slide_NucleusMask.tiff").max()
    assert nuclei > 10
    table = (dataset / "REPORTS" / "slide_QUANT.csv").read_text(encoding="utf-8")
    assert table.startswith('label,"Channel 1: Mean"')
    assert table.count("\n") == nuclei + 1
    page = (dataset / "REPORTS" / "slide_report.html").read_text(encoding="utf-8")
    assert "CC BY 4.0 (any use that names us)" in page


@pytest.mark.slow
def test_a_package_knows_a_network_like_instanseg(tmp_path):
    code = documented().replace("[0.0] * 61", repr(CLASSIFIER_WEIGHTS.tolist()))
    install(tmp_path / "site", "lab_seeds", code)
    (tmp_path / "plain.onnx").write_bytes(seed_network())
    (tmp_path / "ours.onnx").write_bytes(other_names(seed_network()))
    masks = {}
    for name in ("plain", "ours"):
        dataset = write_dataset(tmp_path / name, image=spots((150, 170)))
        words = ("segment-and-measure", "--model", tmp_path / f"{name}.onnx", "workspace", dataset)
        done = cellscale(tmp_path / "site", *words)
        assert done.returncode == 0, done.stderr
        masks[name] = [(dataset / mask.format("image")).read_bytes() for mask in MASKS]
        assert name in (dataset / "REPORTS/image_report.html").read_text(encoding="utf-8")
    assert masks["ours"] == masks["plain"]


@pytest.mark.slow
def test_a_broken_package_is_named_where_it_is_used_and_breaks_nothing_else(tmp_path, tiny_model):
    site = tmp_path / "site"
    install(site, "lab_broken", "raise RuntimeError('no licence server')")
    dataset = write_dataset(tmp_path / "data", fine=spots((100, 100), seed=1))
    network = ("--model_path", tiny_model, "--device", "cpu")
    assert "[anndata|csv|spatialdata]" in cellscale(site, "measure", "--help").stdout
    listed = cellscale(site, "models", "list")
    assert listed.returncode == 0
    assert "mesmer: " in listed.stdout
    assert listed.stdout.count("of the package lab_broken 1.5 cannot be loaded") == 2
    for option in (("--export", "csv"), ("--engine", "gentle")):
        refused = cellscale(site, "segment-and-measure", *network, *option, "workspace", dataset)
        assert refused.returncode == 2
        assert "of the package lab_broken 1.5 cannot be loaded" in refused.stderr
        assert "RuntimeError: no licence server" in refused.stderr
    np.save(dataset / "OMETIFF" / "slide.npy", spots((100, 100)))
    done = cellscale(site, "segment-and-measure", *network, "workspace", dataset)
    assert done.returncode == 1
    assert "the reader 'npy' of the package lab_broken 1.5 cannot be loaded" in done.stderr
    assert (dataset / "REPORTS" / "fine_QUANT.tsv").is_file()
