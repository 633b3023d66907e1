"""`cellscale doctor` says what is here, whether a run would work and what it would choose, and never a secret."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cellscale.cli.health.diagnosis import EXTRAS, diagnose
from cellscale.cli.main import cellscale
from cellscale.pipeline.request import NetworkChoice
from tests.cli.runs import run
from tests.patience import HANGS
from tests.predict.seed_network import seed_network
from tests.storage.servers import BUCKET, google_cloud_storage


def checks(*words):
    found = run("doctor", "--json", *words)
    facts = json.loads(found.stdout)
    assert found.exit_code == (0 if facts["ready"] else 1)
    return facts["ready"], {check["name"]: check for check in facts["checks"]}


def test_a_run_would_work_here(tiny_model, tmp_path):
    ready, found = checks("--model_path", str(tiny_model), str(tmp_path))
    assert ready
    assert {check["status"] for check in found.values()} <= {"ok", "note"}
    assert found["network"]["found"] == "a run computes on cpu (CPUExecutionProvider), float32, 16 tiles a batch"
    assert "CPUExecutionProvider" in found["ONNX Runtime"]["found"]
    assert "0 entries), read and written" in found["storage"]["found"]
    assert not any(tmp_path.iterdir()), "the probe is gone"


@pytest.mark.slow
def test_telemetry_is_off_unless_the_user_wants_it(tiny_model, monkeypatch):
    _, found = checks("--model_path", str(tiny_model))
    assert found["telemetry"]["status"] == "ok"
    assert found["telemetry"]["found"].startswith("off")
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    ready, found = checks("--model_path", str(tiny_model))
    assert ready
    assert found["telemetry"]["status"] == "note"
    assert "ORT_DISABLE_TELEMETRY" in found["telemetry"]["advice"]


def test_lines_for_a_person(tiny_model):
    found = run("doctor", "--model_path", str(tiny_model))
    assert found.exit_code == 0
    assert found.stdout.endswith("A run would work.\n")
    assert "cores of" in found.stdout


def test_missing_weights_are_a_problem_with_a_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("CELLSCALE_CACHE", str(tmp_path))
    ready, found = checks()
    assert not ready
    assert found["weights"]["status"] == "problem"
    assert "cellscale models fetch mesmer" in found["weights"]["found"]
    assert "network" not in found


def test_a_device_that_is_not_here_is_a_problem_with_a_remedy(tiny_model):
    ready, found = checks("--model_path", str(tiny_model), "--device", "directml")
    assert not ready
    assert "pip install --force-reinstall onnxruntime-directml" in found["network"]["found"]


def test_a_folder_that_is_not_there_is_a_problem(tiny_model, tmp_path):
    ready, found = checks("--model_path", str(tiny_model), str(tmp_path / "nowhere"))
    assert not ready
    assert "is not a folder" in found["storage"]["found"]


@pytest.mark.slow
def test_storage_of_a_bucket_is_tried(tiny_model, tmp_path):
    with google_cloud_storage(tmp_path):
        ready, found = checks("--model_path", str(tiny_model), f"gs://{BUCKET}")
        assert ready, found["storage"]
        ready, found = checks("--model_path", str(tiny_model), "gs://no-such-bucket/data")
    assert not ready
    assert found["storage"]["status"] == "problem"


@pytest.fixture
def cards(monkeypatch, tmp_path):
    """A maker of an nvidia-smi that prints what it is told."""

    def make(script: str) -> None:
        tool = tmp_path / "bin" / "nvidia-smi"
        tool.parent.mkdir()
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")

    return make


def test_cards_are_listed_with_their_memory_and_how_to_use_them(cards, tiny_model):
    cards("echo 'NVIDIA H200, 143771 MiB, 143000 MiB, 580.1'")
    ready, found = checks("--model_path", str(tiny_model))
    assert ready
    assert "0: NVIDIA H200, 143771 MiB, 143000 MiB, 580.1; not used" in found["NVIDIA cards"]["found"]
    assert "onnxruntime-gpu" in found["NVIDIA cards"]["advice"]


def test_a_driver_that_fails_is_noted(cards, tiny_model):
    cards("exit 9")
    ready, found = checks("--model_path", str(tiny_model))
    assert ready
    assert found["NVIDIA cards"]["status"] == "note"


def test_two_runtimes_in_one_place_are_noted(monkeypatch, tiny_model):
    versions = {"onnxruntime": "1.30.0", "onnxruntime-gpu": "1.29.0"}
    monkeypatch.setattr("cellscale.cli.health.diagnosis._version", versions.get)
    _, found = checks("--model_path", str(tiny_model))
    assert "overwrite each other's files" in found["ONNX Runtime"]["found"]
    assert "pip uninstall -y onnxruntime" in found["ONNX Runtime"]["advice"]
    assert found["extras"]["found"].startswith("installed: gpu;")


def test_nothing_secret_is_printed(monkeypatch, tiny_model):
    for name in ("GOOGLE_OAUTH_TOKEN", "AWS_SECRET_ACCESS_KEY", "CELLSCALE_PASSWORD"):
        monkeypatch.setenv(name, f"hush-{name}")
    uri = "https://someone:hush-password@localhost:1/data?X-Goog-Signature=hush-signature&token=hush-token"
    for words in (["doctor"], ["doctor", "--json"]):
        found = run(*words, "--model_path", str(tiny_model), uri)
        assert found.exit_code == 1
        assert "hush" not in found.stdout + found.stderr


def test_extras_are_those_of_the_package():
    import tomllib

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert set(EXTRAS) == set(project["optional-dependencies"]) - {"all"}
    for extra, packages in EXTRAS.items():
        wanted = " ".join(project["optional-dependencies"][extra])
        assert all(package in wanted for package in packages)


def test_checks_come_without_a_command_line(tiny_model):
    assert [check.name for check in diagnose(network=NetworkChoice(path=str(tiny_model)))][-2:] == [
        "network",
        "workers",
    ]


PROVEN = ("try TIFF", "try pyramid", "try OME-Zarr", "try segment", "try measure")


def test_a_run_is_proven_from_images_to_the_project(tiny_model):
    ready, found = checks("--model_path", str(tiny_model))
    assert ready
    assert {found[name]["status"] for name in PROVEN} == {"ok"}
    assert "16 of 16 cells" in found["try segment"]["found"]
    assert "16 cells measured" in found["try measure"]["found"]
    assert "zlib, zstd" in found["try TIFF"]["found"]
    libraries = found["libraries"]["found"]
    for package in ("numpy", "tifffile", "zarr", "imagecodecs", "onnxruntime", "click", "distributed"):
        assert f"{package} " in libraries


@pytest.mark.parametrize(
    ("place", "step"),
    [
        ("cellscale.images.tiff.tiff_image.level_of", "try TIFF"),
        ("cellscale.images.zarr.ome_zarr.parse_multiscales", "try OME-Zarr"),
        ("cellscale.pipeline.segmenting.write_masks.write_mask", "try segment"),
        ("cellscale.pipeline.measuring.measure_image.measure", "try measure"),
    ],
)
def test_a_broken_step_is_named_with_its_reason(tiny_model, monkeypatch, place, step):
    def broken(*_, **__):
        return object().lost

    monkeypatch.setattr(place, broken)
    found = CliRunner().invoke(cellscale, ["doctor", "--json", "--model_path", str(tiny_model)])
    assert found.exit_code == 1
    problems = {check["name"]: check for check in json.loads(found.stdout)["checks"] if check["status"] == "problem"}
    assert "AttributeError: 'object' object has no attribute 'lost'" in problems[step]["found"]
    assert set(problems) <= set(PROVEN)


def test_other_pixels_than_were_written_are_a_problem(tiny_model, monkeypatch):
    monkeypatch.setattr(
        "cellscale.images.tiff.tiff_image.TiffImage.read", lambda _, channels, region, level=0: np.zeros(3)
    )
    found = CliRunner().invoke(cellscale, ["doctor", "--model_path", str(tiny_model)])
    assert found.exit_code == 1
    assert "PROBLEM try TIFF" in found.stdout
    assert "other pixels were read than were written" in found.stdout


@pytest.mark.slow
def test_a_library_that_cannot_be_loaded_is_named(tmp_path):
    (tmp_path / "zarr.py").write_text("raise RuntimeError('built for another numpy')\n")
    where = {**os.environ, "PYTHONPATH": str(tmp_path)}
    words = [sys.executable, "-m", "cellscale", "doctor"]
    found = subprocess.run(words, env=where, capture_output=True, text=True, check=False, timeout=HANGS)
    assert found.returncode == 1, found.stderr
    assert "Traceback" not in found.stderr
    lines = [line for line in found.stdout.splitlines() if line.startswith("PROBLEM libraries")]
    assert len(lines) == 1, found.stdout + found.stderr
    assert "zarr" in lines[0]
    assert "built for another numpy" in lines[0]
    assert "pip install --upgrade --force-reinstall zarr" in found.stdout
    assert "PROBLEM try OME-Zarr" in found.stdout


def test_a_network_like_instanseg_is_tried_too(tmp_path):
    (tmp_path / "spots.onnx").write_bytes(seed_network())
    checks = {check.name: check for check in diagnose(network=NetworkChoice(path=str(tmp_path / "spots.onnx")))}
    assert checks["network"].status == "ok"
    assert "a square at a time" in checks["network"].found
