"""The workflow for Snakemake, run by the real engine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.spots import spots, write_dataset

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "build" / "environments" / "ecosystem" / "bin" / "snakemake"


@pytest.mark.slow
def test_snakemake_works_on_all_images_and_names_those_that_fail(tiny_model, tmp_path):
    engine = str(OWN) if OWN.is_file() else shutil.which("snakemake")
    if engine is None:
        pytest.skip("Snakemake is not installed: make ecosystem")
    folder = write_dataset(tmp_path / "dataset", alpha=spots((120, 130)), beta=spots((150, 130), seed=1))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    words = [
        engine, "--snakefile", str(ROOT / "workflows" / "snakemake" / "Snakefile"), "--cores", "2", "--config",
        f"dataset={folder}", f"options=--model_path {tiny_model}", "threads=1", "memory_mb=3000",
    ]  # fmt: skip
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcome = json.loads((folder / "jobs" / "snakemake" / "outcome.json").read_text())
    assert [image["status"] for image in outcome["images"]] == ["done", "done"]
    assert (folder / "REPORTS" / "beta_QUANT.parquet").is_file()
    again = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "Nothing to be done" in again.stderr
