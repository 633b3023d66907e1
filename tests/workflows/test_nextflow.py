"""The module for Nextflow: what its blocks do in a real shell. The engine itself cannot be had as a package."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pa_parquet
import pytest

import cellscale
from tests.pipeline.spots import spots, write_image

FOLDER = Path(__file__).resolve().parents[2] / "workflows" / "nextflow"
MODULE = FOLDER / "modules" / "local" / "cellscale"
TEXT = (MODULE / "main.nf").read_text()
OUTPUTS = re.findall(r'^ +(?:tuple val\(meta\), )?path[ (]"([^"]+)"\)?, emit: (\w+)(, optional: true)?$', TEXT, re.M)


def block(name, **values):
    """Return the shell script of a block as Nextflow makes it, with values for all that is filled in."""
    text = re.search(rf'^    {name}:\n.*?"""\n(.*?)"""', TEXT, re.M | re.S)[1]
    known = {"meta.id": "slide 1", "task.process": "CELLSCALE", **values}
    filled = re.sub(r"(?<!\\)\$\{([^}]+)\}", lambda found: str(known[found[1]]), text)
    assert not re.search(r"(?<!\\)\$\w", filled)
    lines = filled.replace("\\$", "$").splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines)


def in_shell(script, folder):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    words = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def missing(folder):
    """Return the outputs that the module promises and that are not there."""
    patterns = {emit: path.replace("${meta.id}", "slide 1") for path, emit, _ in OUTPUTS}
    return {emit for emit, pattern in patterns.items() if not list(folder.glob(pattern))}


@pytest.mark.slow
def test_a_task_makes_what_the_module_promises(tiny_model, tmp_path):
    written = write_image(tmp_path / "elsewhere" / "a.ome.tiff", spots((120, 130)))
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.ome.tiff").symlink_to(written)
    script = block(
        "script", image="input/a.ome.tiff", network=f"--model_path {tiny_model}", memory="--max_memory 3000MB",
        args="--nuclear_channel 'DAPI' --export anndata", **{"task.cpus": 1},
    )  # fmt: skip
    done = in_shell(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not missing(tmp_path)
    assert pa_parquet.read_table(tmp_path / "slide 1" / "REPORTS" / "a_QUANT.parquet").num_rows > 10
    assert (tmp_path / "versions.yml").read_text() == f'"CELLSCALE":\n    cellscale: {cellscale.__version__}\n'


@pytest.mark.slow
def test_a_stub_run_makes_the_same_files(tmp_path):
    done = in_shell(block("stub"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert not missing(tmp_path)
    assert f"cellscale: {cellscale.__version__}" in (tmp_path / "versions.yml").read_text()


def test_the_description_names_all_outputs_and_the_version_is_this_one():
    yaml = pytest.importorskip("yaml")
    described = yaml.safe_load((MODULE / "meta.yml").read_text())["output"]
    assert list(described) == [emit for _, emit, _ in OUTPUTS]
    for path, emit, _ in OUTPUTS:
        assert path in json.dumps(described[emit])
    packages = yaml.safe_load((MODULE / "environment.yml").read_text())["dependencies"][-1]["pip"]
    assert packages == [f"cellscale[anndata]=={cellscale.__version__}"]
    assert f"'cellscale:{cellscale.__version__}'" in TEXT
    settings = (FOLDER / "nextflow.config").read_text()
    assert f"'{cellscale.__version__}'" in settings
    for profile in ("docker", "singularity", "slurm", "'google-batch'"):
        assert f"    {profile} {{" in settings


def test_columns_of_the_sample_sheet_become_options_that_there_are():
    from cellscale.cli.commands.segment import segment_and_measure

    columns = (FOLDER / "assets" / "samplesheet.csv").read_text().splitlines()[0].split(",")
    options = {word for parameter in segment_and_measure.params for word in parameter.opts}
    settings = (FOLDER / "conf" / "modules.config").read_text()
    for column in columns[2:]:
        assert f"meta.{column} ?" in settings
        assert f"--{column}" in options
    assert set(re.findall(r"--[a-z_]+", TEXT)) - {"--version"} <= options
